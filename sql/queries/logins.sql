-- name: open
-- A login begins: with a refresh token, or with a browser's cookie. No row where a password was
-- verified that is the user's no more; until it ends, nobody changes it.
with person as (
    select user_id from users
    where user_id = :user_id and coalesce(password_hash = :password_hash, :password_hash is null)
    for share
), login as (
    insert into logins (login_id, user_id, user_agent, cookie_hash)
    select :login_id, user_id, :user_agent, :cookie_hash from person
    returning login_id
), token as (
    insert into refresh_tokens (token_hash, login_id, expires_at)
    select :token_hash, login_id, now() + interval '30 days' from login
    where :token_hash::bytea is not null
)
select login_id from login;

-- name: of_cookie
-- Whose cookie this is. One that was not used for 90 days has ended.
with touched as (
    update logins set last_used_at = now()
    where cookie_hash = :cookie_hash and revoked_at is null
        and last_used_at between now() - interval '90 days' and now() - interval '1 hour'
)
select l.login_id, u.user_id, u.display_name, u.kind
from logins l join users u using (user_id)
where l.cookie_hash = :cookie_hash and l.revoked_at is null
    and l.last_used_at > now() - interval '90 days'
    and u.blocked_at is null and u.deleted_at is null;

-- name: rotate
-- Use a refresh token, once. Of two at the same time one gets the row, the other gets none.
with used as (
    update refresh_tokens t set used_at = now(), replaced_by = :new_token_hash
    from logins l join users u using (user_id)
    where t.token_hash = :token_hash and t.used_at is null and t.expires_at > now()
        and l.login_id = t.login_id and l.revoked_at is null
        and u.blocked_at is null and u.deleted_at is null
    returning t.login_id, u.user_id
), login as (
    update logins l set last_used_at = now(), cookie_hash = coalesce(:cookie_hash, l.cookie_hash)
    from used where l.login_id = used.login_id
), fresh as (
    insert into refresh_tokens (token_hash, login_id, expires_at)
    select :new_token_hash, login_id, now() + interval '30 days' from used
    where :cookie_hash::bytea is null
)
select u.user_id, u.display_name, u.kind, u.username, u.bio, u.country, u.locale, u.created_at,
    used.login_id
from used join users u using (user_id);

-- name: look_at_token
-- Why a refresh token of an open login is no good: used; `raced`: a moment ago, its successor unused.
-- No row where nothing is left to be ended.
select t.login_id, l.user_id, t.used_at is not null as used,
    coalesce(t.used_at > now() - interval '5 seconds' and n.used_at is null, false) as raced
from refresh_tokens t join logins l using (login_id)
left join refresh_tokens n on n.token_hash = t.replaced_by
where t.token_hash = :token_hash and l.revoked_at is null;

-- name: end_one
-- A login ends, everywhere: every node polls the revocations.
with ended as (
    update logins set revoked_at = now(), cookie_hash = null
    where login_id = :login_id and revoked_at is null
    returning login_id, user_id
)
insert into revocations (user_id, login_id, reason)
select user_id, login_id, :reason from ended;

-- name: end_all
-- All logins of a user end.
with ended as (
    update logins set revoked_at = now(), cookie_hash = null
    where user_id = :user_id and revoked_at is null
    returning login_id, user_id
)
insert into revocations (user_id, login_id, reason)
select user_id, login_id, :reason from ended
returning login_id;

-- name: end_own
-- One of somebody's own logins ends. No row where it is nobody's, another's, or ended.
with ended as (
    update logins set revoked_at = now(), cookie_hash = null
    where login_id = :login_id and user_id = :user_id and revoked_at is null
    returning login_id, user_id
)
insert into revocations (user_id, login_id, reason)
select user_id, login_id, :reason from ended
returning login_id;

-- name: change_password
-- A new password, and the end of all logins but the one that asks: a row for each, or one without
-- a login. No row where the old password is no longer the one that was verified. The user's row is
-- locked before: what was opened with the old password until then is seen to end, and nothing is
-- opened with it after.
with changed as (
    update users set password_hash = :password_hash
    where user_id = :user_id and password_hash = :old_password_hash
    returning user_id
), ended as (
    update logins l set revoked_at = now(), cookie_hash = null
    from changed where l.user_id = changed.user_id
        and l.login_id <> :login_id and l.revoked_at is null
    returning l.login_id, l.user_id
), told as (
    insert into revocations (user_id, login_id, reason)
    select user_id, login_id, 'password' from ended
)
select changed.user_id, ended.login_id from changed left join ended using (user_id);

-- name: of_user
-- Somebody's logins that can still be used, the newest first.
select l.login_id, l.user_agent, l.cookie_hash is not null as by_cookie, l.created_at,
    l.last_used_at
from logins l
where l.user_id = :user_id and l.revoked_at is null
    and (
        l.cookie_hash is not null and l.last_used_at > now() - interval '90 days'
        or exists (
            select from refresh_tokens t
            where t.login_id = l.login_id and t.used_at is null and t.expires_at > now()
        )
    )
    and (:before_us::bigint is null or (l.created_at, l.login_id) < (
        timestamptz 'epoch' + :before_us * interval '1 microsecond', :before_id::uuid))
order by l.created_at desc, l.login_id desc
limit :most;

-- name: add_ticket
insert into ws_tickets (ticket_hash, user_id, login_id, expires_at)
values (:ticket_hash, :user_id, :login_id, now() + :good_for_ms * interval '1 millisecond');

-- name: revocations_after
-- What ended since; `since_ms` bounds the first look to what an access token can outlive. The last
-- seconds are told again: of two that end at once the lower number may be committed later.
select revocation_id, user_id, login_id
from revocations
where (revocation_id > :revocation_id or at > now() - interval '10 seconds')
    and at > now() - :since_ms * interval '1 millisecond'
order by revocation_id
limit 10000;

-- name: forget
-- Drop what nobody can use any more: a login 30 days after its end, or when nothing opens it that
-- was used within 90 days.
with tickets as (delete from ws_tickets where expires_at < now()),
tokens as (delete from refresh_tokens where expires_at < now() - interval '7 days'),
ended as (
    delete from logins l
    where l.last_used_at < now() - interval '30 days' and (
        l.revoked_at < now() - interval '30 days'
        or l.last_used_at < now() - interval '90 days'
            and not exists (select from refresh_tokens t where t.login_id = l.login_id)
            and not exists (select from bot_tokens b where b.token_id = l.login_id)
    )
)
delete from revocations where at < now() - interval '1 day';
