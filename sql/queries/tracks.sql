-- name: lock_owner
-- One reservation of a user at a time: the next one sees what this one took.
select user_id from users where user_id = :user_id for update;

-- name: reserve
-- Take room in the owner's quota; no row where it is used up. The track is not there yet.
insert into tracks (
    track_id, uploaded_by, room_id, title, artist, album, duration_ms, duration_samples,
    media_type, size_bytes, content_hash, storage_key, cover_key, cover_media_type, deleted_at
)
select :track_id, :owner_id, :room_id, :title, :artist, :album, :duration_ms, :duration_samples,
    :media_type, :size_bytes, :content_hash, :storage_key, :cover_key, :cover_media_type, 'infinity'
where :size_bytes + coalesce((
    select sum(size_bytes)::bigint from tracks
    where uploaded_by = :owner_id and (deleted_at is null or deleted_at = 'infinity')
), 0) <= :quota_bytes
returning track_id;

-- name: publish
-- The files are kept: the track is there.
update tracks set deleted_at = null
where track_id = :track_id and deleted_at = 'infinity'
returning track_id, title, artist, duration_ms, duration_samples, cover_key is not null as has_cover,
    album, media_type, size_bytes, uploaded_by, room_id, created_at;

-- name: release
-- The files could not be kept: give the room in the quota back.
delete from tracks where track_id = :track_id and deleted_at = 'infinity';

-- name: forget
-- Reservations of a process that died.
delete from tracks where deleted_at = 'infinity' and created_at < now() - interval '1 hour';

-- name: used_bytes
-- What a user's uploads take.
select coalesce(sum(size_bytes), 0)::bigint as used_bytes from tracks
where uploaded_by = :user_id and (deleted_at is null or deleted_at = 'infinity');

-- name: get
-- A track, if the user may know of it: a private room's only for its members and its uploader.
select t.track_id, t.title, t.artist, t.duration_ms, t.duration_samples,
    t.cover_key is not null as has_cover, t.album, t.media_type, t.size_bytes, t.uploaded_by,
    t.room_id, t.created_at, t.content_hash, t.storage_key, t.cover_key, t.cover_media_type
from tracks t left join rooms r using (room_id)
where t.track_id = :track_id and t.deleted_at is null
    and (
        t.room_id is null or t.uploaded_by = :user_id or r.visibility <> 'private'
        or exists (
            select from room_members m
            where m.room_id = t.room_id and m.user_id = :user_id and m.left_at_ms is null
        )
    );

-- name: list
-- Tracks that the user may know of, the newest first.
select t.track_id, t.title, t.artist, t.duration_ms, t.duration_samples,
    t.cover_key is not null as has_cover, t.album, t.media_type, t.size_bytes, t.uploaded_by,
    t.room_id, t.created_at
from tracks t left join rooms r using (room_id)
where t.deleted_at is null
    and (
        t.room_id is null or t.uploaded_by = :user_id or r.visibility <> 'private'
        or exists (
            select from room_members m
            where m.room_id = t.room_id and m.user_id = :user_id and m.left_at_ms is null
        )
    )
    and position(lower(:query) in lower(t.title || ' ' || t.artist)) > 0
    and (:uploaded_by::uuid is null or t.uploaded_by = :uploaded_by::uuid)
    and (:in_room_id::uuid is null or t.room_id = :in_room_id::uuid)
    and (:before_us::bigint is null or (t.created_at, t.track_id) < (
        timestamptz 'epoch' + :before_us * interval '1 microsecond', :before_track_id::uuid))
order by t.created_at desc, t.track_id desc
limit :most;
