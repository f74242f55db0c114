-- name: lock_maker
-- Two requests of one person come one after the other, so that a count of tokens holds.
select user_id from users where user_id = :user_id for no key update;

-- name: add_bot
insert into users (user_id, kind, display_name, made_by)
values (:user_id, 'bot', :display_name, :made_by)
returning user_id, display_name, kind;

-- name: bot
-- A bot that somebody made.
select user_id, display_name, kind
from users where user_id = :user_id and made_by = :made_by and deleted_at is null;

-- name: add
-- A login of the bot with its token; no row where its maker has `most` already.
with login as (
    insert into logins (login_id, user_id)
    select :token_id, :user_id
    where :most > (
        select count(*) from bot_tokens t
        join logins l on l.login_id = t.token_id join users b using (user_id)
        where b.made_by = :made_by
    )
    returning login_id, created_at
), token as (
    insert into bot_tokens (token_id, token_hash, name, scopes, expires_at)
    select login_id, :token_hash, :name, :scopes,
        created_at + :good_for_ms::float8 * interval '1 millisecond'
    from login
    returning expires_at
)
select login.created_at, token.expires_at from login, token;

-- name: of_maker
-- The tokens of somebody's bots, the newest first.
select t.token_id, t.name, b.user_id, b.display_name, b.kind, t.scopes, l.created_at, t.expires_at,
    case when l.last_used_at > l.created_at then l.last_used_at end as last_used_at
from bot_tokens t
join logins l on l.login_id = t.token_id join users b using (user_id)
where b.made_by = :made_by
    and (:before_us::bigint is null or (l.created_at, t.token_id) < (
        timestamptz 'epoch' + :before_us * interval '1 microsecond', :before_id::uuid))
order by l.created_at desc, t.token_id desc
limit :most;

-- name: use
-- Who says this token. When it was last used is kept to the minute.
with token as (
    select t.token_id, t.scopes, t.expires_at from bot_tokens t
    where t.token_hash = :token_hash and coalesce(t.expires_at > now(), true)
), touched as (
    update logins l set last_used_at = now()
    from token where l.login_id = token.token_id
        and (l.last_used_at = l.created_at or l.last_used_at < now() - interval '1 minute')
)
select l.login_id, b.user_id, b.display_name, b.kind, token.scopes,
    (extract(epoch from token.expires_at - now()) * 1000)::float8 as expires_in_ms
from token
join logins l on l.login_id = token.token_id
join users b using (user_id) join users m on m.user_id = b.made_by
where l.revoked_at is null and b.blocked_at is null and b.deleted_at is null
    and m.blocked_at is null and m.deleted_at is null;

-- name: remove
-- A token goes, and what it opened ends everywhere. No row where it is nobody's or another's.
with gone as (
    delete from bot_tokens t using logins l, users b
    where t.token_id = :token_id and l.login_id = t.token_id and b.user_id = l.user_id
        and b.made_by = :made_by
    returning t.token_id, l.user_id
), ended as (
    update logins l set revoked_at = now() from gone where l.login_id = gone.token_id
)
insert into revocations (user_id, login_id, reason)
select user_id, token_id, 'token' from gone
returning login_id;
