-- name: add_guest
insert into users (user_id, kind, display_name) values (:user_id, 'guest', :display_name)
returning user_id, display_name, kind, username, bio, country, locale, created_at;

-- name: add_account
-- A person, or a bot of our own; no row where the name is taken, or where another account claimed
-- the e-mail address in the same instant. A known address is kept without its key, so that nobody
-- learns from the answer that it is known.
insert into users (
    user_id, kind, username, username_key, email, email_key, display_name, password_hash
)
values (
    :user_id, :kind, :username, :username_key, :email,
    case when not exists (select from users where email_key = :email) then :email end,
    :display_name, :password_hash
)
on conflict do nothing
returning user_id, display_name, kind, username, bio, country, locale, created_at;

-- name: upgrade_guest
-- A guest becomes a person and keeps everything; no row where that is no guest any more.
update users
set kind = 'person', username = :username, username_key = :username_key, email = :email,
    email_key = case when not exists (select from users where email_key = :email) then :email end,
    display_name = coalesce(:display_name, display_name), password_hash = :password_hash
where user_id = :user_id and kind = 'guest'
    and not exists (select from users where username_key = :username_key)
returning user_id, display_name, kind, username, bio, country, locale, created_at;

-- name: get
select user_id, display_name, kind, username, bio, country, locale, created_at
from users where user_id = :user_id and deleted_at is null;

-- name: settings
select show_history from users where user_id = :user_id and deleted_at is null;

-- name: change_settings
update users set show_history = :show_history
where user_id = :user_id and deleted_at is null
returning show_history;

-- name: change
update users
set display_name = coalesce(:display_name, display_name), bio = coalesce(:bio, bio),
    country = case when :set_country then :country else country end,
    locale = case when :set_locale then :locale else locale end
where user_id = :user_id and deleted_at is null
returning user_id, display_name, kind, username, bio, country, locale, created_at;

-- name: candidates
-- Who may be meant at sign-in: one by name; by e-mail the two oldest (an address is not proven to
-- be its holder's, so a second account may claim it and only its own password opens it).
select user_id, password_hash
from users
where (username_key = :key or (:is_email and email = :key))
    and password_hash is not null and blocked_at is null and deleted_at is null
order by created_at, user_id
limit 2;

-- name: password_hash
select password_hash from users where user_id = :user_id;

-- name: lock
-- Nobody signs in by a password, nor changes it, until the transaction ends.
select user_id from users where user_id = :user_id for no key update;

-- name: rehash
-- The new hash; no row where the old one is no longer stored.
update users set password_hash = :password_hash
where user_id = :user_id and password_hash = :old_password_hash
returning password_hash;

-- name: named
select user_id, display_name, kind, username, bio, country, locale, created_at
from users where username_key = :username_key and deleted_at is null;
