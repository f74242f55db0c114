// The settings of a room: what it says about itself, how its queue works, who may do what.

import { get, send } from "../api.js";
import { ask } from "../dialog.js";
import { el, select } from "../dom.js";
import { attempt } from "../notices.js";
import { permissionTable, readTable } from "./permissions.js";

export const VISIBILITIES = [["public", "Everybody finds it"], ["unlisted", "Who has the link"], ["private", "Members only"]];
const MODES = [
  ["open", "Open: in the order of adding"], ["djs", "DJs: only DJs and above add"],
  ["votes", "Votes: the entry with most votes first"], ["fair", "Fair: who was heard least comes first"],
];
const DUPLICATES = [["allow", "may be queued again"], ["refuse", "may not be queued again"]];
const REPEATS = [["off", "Off"], ["one", "This track"], ["all", "All"]];

const text = (label, attributes) => el("label", {}, label, el("input", { autocomplete: "off", dir: "auto", ...attributes }));
const number = (label, attributes) => el("label", {}, label, el("input", { type: "number", inputmode: "numeric", ...attributes }));
const choice = (label, key, options, chosen) => el("label", {}, label, select({ name: key }, options, chosen));

/** Only what differs from how it is. */
function changes(before, after) {
  return Object.fromEntries(Object.entries(after).filter(([key, value]) => value !== before[key]));
}

function readSettings(typed) {
  return {
    queue_mode: typed.queue_mode,
    queue_limit: Number(typed.queue_limit),
    entries_per_person: typed.entries_per_person ? Number(typed.entries_per_person) : null,
    duplicates: typed.duplicates,
    repeat: typed.repeat,
    skip_share: Number(typed.skip_percent) / 100,
    always_on: typed.always_on === "on",
  };
}

/** A new password, or none any more; the room does not tell the one that it has. */
const passwordFields = (hasPassword) => [
  text(hasPassword ? "New password (empty: it stays as it is)" : "Password (empty: none)",
    { name: "password", type: "password", maxlength: 1024 }),
  hasPassword ? el("label", { class: "row" }, el("input", { type: "checkbox", name: "unlocked" }), "No password any more") : null,
];

/** Ask for everything at once, send one command with what was changed; a password goes its own way. */
async function change(room) {
  const { room: about } = room.store.snapshot;
  const { settings } = about;
  const owner = room.standing.isOwner;
  const path = `/rooms/${about.room_id}`;
  const password = owner ? passwordFields((await get(path)).has_password) : [];
  const description = el("textarea", { name: "description", maxlength: 1000, rows: 3, dir: "auto" });
  description.value = about.description;
  return ask({
    id: "settings-form",
    title: "Settings of the room",
    fields: [
      text("Name", { name: "name", required: true, maxlength: 80, value: about.name }),
      el("label", {}, "Description", description),
      owner ? choice("Who finds the room", "visibility", VISIBILITIES, about.visibility) : null,
      ...password,
      choice("How the queue works", "queue_mode", MODES, settings.queue_mode),
      number("Entries that may wait", { name: "queue_limit", min: 1, max: 500, required: true, value: settings.queue_limit }),
      number("Entries of one person (empty: no limit)", { name: "entries_per_person", min: 1, max: 500, value: settings.entries_per_person }),
      choice("A track that waits or plays", "duplicates", DUPLICATES, settings.duplicates),
      choice("Repeat", "repeat", REPEATS, settings.repeat),
      number("A skip vote passes with so many of those here, in %", { name: "skip_percent", min: 5, max: 100, required: true, value: Math.round(settings.skip_share * 100) }),
      el("label", { class: "row" }, el("input", { type: "checkbox", name: "always_on", checked: settings.always_on }), "Play on with nobody here"),
      owner ? permissionTable(settings.permissions) : null,
    ].filter(Boolean),
    label: "Save",
    cancel: "Cancel",
    async act(typed) {
      const said = changes(about, { name: typed.name, description: typed.description, ...(owner ? { visibility: typed.visibility } : {}) });
      const tuned = changes({ ...settings, skip_share: Math.round(settings.skip_share * 100) / 100 }, readSettings(typed));
      const table = owner ? changes(settings.permissions, readTable(typed)) : {};
      if (Object.keys(table).length) tuned.permissions = table;
      if (Object.keys(tuned).length) said.settings = tuned;
      if (Object.keys(said).length) await room.command({ type: "room.update", ...said });
      if (typed.unlocked || typed.password) await send("PATCH", path, { password: typed.unlocked ? null : typed.password });
    },
  });
}

const close = (room) => ask({
  id: "close-form",
  title: `Close ${room.store.snapshot.room.name} for good?`,
  why: "The music ends for everybody, and nobody can come in again.",
  fields: [], label: "Close the room", cancel: "Keep it open",
  act: () => room.command({ type: "room.close" }),
});

/** The two buttons in the head of a room, for who may. */
export function settingsButtons(room) {
  const { store, standing } = room;
  const settings = el("button", { id: "settings", onclick: () => attempt(() => change(room)) }, "Settings");
  const closing = el("button", { id: "close-room", onclick: () => attempt(() => close(room)) }, "Close room");
  function draw() {
    settings.hidden = !standing.may("update");
    closing.hidden = !standing.isOwner;
  }
  store.addEventListener("change", draw);
  draw();
  return { nodes: [settings, closing], close: () => store.removeEventListener("change", draw) };
}
