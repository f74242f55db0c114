// Saying something: anew, as an answer, or in other words; with names and commands completed.

import { el, name, until } from "../dom.js";
import { mentioned } from "../mentions.js";
import { attempt } from "../notices.js";
import { completion } from "./completion.js";

const WHO = { listener: "people with an account", dj: "DJs and above", moderator: "moderators and the owner", owner: "the owner" };

export function composer(room) {
  const { store, standing } = room;
  const input = el("input", { id: "say", maxlength: 2000, required: true, autocomplete: "off", dir: "auto", placeholder: "Say something", "aria-label": "Message" });
  const button = el("button", {}, "Send");
  const names = completion(input, () => room.people(), () => store.snapshot.slash);
  const form = el("form", { class: "row", id: "composer" }, el("span", { class: "grow complete" }, input, names.node), button);
  const aboutText = el("span", { class: "quiet grow" });
  const about = el("div", { class: "row about", hidden: true }, aboutText,
    el("button", { type: "button", class: "link", id: "compose-cancel", onclick: () => begin({}) }, "Cancel"));
  const why = el("p", { class: "quiet", id: "muted", role: "status", hidden: true });
  const node = el("div", { class: "compose" }, about, form, why);
  let task = {}; // {reply} or {edit}: the message it is about

  function begin(next) {
    if (task.edit && !next.edit) input.value = "";
    task = next;
    const message = task.reply ?? task.edit;
    about.hidden = !message;
    if (!message) return;
    aboutText.replaceChildren(...(task.edit ? ["In other words:"] : ["Answer to ", name(message.by.display_name)]));
    if (task.edit) input.value = message.content;
    input.focus();
  }

  const command = (content) => {
    const mentions = mentioned(content, room.people());
    if (task.edit) return { type: "chat.edit", message_id: task.edit.message_id, content, mentions };
    return { type: "chat.send", content, mentions, ...(task.reply ? { reply_to: task.reply.message_id } : {}) };
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const content = input.value;
    const before = task;
    const cmd = command(content);
    begin({});
    input.value = "";
    names.close();
    const sent = await attempt(() => room.command(cmd), node);
    if (!sent && !input.value) { // a refusal never loses what was typed
      begin(before);
      input.value = content;
    }
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && (task.edit || task.reply)) begin({});
  });

  function draw() {
    const { mute } = standing;
    const takes = store.snapshot.room.settings.permissions.chat;
    const allowed = standing.allows("chat");
    form.hidden = !allowed;
    input.disabled = button.disabled = Boolean(mute);
    input.placeholder = mute ? "You are muted" : "Say something";
    const text = !allowed ? `Here only ${WHO[takes]} may write.`
      : mute ? `You are muted in this room. ${mute.until_ms ? `It ends ${until(mute.until_ms)}.` : ""} ${mute.reason ? `Reason: ${mute.reason}` : ""}`
        : "";
    if (why.textContent !== text) why.textContent = text;
    why.hidden = !text;
    if (mute || !allowed) begin({});
  }

  return { node, draw, reply: (message) => begin({ reply: message }), edit: (message) => begin({ edit: message }) };
}
