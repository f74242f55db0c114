-- name: find_home
-- Who is in charge of a room, when that node was last heard of, and what a door must know.
select h.node_id, h.incarnation, h.fence, h.last_seq, h.lineage,
    coalesce(r.password_hash is not null, false) as has_password,
    (extract(epoch from n.beaten_at) * 1000)::float8 + c.step_ms as beaten_at_ms,
    d.room_id is not null as owes_redaction
from room_homes h
cross join cluster_clock c
left join room_redactions d on d.room_id = h.room_id
left join rooms r on r.room_id = h.room_id
left join nodes n on n.node_id = h.node_id
where h.room_id = :room_id;

-- name: acquire
-- Become the home, if nobody did since `fence` was seen.
update room_homes
set node_id = :node_id, incarnation = :incarnation, fence = fence + 1
where room_id = :room_id and fence = :fence
returning fence, last_seq;

-- name: newest_snapshot
select seq, public, private
from room_snapshots
where room_id = :room_id and lineage = :lineage and seq <= :seq
order by seq desc
limit 1;

-- name: save_snapshot
-- Keep a snapshot if it is newer than what there is; with it, the one before is kept, unless it
-- has what was deleted since.
with saved as (
    insert into room_snapshots (room_id, seq, lineage, public, private)
    select :room_id, :seq, :lineage, :public::text::json, :private::text::json
    where not exists (
        select from room_snapshots
        where room_id = :room_id and lineage = :lineage and seq >= :seq
    )
    on conflict (room_id, seq) do nothing
    returning seq
), kept as (
    select seq from saved
    union all
    select seq from room_snapshots
    where room_id = :room_id and lineage = :lineage and seq >= :seq
), redacted as (
    delete from room_redactions
    where room_id = :room_id and seq <= :seq and exists (select from kept)
    returning seq
)
delete from room_snapshots
where room_id = :room_id and (
    (exists (select from saved)
        and seq < (select max(seq) from room_snapshots where room_id = :room_id))
    or seq < (select seq from redacted)
);

-- name: rooms_to_wake
-- Rooms of this node that go on though nobody asks for them, or owe a snapshot without what was
-- deleted.
select h.room_id
from rooms r join room_homes h using (room_id) left join room_redactions d using (room_id)
where ((r.wake_at_ms is not null and r.closed_at is null) or d.room_id is not null)
    and (h.node_id = :node_id or h.node_id is null)
order by r.wake_at_ms;

-- name: forget_listeners
-- After a crash nobody is in the rooms of this node.
update rooms r set listeners = 0
from room_homes h
where h.room_id = r.room_id and h.node_id = :node_id and r.listeners <> 0;

-- name: list_rooms
-- What the list of rooms shows, written lazily for many rooms at once.
update rooms r set
    name = t.name,
    name_key = t.name_key,
    description = t.description,
    wake_at_ms = t.wake_at_ms,
    suspended = t.suspended,
    listeners = t.listeners,
    now_playing = t.now_playing::json
from unnest(
    :room_ids::text[], :names::text[], :name_keys::text[], :descriptions::text[],
    :wake_ats_ms::bigint[], :suspended::boolean[], :listeners::int[], :now_playing::text[]
) as t (
    room_id, name, name_key, description, wake_at_ms, suspended, listeners, now_playing
)
where r.room_id = t.room_id::uuid;
