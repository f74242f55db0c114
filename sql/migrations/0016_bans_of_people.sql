-- Bans are listed for who issued and for who received them, the newest first.
create index room_bans_issued on room_bans (by_user_id, banned_at_ms desc);
create index room_bans_received on room_bans (user_id, banned_at_ms desc);
