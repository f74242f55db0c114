// Adding to the queue: a track of this server, or a file of one's own.

import { get, upload } from "../api.js";
import { clockText, el } from "../dom.js";
import { attempt, notice } from "../notices.js";
import { askAccount } from "./account.js";

const label = (track) =>
  `${track.title}${track.artist ? ` — ${track.artist}` : ""} (${clockText(track.duration_ms)})`;

export function addPanel(room) {
  const tracks = el("select", { id: "tracks", "aria-label": "Tracks on this server" });
  const add = el("button", { id: "add" }, "Add to queue");
  const progress = el("progress", { id: "progress", max: 1, value: 0, "aria-label": "Upload" });
  const percent = el("span", { class: "quiet", id: "percent", role: "status" });
  const bar = el("div", { class: "row", hidden: true }, el("span", { class: "grow" }, progress), percent);
  const file = el("input", { type: "file", id: "file", accept: "audio/*,.flac,.opus,.webm,.m4a,.ogg" });

  const queue = (trackId) => attempt(() => room.command({ type: "queue.add", track_id: trackId }));
  add.onclick = () => tracks.value && queue(tracks.value);

  async function refresh() {
    const { items } = await get("/tracks?limit=100");
    tracks.replaceChildren(...items.map((track) => el("option", { value: track.track_id }, label(track))));
    if (!items.length) tracks.replaceChildren(el("option", { value: "" }, "No music here yet"));
    tracks.disabled = add.disabled = !items.length;
  }

  function show(share) {
    progress.value = share;
    // All of it has arrived: what remains is the server opening it.
    percent.textContent = share < 1 ? `${Math.floor(share * 100)} %` : "checking …";
  }

  file.onchange = () => attempt(async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    if (room.me.kind === "guest") {
      const account = await askAccount("Uploading needs an account, so that your music stays yours.");
      if (account) room.upgraded(account);
    }
    if (room.me.kind === "guest") {
      file.value = "";
      return;
    }
    show(0);
    bar.hidden = false;
    file.disabled = true;
    try {
      const track = await upload(chosen, show);
      notice(`Uploaded: ${track.title}`);
      await queue(track.track_id);
      await refresh();
      tracks.value = track.track_id;
    } finally {
      bar.hidden = true;
      file.disabled = false;
      file.value = "";
    }
  });

  attempt(refresh);
  return el("div", { class: "add" },
    el("div", { class: "row" }, el("span", { class: "grow" }, tracks), add),
    el("label", {}, "Upload music", file), bar);
}
