// What a change of the owner does to a snapshot; twin of the fold in protocol/owner.py.

import { keep } from "./members.js";

export const OWNER = {
  "owner.changed"(snapshot, { owner, joined_at_ms, before: beforeId, reason }) {
    snapshot.room = { ...snapshot.room, owner_id: owner.user_id };
    const before = snapshot.members[beforeId];
    if (before) keep(snapshot, { ...before, role: reason === "account_deleted" ? "listener" : "moderator" });
    if (reason === "account_deleted") delete snapshot.slash?.[beforeId];
    keep(snapshot, { person: owner, role: "owner", joined_at_ms, mute: null });
  },
};
