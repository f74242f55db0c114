// The queue: what waits, and what can be done with all of it.

import { el, keyed } from "../dom.js";
import { attempt } from "../notices.js";
import { addPanel } from "./add.js";
import { entryRow, offers } from "./entry.js";
import { playedButton } from "./history.js";

const MODES = {
  open: "in the order of adding",
  djs: "djs choose the music",
  votes: "most votes come first",
  fair: "everybody gets a turn",
};

export function queuePanel(room) {
  const { store, standing } = room;
  const list = el("ol", { id: "queue", "aria-label": "What waits" });
  const nothing = el("p", { class: "quiet" }, "Nothing waits.");
  const mode = el("span", { class: "quiet", id: "queue-mode" });
  const add = addPanel(room);
  const button = (id, label, type) =>
    el("button", { id, onclick: () => attempt(() => room.command({ type }), node) }, label);
  const undo = button("undo", "Undo", "queue.undo");
  const shuffle = button("shuffle", "Shuffle", "queue.shuffle");
  const clear = button("clear", "Clear", "queue.clear");
  const repeat = el("span", { class: "quiet" });

  // The room takes back only the last change: one's own, or anybody's where the role arranges.
  let changedBy = null;

  function heard({ detail }) {
    for (const event of detail) {
      if (!event.type.startsWith("queue.") || event.reason || event.entry?.again) continue;
      changedBy = (event.by ?? event.entry?.added_by)?.user_id ?? changedBy;
    }
    draw();
  }

  function draw() {
    const { queue, room: about } = store.snapshot;
    const { queue_mode: how, repeat: again } = about.settings;
    keyed(list, queue, (entry) => `${entry.entry_id} ${entry.votes} ${room.ballots.has(entry.entry_id)} ${how} ${offers(room, entry)}`,
      (entry) => entryRow(room, entry));
    nothing.hidden = queue.length > 0;
    mode.textContent = MODES[how];
    repeat.textContent = { off: "", one: "· repeating this track", all: "· repeating all" }[again];
    const isMine = changedBy === store.you.person.user_id;
    undo.hidden = !standing.may("arrange") && !(isMine && standing.may("add"));
    clear.hidden = !standing.may("arrange") || !queue.length;
    shuffle.hidden = clear.hidden || how === "votes" || how === "fair" || queue.length < 2;
    add.node.hidden = !standing.mayQueue;
  }

  const node = el("section", { class: "card", "aria-labelledby": "queue-title" },
    el("div", { class: "row" }, el("h2", { id: "queue-title" }, "Queue"), mode, repeat, el("span", { class: "acts" }, undo, shuffle, clear)),
    list, nothing, add.node, el("div", { class: "row" }, playedButton(room)));
  store.addEventListener("change", heard);
  draw();
  return {
    node,
    close() {
      store.removeEventListener("change", heard);
      add.close();
    },
  };
}
