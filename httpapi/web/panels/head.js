// The head of a room: its name and description, its link, and the one button to sound.

import { el, name } from "../dom.js";
import { attempt, notice } from "../notices.js";

const MAY_SOUND_WITHIN_MS = 400; // known after a moment only: the button does not show for an instant

function copyLink() {
  return navigator.clipboard?.writeText(location.href)
    .then(() => notice("The link is copied: send it to whom you want to listen with."))
    ?? notice(location.href);
}

export function headPanel({ store, player }) {
  const title = el("h1");
  const description = el("p", { class: "quiet", id: "description", dir: "auto" });
  const listen = el("button", { class: "main", id: "listen", hidden: true, onclick: () => player.unlock() }, "Tap to hear the room");
  const sounds = () => { listen.hidden = player.unlocked; };
  const timer = setTimeout(sounds, MAY_SOUND_WITHIN_MS);

  function draw() {
    const { room } = store.snapshot;
    if (title.textContent !== room.name) title.replaceChildren(name(room.name));
    if (description.textContent !== room.description) description.textContent = room.description;
    description.hidden = !room.description;
  }
  store.addEventListener("change", draw);
  player.addEventListener("state", sounds);
  draw();
  return {
    nodes: [el("div", { class: "grow" }, title, description), listen, el("button", { onclick: () => attempt(copyLink) }, "Copy link")],
    close() {
      clearTimeout(timer);
      store.removeEventListener("change", draw);
      player.removeEventListener("state", sounds);
    },
  };
}
