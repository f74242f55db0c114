-- Who is in charge of a room, and everything that happened in it. No foreign keys: the log outlives
-- what it mentions.
create table room_homes (
    room_id uuid primary key,
    node_id uuid,
    incarnation bigint not null default 0,
    -- Rises by one with each acquisition, never reused.
    fence bigint not null default 0,
    last_seq bigint not null default 0,
    -- Changes only when history was restored from a backup.
    lineage uuid not null
);

-- Bodies are json, not jsonb: the text is kept as it is and goes to clients without re-encoding.
create table room_events (
    room_id uuid not null,
    seq bigint not null,
    at_ms bigint not null,
    public json not null,
    private json,
    primary key (room_id, seq)
);

-- One row a command that was accepted: a retry finds its answer here.
create table room_commands (
    room_id uuid not null,
    user_id uuid not null,
    cmd_id text not null,
    first_seq bigint not null,
    last_seq bigint not null,
    at_ms bigint not null,
    primary key (room_id, user_id, cmd_id)
);

create table room_snapshots (
    room_id uuid not null,
    seq bigint not null,
    lineage uuid not null,
    public json not null,
    private json,
    written_at timestamptz not null default now(),
    primary key (room_id, seq)
);
