-- part: shown
    t.track_id, t.title, t.artist, t.duration_ms, t.duration_samples,
    t.cover_key is not null as has_cover, t.album, t.genre, t.media_type, t.size_bytes, t.uploaded_by,
    t.room_id, t.created_at,
    n.content_hash is not null as has_rendition, n.integrated_lufs, n.true_peak_db

-- part: visible
    -- A track `t` that the caller may know of: a room's, `tr`, is for those who may look inside it.
    t.deleted_at is null
    and (
        t.room_id is null or t.uploaded_by = :caller_id
        or exists (
            select from room_members m
            where m.room_id = t.room_id and m.user_id = :caller_id and m.left_at_ms is null
        )
        or (
            tr.visibility <> 'private' and tr.password_hash is null
            and not exists (
                select from room_bans b cross join cluster_clock c
                where b.room_id = t.room_id and b.user_id = :caller_id and b.lifted_at_ms is null
                    and (b.until_ms is null
                        or b.until_ms > extract(epoch from now()) * 1000 + c.step_ms)
            )
        )
    )

-- name: lock_owner
-- One reservation of a user at a time: the next one sees what this one took.
select user_id from users where user_id = :user_id for update;

-- name: reserve
-- Take room in the owner's quota; no track where it is used up, or where the owner has no place in
-- the room that it is for. The track is not there yet.
with place as (
    select :room_id::uuid is null or exists (
        select from room_members
        where room_id = :room_id and user_id = :owner_id and left_at_ms is null
    ) as has_place
), reserved as (
    insert into tracks (
        track_id, uploaded_by, room_id, title, artist, album, genre, duration_ms, duration_samples,
        media_type, size_bytes, content_hash, storage_key, cover_key, cover_small_key,
        cover_media_type, deleted_at
    )
    select :track_id, :owner_id, :room_id, :title, :artist, :album, :genre, :duration_ms,
        :duration_samples, :media_type, :size_bytes, :content_hash, :storage_key, :cover_key,
        :cover_small_key, :cover_media_type, 'infinity'
    from place
    where has_place and :size_bytes + coalesce((
        select sum(size_bytes)::bigint from tracks
        where uploaded_by = :owner_id and (deleted_at is null or deleted_at = 'infinity')
    ), 0) <= :quota_bytes
    returning track_id
)
select has_place, (select track_id from reserved) as track_id from place;

-- name: publish
-- The files are kept: the track is there, and so is the wish for its analysis.
with published as (
    update tracks set deleted_at = null
    where track_id = :track_id and deleted_at = 'infinity'
    returning *
), wished as (
    insert into jobs (job_id, kind, user_id, track_id)
    select :job_id, 'analysis', uploaded_by, track_id from published
)
select
-- take: shown
from published t left join renditions n using (content_hash);

-- part: lose_files
    insert into file_drops (key)
    select distinct key from gone, unnest(array[storage_key, cover_key, cover_small_key]) as k (key)
    where key is not null
    order by key
    on conflict (key) do update set again = file_drops.claim_id is not null

-- name: release
-- The files could not be kept: give the room in the quota back.
with gone as (
    delete from tracks where track_id = :track_id and deleted_at = 'infinity'
    returning storage_key, cover_key, cover_small_key
)
-- take: lose_files
;

-- name: forget
-- Reservations of a process that died.
with gone as (
    delete from tracks where deleted_at = 'infinity' and created_at < now() - interval '1 hour'
    returning storage_key, cover_key, cover_small_key
)
-- take: lose_files
;

-- name: change
-- Its uploader describes a track anew; null leaves a field as it is.
with changed as (
    update tracks
    set title = coalesce(:title, title), artist = coalesce(:artist, artist),
        album = coalesce(:album, album), genre = coalesce(:genre, genre)
    where track_id = :track_id and uploaded_by = :user_id and deleted_at is null
    returning *
)
select
-- take: shown
from changed t left join renditions n using (content_hash);

-- name: delete
-- The track is gone, its jobs are over; the rendition goes with the last track of the content. Files
-- are dropped later, those that nothing else names. The row stays: plays and favourites point at it.
with gone as (
    update tracks set deleted_at = now()
    where track_id = :track_id and uploaded_by = :user_id and deleted_at is null
    returning track_id, content_hash, storage_key, cover_key, cover_small_key
), ended as (
    update jobs
    set state = 'failed', error = 'The track has been deleted.', claim_id = null, ended_at = now()
    where track_id in (select track_id from gone) and state in ('waiting', 'running')
), last as (
    delete from renditions n using gone g
    where n.content_hash = g.content_hash and not exists (
        select from tracks t
        where t.content_hash = g.content_hash and t.track_id <> g.track_id
            and (t.deleted_at is null or t.deleted_at = 'infinity')
    )
    returning n.content_hash
), lost as (
    select unnest(array[storage_key, cover_key, cover_small_key]) as key from gone
    union
    select unnest(array[s.flac_key, s.opus_key]) from rendition_segments s join last using (content_hash)
), dropped as (
    insert into file_drops (key) select key from lost where key is not null order by key
    on conflict (key) do update set again = file_drops.claim_id is not null
)
select track_id from gone;

-- name: get
-- A track, if the caller may know of it.
select
-- take: shown
    , t.content_hash, t.storage_key, t.cover_key, t.cover_small_key, t.cover_media_type
from tracks t left join rooms tr using (room_id) left join renditions n using (content_hash)
where t.track_id = :track_id and
-- take: visible
;

-- name: list
-- Tracks that the caller may know of, the newest first.
select
-- take: shown
from tracks t left join rooms tr using (room_id) left join renditions n using (content_hash)
where
-- take: visible
    -- Only a link leads to an unlisted room: its tracks do not tell others of it.
    and (
        tr.visibility is distinct from 'unlisted' or t.uploaded_by = :caller_id
        or t.room_id = :in_room_id::uuid
        or exists (
            select from room_members m
            where m.room_id = t.room_id and m.user_id = :caller_id and m.left_at_ms is null
        )
    )
    and position(lower(:query) in lower(t.title || ' ' || t.artist)) > 0
    and (:genre = '' or lower(t.genre) = lower(:genre))
    and (:uploaded_by::uuid is null or t.uploaded_by = :uploaded_by::uuid)
    and (:in_room_id::uuid is null or t.room_id = :in_room_id::uuid)
    and (:before_us::bigint is null or (t.created_at, t.track_id) < (
        timestamptz 'epoch' + :before_us * interval '1 microsecond', :before_track_id::uuid))
order by t.created_at desc, t.track_id desc
limit :most;
