// One room on the screen: joins it, keeps the player fed, holds the panels.

import { el, name } from "./dom.js";
import { attempt, notice } from "./notices.js";
import { askPassword } from "./panels/account.js";
import { chatPanel } from "./panels/chat.js";
import { playbackPanel } from "./panels/playback.js";
import { presencePanel } from "./panels/presence.js";
import { queuePanel } from "./panels/queue.js";
import { RoomStore } from "./store.js";

const REPORT_EVERY_MS = 5_000;
const WHY = { kicked: "You were asked to leave.", banned: "You may not be in this room.", closed: "The room has been closed.", replaced: "You are in this room in another place now." };

async function join(connection, store) {
  try {
    await connection.join(store);
  } catch (problem) {
    if (problem.code !== "room_password") throw problem;
    const password = await askPassword();
    if (password === null) throw problem;
    await connection.join(store, password);
  }
}

function copyLink() {
  return navigator.clipboard?.writeText(location.href)
    .then(() => notice("The link is copied: send it to whom you want to listen with."))
    ?? notice(location.href);
}

/** Tell the server how far this page is: loaded what is waited for, and how well in tune. */
function report(connection, { store, player, clock }) {
  let toldReady = null;
  const signal = (body) => connection.signal(store.roomId, body);
  const follow = () => {
    const { entry, status } = store.snapshot.playback;
    if (status !== "waiting") toldReady = null;
    else if (entry && toldReady !== entry.entry_id && player.isReady(entry.track.track_id)) {
      toldReady = entry.entry_id;
      signal({ type: "ready", entry_id: entry.entry_id });
    }
  };
  const timer = setInterval(() => {
    if (player.errorMs === null || clock.rttMs === null) return;
    signal({ type: "clock_report", rtt_ms: Math.round(clock.rttMs), error_ms: player.errorMs });
  }, REPORT_EVERY_MS);
  return { follow, stop: () => clearInterval(timer) };
}

/** @returns a function that leaves the room */
export async function enterRoom(view, { roomId, connection, player, clock, me, upgraded, back }) {
  const store = new RoomStore(roomId);
  const command = (cmd) => connection.command(roomId, cmd);
  const room = { store, clock, player, me, command, upgraded };
  await join(connection, store);

  const ending = new AbortController();
  const on = (target, kind, act) => target.addEventListener(kind, act, { signal: ending.signal });
  const telling = report(connection, room);
  const title = el("h1", { class: "grow" });
  const listen = el("button", { class: "main", id: "listen", hidden: true, onclick: () => player.unlock() },
    "Tap to hear the room");
  const follow = () => {
    title.replaceChildren(name(store.snapshot.room.name));
    player.update(store.snapshot);
    telling.follow();
  };
  const mayHear = () => { listen.hidden = player.unlocked; };
  on(store, "change", follow);
  on(player, "ready", telling.follow);
  on(player, "state", mayHear);
  on(player, "error", ({ detail }) => notice(`A track cannot be played here: ${detail.problem.message}`));
  on(clock, "ready", follow);
  on(connection, "refused", ({ detail }) => detail.roomId === roomId && gone(detail.problem.message));
  on(connection, "frame", ({ detail }) => {
    if (detail.type === "left" && detail.room === roomId && WHY[detail.reason]) gone(WHY[detail.reason]);
  });
  // Browsers let a page sound after any act of the person, not only after one on our button.
  for (const kind of ["pointerdown", "keydown"]) on(document, kind, () => player.unlocked || player.unlock());

  const panels = [playbackPanel, queuePanel, presencePanel, chatPanel].map((make) => make(room));
  const [playback, queue, presence, chat] = panels.map((panel) => panel.node);
  view.replaceChildren(
    el("div", { class: "row head" }, title, listen,
      el("button", { onclick: () => attempt(copyLink) }, "Copy link"), el("button", { onclick: back }, "All rooms")),
    el("div", { class: "room" }, el("div", { class: "column" }, playback, queue),
      el("div", { class: "column" }, presence, chat)));
  player.unlock();
  // Known after a moment only: a page that may sound is not shown the button for an instant.
  setTimeout(mayHear, 400);
  follow();

  function leave() {
    ending.abort();
    telling.stop();
    connection.leave(roomId);
    player.silence();
    for (const panel of panels) panel.close();
  }
  function gone(why) {
    notice(why);
    back();
  }
  return leave;
}
