// The audit of a room: what was done to whom and by whom, for those who moderate it.

import { el, when } from "../dom.js";
import { listDialog } from "../lists.js";
import { sentence } from "../news.js";

const words = (event, who) => (event.type === "chat.deleted"
  ? `${event.by.display_name} deleted a message of ${who}.` : sentence(event, who) ?? event.type);
const row = ({ event, at, person }) => el("li", {},
  el("span", { class: "block", dir: "auto" }, words(event, person?.display_name ?? "somebody")),
  el("span", { class: "quiet" }, when(at)));

/** A button that lists it, for whom it is offered. */
export function auditButton(room) {
  const { store, standing } = room;
  const button = listDialog("audit", "Moderation log", {
    path: () => `/rooms/${store.roomId}/audit`,
    row,
    empty: "Nothing was done here yet.",
  });
  const draw = () => { button.hidden = !standing.may("moderate"); };
  store.addEventListener("change", draw);
  draw();
  return { nodes: [button], close: () => store.removeEventListener("change", draw) };
}
