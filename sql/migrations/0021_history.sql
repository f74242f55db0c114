-- What each person heard: a play of a room that counts for them, once. It outlives room and track.
create table listens (
    user_id uuid not null references users on delete cascade,
    play_id uuid not null,
    room_id uuid not null,
    track_id uuid not null,
    played_at_ms bigint not null,
    heard_ms bigint not null,
    primary key (user_id, play_id)
);
create index listens_by_age on listens (user_id, played_at_ms desc, play_id desc);

-- A page of a room's plays ends anywhere.
drop index plays_of_room;
create index plays_of_room on plays (room_id, started_at_ms desc, play_id desc);
