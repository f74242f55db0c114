-- part: log
-- For each room compare and set (fence, last_seq), then write what that allows: commands, events
-- and new messages. A room whose row does not match writes nothing and is not in `home`.
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
        sent_at_ms, mentions, reactions, edited_at_ms, deleted_at_ms
    )
    select t.message_id::uuid, home.room_id, t.seq, t.user_id::uuid, t.display_name, t.content,
        t.reply_to::uuid, t.entry_id::uuid, t.position_ms, t.sent_at_ms, t.mentions::jsonb,
        t.reactions::jsonb, t.edited_at_ms, t.deleted_at_ms
    from unnest(
        :chat_rooms::text[], :chat_ids::text[], :chat_seqs::bigint[], :chat_users::text[],
        :chat_names::text[], :chat_contents::text[], :chat_replies::text[], :chat_entries::text[],
        :chat_positions_ms::float8[], :chat_ats_ms::bigint[], :chat_mentions::text[],
        :chat_reactions::text[], :chat_edited_ats_ms::bigint[], :chat_deleted_ats_ms::bigint[]
    ) as t (
        room_id, message_id, seq, user_id, display_name, content, reply_to, entry_id, position_ms,
        sent_at_ms, mentions, reactions, edited_at_ms, deleted_at_ms
    )
    join home on home.room_id = t.room_id::uuid
    on conflict (message_id) do nothing
)

-- name: commit_log
-- What most batches are. Each further table makes the statement slower, though it gets no row: with
-- all of them it takes the database three times as long.
-- take: log
select room_id from home;

-- part: projections
, chat_changes as (
    -- Null: that stays as it is. A deleted message keeps nothing.
    update chat_messages m set
        content = coalesce(t.content, m.content),
        mentions = coalesce(t.mentions::jsonb, m.mentions),
        reactions = case
            when t.deleted_at_ms is not null then '{}'
            else m.reactions || t.reactions::jsonb
        end,
        edited_at_ms = coalesce(t.edited_at_ms, m.edited_at_ms),
        deleted_at_ms = coalesce(t.deleted_at_ms, m.deleted_at_ms)
    from unnest(
        :change_rooms::text[], :change_ids::text[], :change_contents::text[],
        :change_mentions::text[], :change_reactions::text[], :change_edited_ats_ms::bigint[],
        :change_deleted_ats_ms::bigint[]
    ) as t (room_id, message_id, content, mentions, reactions, edited_at_ms, deleted_at_ms)
    join home on home.room_id = t.room_id::uuid
    where m.message_id = t.message_id::uuid and m.room_id = home.room_id
), members as (
    insert into room_members (room_id, user_id, role, joined_at_ms, left_at_ms)
    select home.room_id, t.user_id::uuid, t.role, t.joined_at_ms, t.left_at_ms
    from unnest(
        :member_rooms::text[], :member_users::text[], :member_roles::text[],
        :member_joined_ats_ms::bigint[], :member_left_ats_ms::bigint[]
    ) as t (room_id, user_id, role, joined_at_ms, left_at_ms)
    join home on home.room_id = t.room_id::uuid
    on conflict (room_id, user_id) do update set
        role = excluded.role, joined_at_ms = excluded.joined_at_ms,
        left_at_ms = excluded.left_at_ms
), member_changes as (
    update room_members m set role = coalesce(t.role, m.role), left_at_ms = t.left_at_ms
    from unnest(
        :moved_rooms::text[], :moved_users::text[], :moved_roles::text[],
        :moved_left_ats_ms::bigint[]
    ) as t (room_id, user_id, role, left_at_ms)
    join home on home.room_id = t.room_id::uuid
    where m.room_id = home.room_id and m.user_id = t.user_id::uuid
), mutes as (
    insert into room_mutes (
        room_id, user_id, by_user_id, reason, muted_at_ms, until_ms, lifted_at_ms
    )
    select home.room_id, t.user_id::uuid, t.by_user_id::uuid, t.reason, t.at_ms, t.until_ms,
        t.lifted_at_ms
    from unnest(
        :mute_rooms::text[], :mute_users::text[], :mute_bys::text[], :mute_reasons::text[],
        :mute_ats_ms::bigint[], :mute_untils_ms::bigint[], :mute_lifted_ats_ms::bigint[]
    ) as t (room_id, user_id, by_user_id, reason, at_ms, until_ms, lifted_at_ms)
    join home on home.room_id = t.room_id::uuid
    on conflict (room_id, user_id) do update set
        by_user_id = excluded.by_user_id, reason = excluded.reason,
        muted_at_ms = excluded.muted_at_ms, until_ms = excluded.until_ms,
        lifted_at_ms = excluded.lifted_at_ms
), bans as (
    insert into room_bans (
        room_id, user_id, by_user_id, reason, banned_at_ms, until_ms, lifted_at_ms
    )
    select home.room_id, t.user_id::uuid, t.by_user_id::uuid, t.reason, t.at_ms, t.until_ms,
        t.lifted_at_ms
    from unnest(
        :ban_rooms::text[], :ban_users::text[], :ban_bys::text[], :ban_reasons::text[],
        :ban_ats_ms::bigint[], :ban_untils_ms::bigint[], :ban_lifted_ats_ms::bigint[]
    ) as t (room_id, user_id, by_user_id, reason, at_ms, until_ms, lifted_at_ms)
    join home on home.room_id = t.room_id::uuid
    on conflict (room_id, user_id) do update set
        by_user_id = excluded.by_user_id, reason = excluded.reason,
        banned_at_ms = excluded.banned_at_ms, until_ms = excluded.until_ms,
        lifted_at_ms = excluded.lifted_at_ms
), unmutes as (
    update room_mutes m set lifted_at_ms = t.lifted_at_ms
    from unnest(
        :unmute_rooms::text[], :unmute_users::text[], :unmute_ats_ms::bigint[]
    ) as t (room_id, user_id, lifted_at_ms)
    join home on home.room_id = t.room_id::uuid
    where m.room_id = home.room_id and m.user_id = t.user_id::uuid
), unbans as (
    update room_bans b set lifted_at_ms = t.lifted_at_ms
    from unnest(
        :unban_rooms::text[], :unban_users::text[], :unban_ats_ms::bigint[]
    ) as t (room_id, user_id, lifted_at_ms)
    join home on home.room_id = t.room_id::uuid
    where b.room_id = home.room_id and b.user_id = t.user_id::uuid
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
), audit as (
    insert into room_audit (room_id, seq, at_ms, by_user_id, user_id, event)
    select home.room_id, t.seq, t.at_ms, t.by_user_id::uuid,
        coalesce(t.user_id::uuid, m.user_id), t.event::json
    from unnest(
        :audit_rooms::text[], :audit_seqs::bigint[], :audit_ats_ms::bigint[], :audit_bys::text[],
        :audit_users::text[], :audit_messages::text[], :audit_events::text[]
    ) as t (room_id, seq, at_ms, by_user_id, user_id, message_id, event)
    join home on home.room_id = t.room_id::uuid
    left join chat_messages m on m.message_id = t.message_id::uuid
    -- Who takes back what oneself said is no moderator's work.
    where t.message_id is null
        or coalesce(t.user_id::uuid, m.user_id) is distinct from t.by_user_id::uuid
), rooms_changed as (
    -- Who may look into a room, and where it begins or ceases to need waking: the rest is only shown,
    -- and written lazily. Null: that stays as it is.
    update rooms r set
        visibility = coalesce(t.visibility, r.visibility),
        owner_id = coalesce(t.owner_id::uuid, r.owner_id),
        closed_at = case when t.closed then coalesce(r.closed_at, now()) else r.closed_at end,
        wake_at_ms = case when t.wakes then t.wake_at_ms else r.wake_at_ms end,
        suspended = coalesce(t.suspended, r.suspended)
    from unnest(
        :changed_rooms::text[], :visibilities::text[], :owners::text[], :closed::boolean[],
        :wakings::boolean[], :wake_ats_ms::bigint[], :suspended::boolean[]
    ) as t (room_id, visibility, owner_id, closed, wakes, wake_at_ms, suspended)
    join home on home.room_id = t.room_id::uuid
    where r.room_id = home.room_id
)

-- name: commit_batch
-- The one statement that makes events durable, with all that people query about rooms.
-- take: log
-- take: projections
select room_id from home;

-- name: commit_reworded
-- The same where messages were edited or deleted. What was said and deleted goes from the log.
-- take: log
-- take: projections
, edits as (
    insert into chat_edits (message_id, seq)
    select t.message_id::uuid, t.seq
    from unnest(:edit_rooms::text[], :edit_ids::text[], :edit_seqs::bigint[])
        as t (room_id, message_id, seq)
    join home on home.room_id = t.room_id::uuid
), gone as (
    select home.room_id, t.message_id::uuid as message_id
    from unnest(:gone_rooms::text[], :gone_ids::text[]) as t (room_id, message_id)
    join home on home.room_id = t.room_id::uuid
), gone_edits as (
    delete from chat_edits e using gone where e.message_id = gone.message_id
    returning gone.room_id, e.seq
), words as (
    select gone.room_id, m.seq
    from gone join chat_messages m using (room_id, message_id)
    union all
    select room_id, seq from gone_edits
), wordless as (
    update room_events e set public = (
        select json_object_agg(
            t.key, case t.key when 'content' then to_json(''::text) else t.value end order by t.place
        ) filter (where t.key <> 'mentions')
        from json_each(e.public) with ordinality as t (key, value, place)
    )
    from words
    where e.room_id = words.room_id and e.seq = words.seq
), stale as (
    insert into room_redactions (room_id, seq)
    select room_id, max(batch.to_seq)
    from gone join batch using (room_id)
    group by room_id
    on conflict (room_id) do update set seq = excluded.seq
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
