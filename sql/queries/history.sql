-- name: keep
-- What people heard. The same play again counts no second time; it may only have gone on.
insert into listens (user_id, play_id, room_id, track_id, played_at_ms, heard_ms)
select t.user_id::uuid, t.play_id::uuid, t.room_id::uuid, t.track_id::uuid, t.played_at_ms,
    t.heard_ms
from unnest(
    :users::text[], :plays::text[], :rooms::text[], :tracks::text[], :played_ats_ms::bigint[],
    :heards_ms::bigint[]
) as t (user_id, play_id, room_id, track_id, played_at_ms, heard_ms)
join users u on u.user_id = t.user_id::uuid
on conflict (user_id, play_id) do update set
    played_at_ms = least(listens.played_at_ms, excluded.played_at_ms),
    heard_ms = greatest(listens.heard_ms, excluded.heard_ms);

-- name: of_room
-- What was played in a room, of the tracks that the caller may know of, the latest first.
select t.track_id, t.title, t.artist, t.duration_ms, t.duration_samples,
    t.cover_key is not null as has_cover, p.play_id, p.added_by, u.display_name, u.kind,
    p.started_at_ms, p.ended_at_ms, p.heard_ms
from plays p join tracks t using (track_id) left join rooms tr on tr.room_id = t.room_id
left join users u on u.user_id = p.added_by and u.deleted_at is null
where p.room_id = :room_id
    and (:before_ms::bigint is null
        or (p.started_at_ms, p.play_id) < (:before_ms, :before_play_id::uuid))
    and
-- take: tracks.visible
order by p.started_at_ms desc, p.play_id desc
limit :most;

-- name: of_user
-- What somebody heard, of the tracks that the caller may know of, the latest first. A room is told
-- to who could find it; to oneself also one that was found by its link, if it is not private now.
-- What was heard in a room that others are not told of is no row for them.
select t.track_id, t.title, t.artist, t.duration_ms, t.duration_samples,
    t.cover_key is not null as has_cover, l.play_id, r.room_id, r.name as room_name,
    l.played_at_ms, l.heard_ms
from listens l join tracks t using (track_id) left join rooms tr on tr.room_id = t.room_id
left join rooms r on r.room_id = l.room_id and (
    r.visibility = 'public' or (r.visibility = 'unlisted' and l.user_id = :caller_id)
    or exists (
        select from room_members m
        where m.room_id = r.room_id and m.user_id = :caller_id and m.left_at_ms is null
    )
)
where l.user_id = :user_id
    and (l.user_id = :caller_id or r.room_id is not null)
    and (:before_ms::bigint is null
        or (l.played_at_ms, l.play_id) < (:before_ms, :before_play_id::uuid))
    and
-- take: tracks.visible
order by l.played_at_ms desc, l.play_id desc
limit :most;
