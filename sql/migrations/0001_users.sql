-- People, guests and bots. A guest has neither name nor e-mail and may become a person later.
create table users (
    user_id uuid primary key,
    kind text not null check (kind in ('guest', 'person', 'bot')),
    username text,
    -- NFKC, casefolded: two names that look alike are one name.
    username_key text unique,
    email text,
    email_key text unique,
    display_name text not null,
    password_hash text,
    bio text not null default '',
    country text,
    locale text,
    created_at timestamptz not null default now(),
    blocked_at timestamptz,
    deleted_at timestamptz
);
