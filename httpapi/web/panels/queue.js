// The queue: what waits, and taking it out or forward.

import { clockText, el, keyed, name } from "../dom.js";
import { attempt } from "../notices.js";
import { addPanel } from "./add.js";

export function queuePanel(room) {
  const { store } = room;
  const list = el("ol", { id: "queue" });
  const nothing = el("p", { class: "quiet" }, "Nothing waits.");

  function forward(entryId) {
    const { queue } = store.snapshot;
    const index = queue.findIndex((entry) => entry.entry_id === entryId);
    if (index < 1) return undefined;
    const after = queue[index - 2]?.entry_id ?? null;
    return room.command({ type: "queue.move", entry_id: entryId, after });
  }

  function row({ entry_id: entryId, track, added_by: by }) {
    const { you } = store;
    const button = (label, action) =>
      el("button", { "aria-label": `${label}: ${track.title}`, onclick: () => attempt(action) }, label);
    // Only a hint: what a role may do is the server's to say.
    const offered = by.user_id === you.person.user_id || you.role === "owner" ? [
      button("Up", () => forward(entryId)),
      button("Remove", () => room.command({ type: "queue.remove", entry_id: entryId })),
    ] : [];
    return el("li", { class: "row" },
      el("span", { class: "grow" }, el("span", { class: "block" }, name(track.title)),
        el("span", { class: "quiet" }, track.artist ? name(track.artist) : null, track.artist ? " · " : null, "from ", name(by.display_name))),
      el("span", { class: "quiet" }, clockText(track.duration_ms)), ...offered);
  }

  function draw() {
    const { snapshot, you } = store;
    keyed(list, snapshot.queue, (entry) => `${entry.entry_id} ${you.role}`, row);
    nothing.hidden = snapshot.queue.length > 0;
  }

  store.addEventListener("change", draw);
  draw();
  const node = el("section", { class: "card" }, el("h2", {}, "Queue"), list, nothing, addPanel(room));
  return { node, close: () => store.removeEventListener("change", draw) };
}
