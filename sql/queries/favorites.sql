-- name: add
-- Keep a track that the caller may know of (as `tracks.get` says); no row where there is none.
-- Again changes nothing, not even its age.
with seen as (
    select t.track_id
    from tracks t left join rooms tr using (room_id)
    where t.track_id = :track_id and
-- take: tracks.visible
), added as (
    insert into favorites (user_id, track_id, added_at_ms)
    select :caller_id, track_id, :now_ms from seen
    on conflict do nothing
)
select track_id from seen;

-- name: remove
delete from favorites where user_id = :user_id and track_id = :track_id;

-- name: list
-- What somebody likes, of the tracks that the caller may know of, the newest first.
select t.track_id, t.title, t.artist, t.duration_ms, t.duration_samples,
    t.cover_key is not null as has_cover, f.added_at_ms
from favorites f join tracks t using (track_id) left join rooms tr using (room_id)
where f.user_id = :user_id
    and (:before_ms::bigint is null
        or (f.added_at_ms, f.track_id) < (:before_ms, :before_track_id::uuid))
    and
-- take: tracks.visible
order by f.added_at_ms desc, f.track_id desc
limit :most;
