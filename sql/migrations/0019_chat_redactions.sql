-- Where a message was said in other words: what must go from the log when it is deleted.
create table chat_edits (
    message_id uuid not null,
    seq bigint not null,
    primary key (message_id, seq)
);

-- Rooms in which something was deleted since their snapshots were written: those below seq must go.
create table room_redactions (
    room_id uuid primary key,
    seq bigint not null
);
