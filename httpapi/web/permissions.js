// Who may do what here: reads the room's own table, as protocol/permissions.py means it.
//
// A hint and nothing more: it decides what the page offers. What is allowed, the server says.

/** Lowest first: who has a grade may do all that the lower ones may. */
export const GRADES = ["guest", "listener", "dj", "moderator", "owner"];
const RANK = new Map(GRADES.map((grade, rank) => [grade, rank]));
const SPEAKING = new Set(["chat", "react", "vote"]); // a mute takes these away

/** A person's standing here; who has no row is a listener, or a guest. */
export function grade(snapshot, person) {
  const role = snapshot.members[person.user_id]?.role ?? "listener";
  if (role !== "listener") return role;
  return person.kind === "guest" ? "guest" : "listener";
}

/** Whether the room's table lets a person do it. A mute is not looked at. */
export function may(snapshot, person, action) {
  return RANK.get(grade(snapshot, person)) >= RANK.get(snapshot.room.settings.permissions[action]);
}

/** Whether a person may queue a track: where djs choose the music, that takes a dj besides. */
export function mayQueue(snapshot, person) {
  const isDj = RANK.get(grade(snapshot, person)) >= RANK.get("dj");
  return may(snapshot, person, "add") && (isDj || snapshot.room.settings.queue_mode !== "djs");
}

/** Whether one person's grade is above another's. */
export const outranks = (snapshot, person, other) =>
  RANK.get(grade(snapshot, person)) > RANK.get(grade(snapshot, other));

/** The roles that a person with this grade can give: those below the own. */
export const givenBy = (mine) =>
  ["listener", "dj", "moderator"].filter((role) => RANK.get(role) < RANK.get(mine));

/** The mute that holds for somebody at an instant, or null. */
export function muteOf(snapshot, userId, nowMs) {
  const mute = snapshot.members[userId]?.mute;
  return mute && (mute.until_ms == null || nowMs < mute.until_ms) ? mute : null;
}

/** What this page's own person may do in the room now. */
export class Standing {
  constructor(store, clock) {
    this.store = store;
    this.clock = clock;
  }

  get person() {
    return this.store.you.person;
  }

  get grade() {
    return grade(this.store.snapshot, this.person);
  }

  get isOwner() {
    return this.store.snapshot.room.owner_id === this.person.user_id;
  }

  get mute() {
    return muteOf(this.store.snapshot, this.person.user_id, this.clock.ready ? this.clock.nowMs() : Date.now());
  }

  /** By the table alone; the place of a muted person's form is kept, with the reason. */
  allows(action) {
    return may(this.store.snapshot, this.person, action);
  }

  /** By the table, and not muted. */
  may(action) {
    return this.allows(action) && !(SPEAKING.has(action) && this.mute);
  }

  /** Whether a track can be queued; one's own entries can be taken out without that. */
  get mayQueue() {
    return mayQueue(this.store.snapshot, this.person);
  }

  /** For one's own things one action, for things of others another. */
  mayWith(owner, own, others) {
    return this.may(owner.user_id === this.person.user_id ? own : others);
  }

  outranks(other) {
    return outranks(this.store.snapshot, this.person, other);
  }
}
