// One room on the screen: joins it, keeps the player fed, holds the panels.

import { el, name } from "./dom.js";
import { attempt, notice } from "./notices.js";
import { chatPanel } from "./panels/chat.js";
import { playbackPanel } from "./panels/playback.js";
import { presencePanel } from "./panels/presence.js";
import { queuePanel } from "./panels/queue.js";
import { RoomStore } from "./store.js";

/** @returns a function that leaves the room */
export async function enterRoom(view, { roomId, connection, player, clock, me, upgraded, back }) {
  const store = new RoomStore(roomId);
  const ending = new AbortController();
  const command = (cmd) => connection.command(roomId, cmd);
  const room = { store, clock, player, me, command, upgraded };
  await connection.join(store);

  let toldReady = null;
  const follow = () => {
    player.update(store.snapshot);
    const { entry, status } = store.snapshot.playback;
    if (entry && status === "waiting" && toldReady !== entry.entry_id && player.isReady(entry.track.track_id)) {
      toldReady = entry.entry_id;
      connection.signal(roomId, { type: "ready", entry_id: entry.entry_id });
    }
  };
  store.addEventListener("change", follow);
  player.addEventListener("ready", follow, { signal: ending.signal });
  clock.addEventListener("ready", follow, { signal: ending.signal });
  player.addEventListener("error", ({ detail }) => notice(`A track cannot be played here (${detail.problem.message}).`),
    { signal: ending.signal });
  connection.addEventListener("frame", ({ detail }) => {
    if (detail.type === "left" && detail.room === roomId) {
      notice(`You are no longer in this room (${detail.reason}).`);
      back();
    }
  }, { signal: ending.signal });

  const panels = [playbackPanel, queuePanel, presencePanel, chatPanel].map((make) => make(room));
  const [playback, queue, presence, chat] = panels.map((panel) => panel.node);
  const listen = el("button", { class: "main", id: "listen" }, "Tap to hear the room");
  listen.onclick = () => attempt(async () => { await player.unlock(); follow(); listen.hidden = player.unlocked; });
  view.replaceChildren(
    el("div", { class: "row" }, el("h1", { class: "grow" }, name(store.snapshot.room.name)),
      listen, el("button", { onclick: back }, "All rooms")),
    el("div", { class: "room" }, el("div", { class: "column" }, playback, queue),
      el("div", { class: "column" }, presence, chat)));
  await attempt(() => player.unlock());
  listen.hidden = player.unlocked;
  follow();

  return () => {
    ending.abort();
    connection.leave(roomId);
    player.silence();
    for (const panel of panels) panel.close();
  };
}
