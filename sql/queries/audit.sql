-- name: page
-- What was done in a room, the newest first.
select a.seq, a.at_ms, a.user_id, u.display_name, u.kind, a.event
from room_audit a left join users u using (user_id)
where a.room_id = :room_id and (:before_seq::bigint is null or a.seq < :before_seq)
order by a.seq desc
limit :most;

-- name: forget
-- Drop what was done more than a year ago.
delete from room_audit where at_ms < extract(epoch from now() - interval '1 year') * 1000;
