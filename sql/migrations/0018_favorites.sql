-- Tracks that people keep at hand.
create table favorites (
    user_id uuid not null references users on delete cascade,
    track_id uuid not null references tracks on delete cascade,
    added_at_ms bigint not null,
    primary key (user_id, track_id)
);
create index favorites_by_age on favorites (user_id, added_at_ms desc, track_id desc);
create index favorites_of_track on favorites (track_id);
