-- name: tracks
-- The rows that `queue.add` names, as far as a room may use them.
select track_id, title, artist, duration_ms, duration_samples, cover_key is not null as has_cover
from tracks
where track_id = any(:track_ids::text[]::uuid[]) and deleted_at is null
    and (room_id is null or room_id = :room_id);

-- name: people
-- Accounts that commands name and that are not known in the room.
select user_id, display_name, kind from users
where user_id = any(:user_ids::text[]::uuid[]) and deleted_at is null;

-- name: messages
-- Messages that commands name and that the room may not remember any more.
select m.message_id, m.user_id, m.display_name, coalesce(u.kind, 'person') as kind, m.content,
    m.mentions, m.sent_at_ms, m.deleted_at_ms is not null as is_deleted
from chat_messages m left join users u using (user_id)
where m.room_id = :room_id and m.message_id = any(:message_ids::text[]::uuid[]);

-- name: is_locked
-- Whether a stranger needs a password.
select password_hash is not null from rooms where room_id = :room_id;

-- name: gone_of
-- Which of a room's tracks have been deleted.
select track_id from tracks
where track_id = any(:track_ids::text[]::uuid[]) and deleted_at is not null;

-- name: gone_within
-- The tracks that were deleted in the last within_ms.
select track_id from tracks
where deleted_at < 'infinity' and deleted_at > now() - :within_ms * interval '1 millisecond';
