// Votes: for an entry that waits, and for skipping what plays.

import { el } from "../dom.js";
import { attempt } from "../notices.js";

/** Give the vote, or take it back; a refusal is told at `where`. */
async function turn(room, type, entryId, where) {
  const given = room.ballots.has(entryId);
  const act = { type: given ? "votes.retract" : type, entry_id: entryId };
  if (await attempt(() => room.command(act), where)) {
    room.ballots.note(entryId, !given);
    room.store.dispatchEvent(new CustomEvent("change", { detail: [] }));
  }
}

/** What a row of the queue shows of the votes for it, in the mode `votes`; else nothing. */
export function entryVotes(room, { entry_id: entryId, votes, track }, where) {
  if (room.store.snapshot.room.settings.queue_mode !== "votes") return null;
  if (!room.standing.may("vote")) return el("span", { class: "quiet votes" }, `▲ ${votes}`);
  const given = room.ballots.has(entryId);
  return el("button", {
    id: `vote-${entryId}`, class: "votes", "aria-pressed": String(given),
    "aria-label": `${given ? "Take back your vote for" : "Vote for"} ${track.title}, ${votes} now`,
    onclick: () => turn(room, "votes.cast", entryId, where()),
  }, `▲ ${votes}`);
}

/** Next at once for who may skip; for others a vote, with how many there are of how many needed. */
export function skipButton(room, where) {
  const { store, standing, ballots } = room;
  const next = el("button", { id: "next" }, "Next");
  const vote = el("button", { id: "vote-skip" });
  const count = el("span", { class: "quiet", id: "skip-votes", role: "status" });
  const current = () => store.snapshot.playback.entry?.entry_id;
  next.onclick = () => attempt(() => room.command({ type: "playback.next", entry_id: current() }), where());
  vote.onclick = () => turn(room, "votes.skip", current(), where());

  function draw() {
    const entryId = current();
    const { skip } = store.snapshot.playback;
    next.hidden = !standing.may("skip");
    vote.hidden = !next.hidden || !standing.may("vote");
    next.disabled = vote.disabled = !entryId;
    const given = Boolean(entryId) && ballots.has(entryId);
    vote.textContent = given ? "Take back my vote to skip" : "Vote to skip";
    vote.setAttribute("aria-pressed", String(given));
    const text = skip?.votes ? `${skip.votes} of ${skip.needed} votes to skip` : "";
    if (count.textContent !== text) count.textContent = text;
  }
  return { nodes: [next, vote, count], draw };
}
