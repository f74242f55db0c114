// What events about members do to a snapshot; twin of the folds in protocol/members.py.

/** Write the row down, if it is one that a snapshot tells of: all but plain listeners. */
export function keep(snapshot, member) {
  const userId = member.person.user_id;
  if (member.role !== "listener" || member.mute) snapshot.members[userId] = member;
  else delete snapshot.members[userId];
}

/** The durable place is gone, and what a bot offered; a mute stays. */
export function putOut(snapshot, userId) {
  const before = snapshot.members[userId];
  if (before) keep(snapshot, { ...before, role: "listener", joined_at_ms: null });
  delete snapshot.slash?.[userId];
}

export const MEMBERS = {
  "member.added"(snapshot, { member }) {
    const before = snapshot.members[member.person.user_id];
    keep(snapshot, { ...member, mute: before ? before.mute : member.mute });
  },
  "member.removed"(snapshot, event) {
    putOut(snapshot, event.user_id);
  },
  "member.role_changed"(snapshot, { person, role, joined_at_ms }) {
    keep(snapshot, { person, role, joined_at_ms, mute: snapshot.members[person.user_id]?.mute ?? null });
  },
};
