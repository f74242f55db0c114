// Reactions to the music: what one can react with, and how many came in while this track plays.

import { el } from "../dom.js";
import { attempt } from "../notices.js";

/** As protocol/chat.py lists them, with a word for each: a screen reader's are not always kind. */
export const PALETTE = new Map([
  ["👍", "thumbs up"], ["👎", "thumbs down"], ["❤️", "heart"], ["🔥", "fire"], ["😂", "laughing"],
  ["😮", "astonished"], ["😢", "crying"], ["👏", "clapping"], ["🎉", "party"], ["💃", "dancing"],
]);
const SHOWN_FOR_MS = 1_200;

export function reactionBar(room) {
  const { store, standing } = room;
  const counts = new Map(); // emoji -> how many for the current entry since we look
  const send = (emoji) => attempt(() => room.command({ type: "reaction.send", emoji }), node);
  const buttons = new Map([...PALETTE].map(([emoji, word]) =>
    [emoji, el("button", { "data-emoji": emoji, title: word, onclick: () => send(emoji) })]));
  const node = el("div", { class: "row reactions", id: "reactions", role: "group", "aria-label": "React to the music" },
    ...buttons.values());
  let entryId = null;

  function came({ detail: events }) {
    for (const event of events) {
      if (event.type !== "reactions.counted" || event.entry_id !== store.snapshot.playback.entry?.entry_id) continue;
      for (const [emoji, count] of Object.entries(event.counts)) {
        counts.set(emoji, (counts.get(emoji) ?? 0) + count);
        const button = buttons.get(emoji);
        button?.classList.add("came");
        setTimeout(() => button?.classList.remove("came"), SHOWN_FOR_MS);
      }
    }
    draw();
  }

  function draw() {
    const { entry } = store.snapshot.playback;
    if ((entry?.entry_id ?? null) !== entryId) counts.clear();
    entryId = entry?.entry_id ?? null;
    const mine = standing.may("react");
    node.hidden = !entry || (!mine && !counts.size);
    for (const [emoji, button] of buttons) {
      const count = counts.get(emoji) ?? 0;
      const text = count ? `${emoji} ${count}` : emoji;
      if (button.textContent !== text) button.textContent = text;
      button.setAttribute("aria-label", `${PALETTE.get(emoji)}${count ? `, ${count}` : ""}`);
      button.disabled = !mine;
      button.hidden = !mine && !count;
    }
  }

  store.addEventListener("change", came);
  return { node, draw, close: () => store.removeEventListener("change", came) };
}
