// The table of permissions: which grade each action takes. Only the owner sees it.

import { el, select } from "../dom.js";
import { GRADES } from "../permissions.js";

const GRADE_WORDS = { guest: "Everybody", listener: "People with an account", dj: "DJs", moderator: "Moderators", owner: "Owner" };
const ACTION_WORDS = {
  chat: "Write in the chat",
  react: "React",
  vote: "Vote",
  add: "Add tracks",
  place: "Place own entries",
  arrange: "Arrange everybody's entries, clear, shuffle",
  control: "Play, pause, seek",
  skip: "Skip at once",
  moderate: "Delete messages, kick, mute",
  ban: "Ban",
  set_role: "Give roles",
  update: "Change the settings",
};
const GRADE_OPTIONS = GRADES.map((grade) => [grade, GRADE_WORDS[grade]]);
const KEY = "permission-";

/** One row an action; an action of a later server shows under its own name. */
export const permissionTable = (permissions) => el("fieldset", {}, el("legend", {}, "Who may … (and everybody above)"),
  el("div", { class: "table" }, ...Object.entries(permissions).map(([action, grade]) =>
    el("label", {}, ACTION_WORDS[action] ?? action, select({ name: KEY + action }, GRADE_OPTIONS, grade)))));

/** What the form says: action -> grade. */
export const readTable = (typed) => Object.fromEntries(Object.entries(typed)
  .filter(([key]) => key.startsWith(KEY)).map(([key, grade]) => [key.slice(KEY.length), grade]));
