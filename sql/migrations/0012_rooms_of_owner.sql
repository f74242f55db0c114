-- Rooms are looked for by their owner when the owner has not been seen for long.
create index rooms_of_owner on rooms (owner_id) where closed_at is null;
-- The members of a room, the longest-serving first.
create index room_members_by_age on room_members (room_id, joined_at_ms, user_id)
    where left_at_ms is null;
