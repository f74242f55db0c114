// What chat does to a snapshot; twin of the folds in protocol/chat.py.

export const CHAT_IN_SNAPSHOT = 50;

/** What was said, as a message. */
const messageOf = ({ message_id, by, content, mentions = [], reply_to = null, entry_id = null, position_ms = null, at_ms }) =>
  ({ message_id, by, content, mentions, reply_to, entry_id, position_ms, at_ms, edited_at_ms: null, deleted: false, reactions: {} });

/** A changed message is a new object: who draws it can tell. */
function change({ chat }, messageId, changed) {
  const index = chat.findLastIndex((message) => message.message_id === messageId);
  if (index >= 0) chat[index] = { ...chat[index], ...changed(chat[index]) };
}

export const CHAT = {
  "chat.sent"({ chat }, event) {
    chat.push(messageOf(event));
    if (chat.length > CHAT_IN_SNAPSHOT) chat.shift();
  },
  "chat.edited"(snapshot, { message_id, content, mentions = [], at_ms }) {
    change(snapshot, message_id, () => ({ content, mentions, edited_at_ms: at_ms }));
  },
  "chat.deleted"(snapshot, event) {
    change(snapshot, event.message_id, () => ({ content: "", mentions: [], reactions: {}, deleted: true }));
  },
  "chat.reacted"(snapshot, { message_id, emoji, count }) {
    change(snapshot, message_id, (message) => {
      const reactions = { ...message.reactions, [emoji]: count };
      if (count === 0) delete reactions[emoji];
      return { reactions };
    });
  },
};
