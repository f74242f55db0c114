// Build elements. Text always becomes a text node, so nothing a person typed is ever markup.

/** el("button", {class: "x", onclick: f}, "text", child, …) */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

/** A name of a person or thing, isolated so that its direction does not disturb the line. */
export const name = (text) => el("bdi", {}, text);

/** 83000 -> "1:23" */
export function clockText(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** An instant to come as people say it: "at 14:05", or with the day if it is another. */
export function until(atMs) {
  const at = new Date(atMs);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (at.toDateString() === new Date().toDateString()) return `at ${time}`;
  return `on ${at.toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" })} at ${time}`;
}

/** An instant that was, as people say it: "today at 14:05", else with the day. Takes RFC 3339 or ms. */
export function when(instant) {
  const at = new Date(instant);
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday ? `today at ${at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`
    : at.toLocaleString([], { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
}

/** The list of what can be chosen: option(["a", "A"], …), with one of them chosen. */
export const select = (attributes, options, chosen) => el("select", attributes,
  ...options.map(([value, label]) => el("option", { value, selected: value === chosen }, label)));

/**
 * Do what changes the page; the focus stays where it was, also if that was built anew (with the
 * same id), or goes to what its `data-instead` names.
 */
export function keepFocus(change) {
  const before = document.activeElement;
  change();
  if (document.activeElement === before) return;
  if (before.isConnected) before.focus({ preventScroll: true });
  else if (before.id) {
    const { id, dataset: { instead = "" } } = before;
    (document.getElementById(id) ?? document.getElementById(instead))?.focus({ preventScroll: true });
  }
}

/**
 * Make the children of `list` those of `items`, in order. What is there already stays the same
 * element: the focus is not lost, and nothing is read out twice.
 */
export function keyed(list, items, keyOf, make) {
  const kept = new Map([...list.children].map((node) => [node.dataset.key, node]));
  const nodes = items.map((item) => {
    const key = keyOf(item);
    const node = kept.get(key) ?? make(item);
    node.dataset.key = key;
    return node;
  });
  const wanted = new Set(nodes);
  keepFocus(() => {
    for (const node of [...list.children]) if (!wanted.has(node)) node.remove();
    nodes.forEach((node, index) => {
      if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
    });
  });
}
