// What happened in the room with people and its rules, in a sentence for those who are here.

const ROLES = { moderator: "a moderator", dj: "a DJ", listener: "a listener" };
const because = (reason) => (reason ? ` Reason: ${reason}` : "");
const nameOf = (snapshot, userId) => snapshot.members[userId]?.person.display_name
  ?? snapshot.bans[userId]?.person.display_name ?? "Somebody";

const TELL = {
  "room.updated": ({ by }) => `${by.display_name} changed the room.`,
  "member.role_changed": ({ person, role, by }) => `${by.display_name} made ${person.display_name} ${ROLES[role]}.`,
  "owner.changed": ({ owner }) => `The room is ${owner.display_name}'s now.`,
  "member.kicked": ({ person, by, reason }) => `${by.display_name} put ${person.display_name} out.${because(reason)}`,
  "member.muted": ({ person, by, reason }) => `${by.display_name} muted ${person.display_name}.${because(reason)}`,
  "member.unmuted": ({ by }, who) => `${by.display_name} let ${who} speak again.`,
  "member.banned": ({ person, by, reason }) => `${by.display_name} banned ${person.display_name}.${because(reason)}`,
  "member.unbanned": ({ by }, who) => `${by.display_name} let ${who} come back.`,
  "queue.cleared": ({ by }) => `${by.display_name} cleared the queue.`,
  "queue.restored": ({ by }) => `${by.display_name} took a change of the queue back.`,
  "playback.started": ({ missing = [] }) => (missing.length
    ? `${missing.length === 1 ? "One listener was" : `${missing.length} listeners were`} still loading and will come in at the right place.` : null),
  "playback.ended": ({ reason }) => (reason === "voted" ? "Skipped by vote." : null),
};

/** A sentence about an event that was done to `who`, or null for what shows by itself. */
export const sentence = (event, who) => TELL[event.type]?.(event, who) ?? null;

/** The same for an event that is about to be folded; the snapshot has the people as they were. */
export const tell = (event, snapshot) => sentence(event, event.user_id && nameOf(snapshot, event.user_id));
