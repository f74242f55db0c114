-- name: page
-- People with a place in a room, the longest-serving first.
select m.user_id, u.display_name, u.kind, m.role, m.joined_at_ms, q.user_id is not null as is_muted,
    q.until_ms as muted_until_ms, coalesce(q.reason, '') as mute_reason
from room_members m
join users u using (user_id)
left join room_mutes q
    on q.room_id = m.room_id and q.user_id = m.user_id and q.lifted_at_ms is null
where m.room_id = :room_id and m.left_at_ms is null
    and (:after_ms::bigint is null
        or (m.joined_at_ms, m.user_id) > (:after_ms, :after_user_id::uuid))
order by m.joined_at_ms, m.user_id
limit :most;

-- name: one
-- One person's place in a room.
select m.user_id, u.display_name, u.kind, m.role, m.joined_at_ms, q.user_id is not null as is_muted,
    q.until_ms as muted_until_ms, coalesce(q.reason, '') as mute_reason
from room_members m
join users u using (user_id)
left join room_mutes q
    on q.room_id = m.room_id and q.user_id = m.user_id and q.lifted_at_ms is null
where m.room_id = :room_id and m.user_id = :user_id and m.left_at_ms is null;

-- name: count
select count(*) from room_members where room_id = :room_id and left_at_ms is null;
