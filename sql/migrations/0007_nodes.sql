-- The processes that serve. Who sees no new beat for 5 s by its own clock may steal a node's rooms.
create table nodes (
    node_id uuid primary key,
    kind text not null check (kind in ('node', 'http')),
    incarnation bigint not null,
    addr text not null default '',
    beat bigint not null default 0,
    beaten_at timestamptz not null default now(),
    draining boolean not null default false,
    bus_ok boolean not null default true
);

-- Cluster time is the database's clock plus this step, so that a jump of that clock is felt nowhere.
create table cluster_clock (
    only_row boolean primary key default true check (only_row),
    step_ms bigint not null default 0
);
insert into cluster_clock default values;
