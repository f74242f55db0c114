// Chat.

import { clockText, el, name } from "../dom.js";
import { attempt } from "../notices.js";

export function chatPanel(room) {
  const { store } = room;
  const list = el("ul", { class: "chat", id: "chat", "aria-live": "polite" });
  const input = el("input", { id: "say", maxlength: 2000, required: true, autocomplete: "off", "aria-label": "Message" });
  const form = el("form", { class: "row" }, el("span", { class: "grow" }, input), el("button", {}, "Send"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const content = input.value;
    input.value = "";
    const sent = await attempt(() => room.command({ type: "chat.send", content }));
    if (!sent && !input.value) input.value = content; // a refusal never loses what was typed
  });

  function draw() {
    list.replaceChildren(...store.snapshot.chat.map((message) => el("li", {},
      el("strong", {}, name(message.by.display_name)),
      message.position_ms == null ? null : el("span", { class: "quiet" }, ` ${clockText(message.position_ms)}`),
      el("br"), name(message.content))));
    list.scrollTop = list.scrollHeight;
  }

  store.addEventListener("change", draw);
  draw();
  const node = el("section", { class: "card" }, el("h2", {}, "Chat"), list, form);
  return { node, close: () => store.removeEventListener("change", draw) };
}
