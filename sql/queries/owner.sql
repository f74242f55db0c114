-- name: absent
-- Rooms whose owner has not been seen for long, and where somebody is there to follow.
select r.room_id, r.owner_id
from rooms r
-- The room's own column lags behind: whose place it is now stands with the members.
join room_members o
    on o.room_id = r.room_id and o.user_id = r.owner_id and o.role = 'owner'
        and o.left_at_ms is null
where r.closed_at is null
    and exists (
        select from room_members m join users u using (user_id)
        where m.room_id = r.room_id and m.role = 'moderator' and m.left_at_ms is null
            and u.kind = 'person'
    )
    and not exists (
        select from users u left join logins l using (user_id)
        where u.user_id = r.owner_id
            and greatest(u.created_at, l.last_used_at)
                > now() - :absent_ms * interval '1 millisecond'
    )
order by r.room_id
limit :most;
