-- name: redeem
-- Use a ticket, once, on whichever node asks first.
with used as (
    delete from ws_tickets where ticket_hash = :ticket_hash
    returning user_id, login_id, expires_at
)
select used.login_id, u.user_id, u.display_name, u.kind
from used join logins l using (login_id) join users u on u.user_id = used.user_id
where used.expires_at > now() and l.revoked_at is null
    and u.blocked_at is null and u.deleted_at is null;
