-- A page of the list of rooms is read in the order of its index; the id counts downwards, too.
drop index rooms_by_age;
drop index rooms_by_listeners;
create index rooms_by_age on rooms (created_at desc, room_id desc)
    where closed_at is null and visibility = 'public';
create index rooms_by_listeners on rooms (listeners desc, room_id desc)
    where closed_at is null and visibility = 'public';
