-- name: create
-- A room is born with its home's row, its owner's place and its snapshot at seq 0, or not at all.
with room as (
    insert into rooms (
        room_id, name, name_key, description, visibility, password_hash, owner_id, suspended,
        wake_at_ms
    )
    values (
        :room_id, :name, :name_key, :description, :visibility, :password_hash, :owner_id,
        :suspended, :wake_at_ms
    )
    returning room_id, created_at
), home as (
    insert into room_homes (room_id, lineage) select room_id, :lineage from room
), member as (
    insert into room_members (room_id, user_id, role, joined_at_ms)
    select room_id, :owner_id, 'owner', :now_ms from room
), snapshot as (
    insert into room_snapshots (room_id, seq, lineage, public)
    select room_id, 0, :lineage, :public::text::json from room
)
select created_at from room;

-- name: get
-- A room, how far its log reaches, and what one user is in it: the role, and a ban in force.
select r.room_id, r.name, r.description, r.visibility, r.owner_id,
    r.password_hash is not null as has_password, r.listeners, r.now_playing, r.created_at,
    r.closed_at is not null as is_closed, h.lineage, h.last_seq, m.role as my_role,
    b.user_id is not null as is_banned, b.until_ms as banned_until_ms,
    coalesce(b.reason, '') as ban_reason
from rooms r
join room_homes h using (room_id)
left join room_members m
    on m.room_id = r.room_id and m.user_id = :user_id and m.left_at_ms is null
left join room_bans b
    on b.room_id = r.room_id and b.user_id = :user_id and b.lifted_at_ms is null
        and coalesce(b.until_ms > :now_ms, true)
where r.room_id = :room_id;

-- name: set_password
-- Of a room that the person owns.
update rooms r set password_hash = :password_hash
where r.room_id = :room_id and exists (
    select from room_members m
    where m.room_id = r.room_id and m.user_id = :user_id and m.role = 'owner' and m.left_at_ms is null
)
returning r.room_id;

-- name: password_hash
select password_hash from rooms where room_id = :room_id;

-- name: list_active
-- Public rooms, those with most listeners first.
select room_id, name, description, visibility, owner_id, password_hash is not null as has_password,
    listeners, now_playing, created_at
from rooms
where closed_at is null and visibility = 'public' and position(:name_key in name_key) > 0
    and (:before_listeners::int is null
        or (listeners, room_id) < (:before_listeners, :before_room_id::uuid))
order by listeners desc, room_id desc
limit :most;

-- name: list_new
-- Public rooms, the newest first.
select room_id, name, description, visibility, owner_id, password_hash is not null as has_password,
    listeners, now_playing, created_at
from rooms
where closed_at is null and visibility = 'public' and position(:name_key in name_key) > 0
    and (:before_us::bigint is null or (created_at, room_id) < (
        timestamptz 'epoch' + :before_us * interval '1 microsecond', :before_room_id::uuid))
order by created_at desc, room_id desc
limit :most;

-- name: mine
-- The rooms that a user has a place in, the newest first.
select r.room_id, r.name, r.description, r.visibility, r.owner_id,
    r.password_hash is not null as has_password, r.listeners, r.now_playing, r.created_at
from room_members m join rooms r using (room_id)
where m.user_id = :user_id and m.left_at_ms is null and r.closed_at is null
    and (:before_us::bigint is null or (r.created_at, r.room_id) < (
        timestamptz 'epoch' + :before_us * interval '1 microsecond', :before_room_id::uuid))
order by r.created_at desc, r.room_id desc
limit :most;

-- name: by_name
-- The public room of that name; of several the oldest.
select room_id, name, description, visibility, owner_id, password_hash is not null as has_password,
    listeners, now_playing, created_at
from rooms
where name_key = :name_key and closed_at is null and visibility = 'public'
order by created_at, room_id
limit 1;

-- name: newest_snapshot
select seq, public from room_snapshots
where room_id = :room_id and lineage = :lineage
order by seq desc
limit 1;

-- name: public_events
select seq, public from room_events
where room_id = :room_id and seq > :after_seq
order by seq
limit :most;
