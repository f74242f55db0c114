-- Work that outlives the process that began it. A row is taken by whoever finds it due; a process that
-- works on one pushes due_at ahead of itself, so that the work of a dead one is due again.
create table jobs (
    job_id uuid primary key,
    kind text not null,
    -- Whose wish it was: the only one who may see it.
    user_id uuid references users on delete cascade,
    track_id uuid references tracks on delete cascade,
    state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed')),
    progress double precision not null default 0 check (progress between 0 and 1),
    attempt integer not null default 0,
    due_at timestamptz not null default now(),
    -- Names one taking of the row: what an earlier one writes late matches nothing.
    claim_id uuid,
    error text,
    created_at timestamptz not null default now(),
    ended_at timestamptz
);
create index jobs_due on jobs (due_at) where state in ('waiting', 'running');
create index jobs_ended on jobs (ended_at) where state in ('done', 'failed');
