-- A bot token is a login of a bot: one secret that needs no renewal, bound to scopes. The bot is a
-- user of its own, made by a person.
alter table users add column made_by uuid references users on delete set null;
create index users_made_by on users (made_by) where made_by is not null;

create table bot_tokens (
    token_id uuid primary key references logins (login_id) on delete cascade,
    token_hash bytea not null unique,
    name text not null,
    -- Names with a space between, as OAuth writes them.
    scopes text not null,
    expires_at timestamptz
);
