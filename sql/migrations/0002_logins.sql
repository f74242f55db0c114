-- A login is a family of refresh tokens, or a browser's cookie. Secrets are stored hashed.
create table logins (
    login_id uuid primary key,
    user_id uuid not null references users on delete cascade,
    user_agent text not null default '',
    cookie_hash bytea unique,
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    revoked_at timestamptz
);
create index logins_of_user on logins (user_id);

create table refresh_tokens (
    token_hash bytea primary key,
    login_id uuid not null references logins on delete cascade,
    issued_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    replaced_by bytea
);
create index refresh_tokens_of_login on refresh_tokens (login_id);

create table ws_tickets (
    ticket_hash bytea primary key,
    user_id uuid not null references users on delete cascade,
    login_id uuid not null references logins on delete cascade,
    expires_at timestamptz not null
);

-- Every node polls these by their rising id; the bus is only the fast path.
create table revocations (
    revocation_id bigint generated always as identity primary key,
    user_id uuid,
    login_id uuid,
    reason text not null,
    at timestamptz not null default now()
);
