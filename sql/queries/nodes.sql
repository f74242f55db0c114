-- name: last_beat
-- When a node was last heard of, before this start.
select (extract(epoch from n.beaten_at) * 1000)::float8 + c.step_ms as beaten_at_ms
from nodes n cross join cluster_clock c
where n.node_id = :node_id;

-- name: enrol
-- A process begins: its incarnation is one higher than any before under this name.
insert into nodes (node_id, kind, incarnation, addr)
values (:node_id, :kind, 1, :addr)
on conflict (node_id) do update set
    incarnation = nodes.incarnation + 1, kind = excluded.kind, addr = excluded.addr,
    draining = false, bus_ok = true, beaten_at = clock_timestamp(), beat = nodes.beat + 1
returning incarnation;

-- name: beat
-- Say that this process lives. No row: another process has taken its name.
update nodes set beat = beat + 1, beaten_at = clock_timestamp()
where node_id = :node_id and incarnation = :incarnation
returning beat;

-- name: beats
-- Everybody's beat, to see who stopped.
select node_id, incarnation, beat from nodes where kind = 'node';

-- name: cluster_time
-- The database's clock in ms since 1970, and the step that makes it cluster time.
select (extract(epoch from clock_timestamp()) * 1000)::float8 as database_ms, step_ms
from cluster_clock;

-- name: correct_clock
-- Take a jump of the database's clock out of cluster time, once for all nodes.
update cluster_clock set step_ms = :step_ms where step_ms = :seen_step_ms;
