-- What moderators did, beside the log: the log is cut off after a while, this is not.
create table room_audit (
    room_id uuid not null,
    seq bigint not null,
    at_ms bigint not null,
    by_user_id uuid,
    -- To whom; null where it was done to the room.
    user_id uuid,
    event json not null,
    primary key (room_id, seq)
);
