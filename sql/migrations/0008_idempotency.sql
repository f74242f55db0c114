-- The answer to a write that carried an Idempotency-Key, kept for 24 hours.
create table idempotency (
    user_id uuid not null,
    key text not null,
    body_hash bytea not null,
    status int not null,
    media_type text not null,
    answer bytea not null,
    created_at timestamptz not null default now(),
    primary key (user_id, key)
);
create index idempotency_by_age on idempotency (created_at);
