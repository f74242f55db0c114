-- What can be found about a room without waking it. The truth about a room is its log (0005);
-- the columns from wake_at_ms on are written lazily by its home.
create table rooms (
    room_id uuid primary key,
    name text not null,
    name_key text not null,
    description text not null default '',
    visibility text not null check (visibility in ('public', 'unlisted', 'private')),
    password_hash text,
    owner_id uuid not null,
    mood text,
    genres text[] not null default '{}',
    created_at timestamptz not null default now(),
    closed_at timestamptz,
    wake_at_ms bigint,
    suspended boolean not null default true,
    listeners int not null default 0,
    now_playing json
);
create index rooms_by_name on rooms (name_key);
create index rooms_by_age on rooms (created_at desc, room_id) where closed_at is null;
create index rooms_by_listeners on rooms (listeners desc, room_id) where closed_at is null;
-- Rooms that must wake though nobody asks for them.
create index rooms_to_wake on rooms (wake_at_ms) where wake_at_ms is not null;
