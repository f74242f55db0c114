// The queue, the tracks that can be added, and the upload.

import { get, upload } from "../api.js";
import { clockText, el, name } from "../dom.js";
import { attempt, notice } from "../notices.js";
import { askAccount } from "./account.js";

export function queuePanel(room) {
  const { store } = room;
  const list = el("ol", { id: "queue" });
  const tracks = el("select", { id: "tracks", "aria-label": "Tracks on this server" });
  const progress = el("progress", { max: 1, value: 0, hidden: true, "aria-label": "Upload" });
  const file = el("input", { type: "file", id: "file", accept: "audio/*,.flac,.opus,.webm", "aria-label": "Upload music" });

  const add = (trackId) => attempt(() => room.command({ type: "queue.add", track_id: trackId }));

  async function refresh() {
    const { items } = await get("/tracks?limit=100");
    tracks.replaceChildren(...items.map((track) =>
      el("option", { value: track.track_id }, `${track.title} — ${track.artist} (${clockText(track.duration_ms)})`)));
  }

  file.onchange = () => attempt(async () => {
    const [chosen] = file.files;
    file.value = "";
    if (!chosen) return;
    if (room.me.kind === "guest") {
      const account = await askAccount("Uploading needs an account, so that your music stays yours.");
      if (!account) return;
      room.upgraded(account);
    }
    progress.hidden = false;
    try {
      const track = await upload(chosen, (share) => { progress.value = share; });
      notice(`Uploaded: ${track.title}`);
      await refresh();
      tracks.value = track.track_id;
      await add(track.track_id);
    } finally {
      progress.hidden = true;
    }
  });

  function draw() {
    const { snapshot, you } = store;
    const mine = (entry) => entry.added_by.user_id === you.person.user_id || you.role === "owner";
    list.replaceChildren(...snapshot.queue.map((entry, index) => el("li", { class: "row" },
      el("span", { class: "grow" }, name(entry.track.title), " ",
        el("span", { class: "quiet" }, name(entry.track.artist), " · ", name(entry.added_by.display_name))),
      el("span", { class: "quiet" }, clockText(entry.track.duration_ms)),
      mine(entry) && index > 0 ? button("Up", () => room.command({
        type: "queue.move", entry_id: entry.entry_id, after: snapshot.queue[index - 2]?.entry_id ?? null })) : null,
      mine(entry) ? button("Remove", () => room.command({ type: "queue.remove", entry_id: entry.entry_id })) : null)));
    if (!snapshot.queue.length) list.replaceChildren(el("li", { class: "quiet" }, "Nothing waits."));
  }

  const button = (label, action) => el("button", { onclick: () => attempt(action) }, label);
  store.addEventListener("change", draw);
  draw();
  attempt(refresh);
  const node = el("section", { class: "card" }, el("h2", {}, "Queue"), list,
    el("div", { class: "row" }, el("span", { class: "grow" }, tracks),
      el("button", { id: "add", onclick: () => tracks.value && add(tracks.value) }, "Add to queue")),
    el("label", {}, "Upload music", file), progress);
  return { node, close: () => store.removeEventListener("change", draw) };
}
