-- name: commit_batch
-- The one statement that makes events durable: for each room compare and set (fence, last_seq),
-- then write what that allows. A room whose row does not match writes nothing and is not returned.
with batch as (
    select room_id::uuid, fence, from_seq, to_seq
    from unnest(:room_ids::text[], :fences::bigint[], :from_seqs::bigint[], :to_seqs::bigint[])
        as t (room_id, fence, from_seq, to_seq)
), locked as (
    -- In one order for everybody, so that two homes that hold the same rooms cannot deadlock.
    select h.room_id
    from room_homes h join batch b using (room_id)
    where h.fence = b.fence and h.last_seq = b.from_seq
    order by h.room_id
    for update of h
), home as (
    update room_homes h set last_seq = b.to_seq
    from batch b join locked using (room_id)
    where h.room_id = b.room_id and h.fence = b.fence and h.last_seq = b.from_seq
    returning h.room_id
), commands as (
    insert into room_commands (room_id, user_id, cmd_id, first_seq, last_seq, at_ms)
    select home.room_id, t.user_id::uuid, t.cmd_id, t.first_seq, t.last_seq, t.at_ms
    from unnest(
        :command_rooms::text[], :command_users::text[], :command_ids::text[],
        :command_first_seqs::bigint[], :command_last_seqs::bigint[], :command_ats_ms::bigint[]
    ) as t (room_id, user_id, cmd_id, first_seq, last_seq, at_ms)
    join home on home.room_id = t.room_id::uuid
), events as (
    insert into room_events (room_id, seq, at_ms, public, private)
    select home.room_id, t.seq, t.at_ms, t.public::json, t.private::json
    from unnest(
        :event_rooms::text[], :event_seqs::bigint[], :event_ats_ms::bigint[],
        :event_publics::text[], :event_privates::text[]
    ) as t (room_id, seq, at_ms, public, private)
    join home on home.room_id = t.room_id::uuid
), chat as (
    insert into chat_messages (
        message_id, room_id, seq, user_id, display_name, content, reply_to, entry_id, position_ms,
        sent_at_ms
    )
    select t.message_id::uuid, home.room_id, t.seq, t.user_id::uuid, t.display_name, t.content,
        t.reply_to::uuid, t.entry_id::uuid, t.position_ms, t.sent_at_ms
    from unnest(
        :chat_rooms::text[], :chat_ids::text[], :chat_seqs::bigint[], :chat_users::text[],
        :chat_names::text[], :chat_contents::text[], :chat_replies::text[], :chat_entries::text[],
        :chat_positions_ms::float8[], :chat_ats_ms::bigint[]
    ) as t (
        room_id, message_id, seq, user_id, display_name, content, reply_to, entry_id, position_ms,
        sent_at_ms
    )
    join home on home.room_id = t.room_id::uuid
    on conflict (message_id) do nothing
), members as (
    insert into room_members as m (room_id, user_id, role, joined_at_ms, left_at_ms)
    select home.room_id, t.user_id::uuid, t.role, t.joined_at_ms, t.left_at_ms
    from unnest(
        :member_rooms::text[], :member_users::text[], :member_roles::text[],
        :member_joined_ats_ms::bigint[], :member_left_ats_ms::bigint[]
    ) as t (room_id, user_id, role, joined_at_ms, left_at_ms)
    join home on home.room_id = t.room_id::uuid
    on conflict (room_id, user_id) do update set
        -- A row that says that somebody left knows nothing of the role and the joining.
        role = case when excluded.left_at_ms is null then excluded.role else m.role end,
        joined_at_ms = case
            when excluded.left_at_ms is null then excluded.joined_at_ms else m.joined_at_ms
        end,
        left_at_ms = excluded.left_at_ms
), started as (
    insert into plays (
        play_id, room_id, track_id, added_by, started_at_ms, ended_at_ms, heard_ms
    )
    select t.play_id::uuid, home.room_id, t.track_id::uuid, t.added_by::uuid, t.started_at_ms,
        t.ended_at_ms, t.heard_ms
    from unnest(
        :play_rooms::text[], :play_ids::text[], :play_tracks::text[], :play_added_by::text[],
        :play_started_ats_ms::bigint[], :play_ended_ats_ms::bigint[], :play_heards_ms::bigint[]
    ) as t (room_id, play_id, track_id, added_by, started_at_ms, ended_at_ms, heard_ms)
    join home on home.room_id = t.room_id::uuid
    -- The same entry starts again after a pause or a seek: it is still one play.
    on conflict (play_id) do update set
        ended_at_ms = excluded.ended_at_ms, heard_ms = excluded.heard_ms
), ended as (
    update plays p set ended_at_ms = t.ended_at_ms, heard_ms = t.heard_ms
    from unnest(
        :end_rooms::text[], :end_ids::text[], :end_ats_ms::bigint[], :end_heards_ms::bigint[]
    ) as t (room_id, play_id, ended_at_ms, heard_ms)
    join home on home.room_id = t.room_id::uuid
    where p.play_id = t.play_id::uuid
), waking as (
    -- Only where a room begins or ceases to need waking: the rest is written lazily.
    update rooms r set wake_at_ms = t.wake_at_ms, suspended = t.suspended
    from unnest(
        :waking_rooms::text[], :waking_ats_ms::bigint[], :waking_suspended::boolean[]
    ) as t (room_id, wake_at_ms, suspended)
    join home on home.room_id = t.room_id::uuid
    where r.room_id = home.room_id
)
select room_id from home;

-- name: find_commands
-- The answers to commands that were carried out before, and for each asker the highest number used.
select a.user_id, a.cmd_id, c.first_seq, c.last_seq, h.highest
from (
    select u::uuid as user_id, i as cmd_id
    from unnest(:user_ids::text[], :cmd_ids::text[]) as t (u, i)
) a
left join room_commands c
    on c.room_id = :room_id and c.user_id = a.user_id and c.cmd_id = a.cmd_id
cross join lateral (
    select coalesce(max(split_part(o.cmd_id, ':', 2)::bigint), 0) as highest
    from room_commands o
    where o.room_id = :room_id and o.user_id = a.user_id
        and split_part(o.cmd_id, ':', 1) = split_part(a.cmd_id, ':', 1)
) h;

-- name: events_between
-- The log of a room after `after_seq` up to and with `to_seq`.
select seq, public, private
from room_events
where room_id = :room_id and seq > :after_seq and seq <= :to_seq
order by seq;
