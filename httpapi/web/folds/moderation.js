// What kicks, mutes and bans do to a snapshot; twin of the folds in protocol/moderation.py.

import { keep, putOut } from "./members.js";

const over = (ban, nowMs) => ban.until_ms != null && nowMs >= ban.until_ms;

export const MODERATION = {
  "member.kicked"(snapshot, event) {
    putOut(snapshot, event.person.user_id);
  },
  "member.muted"(snapshot, { person, joined_at_ms = null, until_ms = null, reason = "" }) {
    const before = snapshot.members[person.user_id] ?? { person, role: "listener", joined_at_ms };
    keep(snapshot, { ...before, mute: { until_ms, reason } });
  },
  "member.unmuted"(snapshot, event) {
    const before = snapshot.members[event.user_id];
    if (before) keep(snapshot, { ...before, mute: null });
  },
  "member.banned"(snapshot, { person, until_ms = null, reason = "", by, at_ms, by_address = false }) {
    for (const [userId, ban] of Object.entries(snapshot.bans)) if (over(ban, at_ms)) delete snapshot.bans[userId];
    snapshot.bans[person.user_id] = { person, until_ms, reason, by, at_ms, by_address };
    putOut(snapshot, person.user_id);
  },
  "member.unbanned"(snapshot, event) {
    delete snapshot.bans[event.user_id];
  },
};
