// A list of the server, read page by page: what `next_cursor` of httpapi/lists.py is for.

import { get } from "./api.js";
import { el, keepFocus } from "./dom.js";
import { attempt } from "./notices.js";

const ITEMS_A_PAGE = 50;
const RESTS_MS = 300;

/**
 * @param {object} attributes of the list
 * @param {{path: () => string, row: (item: object) => Node, empty: string}} what `path` is asked
 *   anew at each refresh
 * @returns {{node: Node, isShort: boolean, refresh: () => Promise<void>}} `refresh` begins again at
 *   the first page; `isShort` while no other page was asked for
 */
export function pagedList(attributes, { path, row, empty }) {
  const list = el("ul", attributes);
  const nothing = el("p", { class: "quiet", hidden: true }, empty);
  const more = el("button", { type: "button", class: "more", hidden: true, onclick: () => attempt(() => page(false), node) }, "More");
  const node = el("div", { class: "paged", tabindex: -1 }, list, nothing, more);
  let asked = "";
  let cursor = null;
  let turn = 0;
  let isShort = true;

  async function page(isFirst) {
    const mine = ++turn;
    if (isFirst) asked = path();
    const from = isFirst ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await get(`${asked}${asked.includes("?") ? "&" : "?"}limit=${ITEMS_A_PAGE}${from}`);
    if (mine !== turn) return; // something else was asked for meanwhile, or the same again
    const rows = answer.items.map(row);
    const wasHere = node.contains(document.activeElement);
    if (isFirst) keepFocus(() => list.replaceChildren(...rows));
    else list.append(...rows);
    isShort = isFirst;
    cursor = answer.next_cursor;
    more.hidden = !cursor;
    nothing.hidden = list.children.length > 0;
    // What had the focus is gone, or it was "More": go on with what came.
    if (wasHere && (!isFirst || !node.contains(document.activeElement))) (rows[0]?.querySelector("button, a") ?? node).focus();
  }
  return { node, get isShort() { return isShort; }, refresh: () => page(true) };
}

/** A button that opens such a list in a dialog, read anew each time. */
export function listDialog(id, title, what) {
  const heading = `${id}-title`;
  const list = pagedList({ id: `${id}-list`, "aria-labelledby": heading }, what);
  const dialog = el("dialog", { "aria-labelledby": heading }, el("h2", { id: heading }, title), list.node,
    el("div", { class: "row" }, el("button", { type: "button", class: "main", autofocus: true, onclick: () => dialog.close() }, "Close")));
  dialog.addEventListener("close", () => dialog.remove());
  const open = () => {
    document.body.append(dialog);
    dialog.showModal();
    return attempt(list.refresh, dialog);
  };
  return el("button", { type: "button", id, onclick: open }, title);
}

/** Call `act` when typing has rested for a moment. */
export function rested(act) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, RESTS_MS);
  };
}
