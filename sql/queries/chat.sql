-- part: shown
-- A message as it stands, with the one that it answers.
select m.message_id, m.seq, m.user_id, m.display_name, coalesce(u.kind, 'person') as kind,
    m.content, m.reply_to, m.entry_id, m.position_ms, m.sent_at_ms, m.mentions, m.reactions,
    m.edited_at_ms, m.deleted_at_ms is not null as is_deleted,
    a.user_id as answered_user_id, a.display_name as answered_display_name,
    coalesce(v.kind, 'person') as answered_kind, left(a.content, :quoted::int) as answered_content,
    a.deleted_at_ms is not null as is_answered_deleted
from chat_messages m left join users u using (user_id)
left join chat_messages a on a.message_id = m.reply_to left join users v on v.user_id = a.user_id

-- name: page
-- The history of a room, the newest message first.
-- take: shown
where m.room_id = :room_id
    and (:before_seq::bigint is null or m.seq < :before_seq)
    and (:before_ms::bigint is null or m.sent_at_ms < :before_ms)
order by m.seq desc
limit :most;

-- name: at
-- The message that was said at a seq.
-- take: shown
where m.room_id = :room_id and m.seq = :seq;

-- name: one
-- One message of a room.
-- take: shown
where m.room_id = :room_id and m.message_id = :message_id;
