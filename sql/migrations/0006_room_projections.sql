-- What people query about rooms, written in the same statement as the log. No foreign keys: a row
-- that can be deleted must never hold up a commit.
create table chat_messages (
    message_id uuid primary key,
    room_id uuid not null,
    seq bigint not null,
    user_id uuid not null,
    display_name text not null,
    content text not null,
    reply_to uuid,
    entry_id uuid,
    position_ms double precision,
    sent_at_ms bigint not null,
    edited_at_ms bigint,
    deleted_at_ms bigint
);
create index chat_messages_of_room on chat_messages (room_id, seq desc);

create table room_members (
    room_id uuid not null,
    user_id uuid not null,
    role text not null,
    joined_at_ms bigint not null,
    left_at_ms bigint,
    primary key (room_id, user_id)
);
create index room_members_of_user on room_members (user_id);

create table room_bans (
    room_id uuid not null,
    user_id uuid not null,
    by_user_id uuid not null,
    reason text not null default '',
    banned_at_ms bigint not null,
    until_ms bigint,
    lifted_at_ms bigint,
    primary key (room_id, user_id)
);

-- One row a track that was current in a room; its id is the entry's.
create table plays (
    play_id uuid primary key,
    room_id uuid not null,
    track_id uuid not null,
    added_by uuid not null,
    started_at_ms bigint not null,
    ended_at_ms bigint,
    heard_ms bigint
);
create index plays_of_room on plays (room_id, started_at_ms desc);
