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
  for (const node of [...list.children]) if (!wanted.has(node)) node.remove();
  nodes.forEach((node, index) => {
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
}
