-- part: shown
    b.room_id,
    -- A private room has no name for who is outside, whoever it was that went.
    case when r.visibility <> 'private' or exists (
        select from room_members m
        where m.room_id = b.room_id and m.user_id = :caller_id and m.left_at_ms is null
    ) then r.name end as room_name,
    b.user_id, coalesce(u.display_name, '') as display_name, coalesce(u.kind, 'person') as kind,
    b.by_user_id, coalesce(o.display_name, '') as by_display_name,
    coalesce(o.kind, 'person') as by_kind, b.reason, b.banned_at_ms, b.until_ms, b.lifted_at_ms
from room_bans b
join rooms r using (room_id)
left join users u on u.user_id = b.user_id
left join users o on o.user_id = b.by_user_id

-- name: issued
-- The bans that somebody issued, the newest first; rooms that are over tell no more.
select
-- take: shown
where b.by_user_id = :caller_id and r.closed_at is null
    and (:before_ms::bigint is null or (b.banned_at_ms, b.room_id, b.user_id)
        < (:before_ms, :before_room_id::uuid, :before_user_id::uuid))
order by b.banned_at_ms desc, b.room_id desc, b.user_id desc
limit :most;

-- name: received
-- The bans that somebody received, the newest first.
select
-- take: shown
where b.user_id = :caller_id and r.closed_at is null
    and (:before_ms::bigint is null or (b.banned_at_ms, b.room_id, b.user_id)
        < (:before_ms, :before_room_id::uuid, :before_user_id::uuid))
order by b.banned_at_ms desc, b.room_id desc, b.user_id desc
limit :most;
