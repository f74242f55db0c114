-- Who may only listen. Apart from the members: a mute outlives a place, and needs none.
create table room_mutes (
    room_id uuid not null,
    user_id uuid not null,
    by_user_id uuid not null,
    reason text not null default '',
    muted_at_ms bigint not null,
    until_ms bigint,
    lifted_at_ms bigint,
    primary key (room_id, user_id)
);
