// Liking a track: the heart.

import { el } from "../dom.js";
import { attempt } from "../notices.js";

/** A button that is pressed while its track is among the favourites. */
export function heart({ favorites }, track, id = null) {
  const button = el("button", { type: "button", class: "heart", "data-act": "like", id });
  function draw() {
    const liked = favorites.has(track.track_id);
    button.textContent = liked ? "♥" : "♡";
    button.setAttribute("aria-pressed", String(liked));
    button.setAttribute("aria-label", `Favourite: ${track.title}`);
  }
  button.onclick = async () => {
    await attempt(() => favorites.set(track.track_id, !favorites.has(track.track_id)), button.closest("li, section"));
    draw();
  };
  draw();
  return button;
}
