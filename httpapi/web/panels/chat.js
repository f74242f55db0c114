// Chat.

import { clockText, el, keyed, name } from "../dom.js";
import { attempt } from "../notices.js";

const AT_THE_END_PX = 40;

export function chatPanel(room) {
  const { store } = room;
  const list = el("ul", { class: "chat", id: "chat", role: "log", "aria-label": "Messages", tabindex: 0 });
  const input = el("input", { id: "say", maxlength: 2000, required: true, autocomplete: "off", dir: "auto", placeholder: "Say something", "aria-label": "Message" });
  const form = el("form", { class: "row" }, el("span", { class: "grow" }, input), el("button", {}, "Send"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const content = input.value;
    input.value = "";
    const sent = await attempt(() => room.command({ type: "chat.send", content }));
    if (!sent && !input.value) input.value = content; // a refusal never loses what was typed
  });

  const line = (message) => el("li", {},
    el("strong", {}, name(message.by.display_name)),
    message.position_ms == null ? null : el("span", { class: "quiet" }, ` at ${clockText(message.position_ms)}`),
    el("div", { dir: "auto" }, message.content));

  function draw() {
    const atTheEnd = list.scrollHeight - list.scrollTop - list.clientHeight < AT_THE_END_PX;
    keyed(list, store.snapshot.chat, (message) => message.message_id, line);
    if (atTheEnd) list.scrollTop = list.scrollHeight;
  }

  store.addEventListener("change", draw);
  draw();
  const node = el("section", { class: "card" }, el("h2", {}, "Chat"), list, form);
  return { node, close: () => store.removeEventListener("change", draw) };
}
