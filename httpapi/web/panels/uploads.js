// Uploading: choosing files, and how far each of them is.

import { el, keyed, name } from "../dom.js";
import { words } from "../notices.js";

const ACCEPTED = "audio/*,.flac,.opus,.webm,.m4a,.ogg";
const percent = (share) => `${Math.floor(share * 100)} %`;

/** What a state means, in words. */
const STATES = {
  queued: () => "waiting for its turn",
  sending: ({ share }) => `sending, ${percent(share)}`,
  checking: () => "checking …",
  analysing: ({ share }) => `can be played; being analysed, ${percent(share)}`,
  done: () => "ready",
  failed: ({ problem }) => words(problem),
};

/** A failure that another try may not meet again: the line, or the server at that moment. */
const mayPass = ({ state, problem }) => state === "failed" && (problem.status === 0 || problem.status >= 500);

function row(uploads, item) {
  const { state } = item;
  const title = el("span", { class: "block" }, name(item.name));
  const told = el("span", { class: state === "failed" ? "bad" : "quiet", role: state === "failed" ? "alert" : null, dir: "auto" });
  const bar = el("progress", { max: 1, "aria-label": `Upload of ${item.name}`, hidden: state === "failed" || state === "done" });
  const act = (id, label, run, sign = label) => el("button", {
    type: "button", class: "sign", id: `${id}-${item.key}`, title: label, "aria-label": `${label}: ${item.name}`, "data-instead": "file", onclick: run,
  }, sign);
  const node = el("li", { class: "upload", "data-state": state },
    el("div", { class: "row" }, el("span", { class: "grow" }, title, told),
      mayPass(item) ? act("again", "Try again", () => uploads.again(item)) : null,
      act("drop", state === "queued" || state === "sending" ? "Stop" : "Dismiss", () => uploads.drop(item), "✕")),
    bar);
  node.draw = () => {
    const text = STATES[item.state](item);
    if (told.textContent !== text) told.textContent = text;
    if (item.state === "queued" || item.state === "checking") bar.removeAttribute("value");
    else bar.value = item.share;
  };
  return node;
}

/**
 * A field for files, with what became of them; `until` names the state from which on it is not told
 * here any more.
 * @param {(track: object) => void} then is called with each track that has arrived from here
 */
export function uploadPanel({ uploads, needAccount }, then, until = null) {
  const file = el("input", { type: "file", id: "file", accept: ACCEPTED, multiple: true });
  const list = el("ul", { id: "uploads", "aria-label": "Uploads" });

  async function send(files) {
    const mine = await needAccount("Uploading needs an account, so that your music stays yours.");
    if (mine) uploads.add(files, then);
  }
  file.onchange = () => {
    const files = [...file.files];
    file.value = "";
    if (files.length) send(files);
  };

  function draw() {
    const shown = uploads.items.filter(({ state }) => state !== until);
    list.hidden = !shown.length;
    keyed(list, shown, ({ key, state }) => `${key} ${state}`, (item) => row(uploads, item));
    for (const each of list.children) each.draw();
  }
  const node = el("div", { class: "column uploads" }, el("label", {}, "Upload music", file), list);
  node.addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
  node.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) send([...event.dataTransfer.files]);
  });
  uploads.addEventListener("change", draw);
  draw();
  return { node, close: () => uploads.removeEventListener("change", draw) };
}
