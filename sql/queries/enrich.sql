-- name: tracks
-- The rows that `queue.add` names, as far as a room may use them.
select track_id, title, artist, duration_ms, duration_samples, cover_key is not null as has_cover
from tracks
where track_id = any(:track_ids::text[]::uuid[]) and deleted_at is null
    and (room_id is null or room_id = :room_id);
