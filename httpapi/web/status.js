// How the connection is, in words, with the button that helps.

import { el } from "./dom.js";

const SHOWN_FOR_MS = 4_000;
const TICK_MS = 500;

/** What is said while it is tried again, by the code of the close; else that it was lost. */
const LOST = {
  1001: "The server is going away for a moment",
  1011: "Something went wrong on the server",
  1012: "The server is restarting",
  4008: "This connection was too slow to keep up",
  4408: "This connection was too slow to begin",
  4429: "Too many messages were sent from here",
};
/** What is said when it is over, by the code of the close. */
const ENDED = {
  4401: "You were signed out, here or from another place.",
  4403: "This account has been blocked on this server.",
  4409: "This page goes on in a newer connection.",
};
const BROKEN = "This page and the server do not understand each other; the server may have been updated.";

const button = (id, text, act) => el("button", { type: "button", id, onclick: act }, text);

/** @param {() => void} signOut offered to whose account is blocked: another one may come in */
export function showStatus(node, connection, signOut) {
  const text = el("span");
  // Seconds that run down are for the eye: read out, each would interrupt.
  const when = el("span", { "aria-hidden": "true" });
  const help = el("span");
  node.replaceChildren(text, when, help);
  let now = { state: connection.state };
  let hadBeenLost = false;
  let timer = 0;

  function say(kind, words, ...buttons) {
    node.dataset.state = kind;
    if (text.textContent !== words) text.textContent = words;
    help.replaceChildren(...buttons);
    when.textContent = "";
  }

  function count() {
    const leftS = Math.ceil((now.againAtMs - performance.now()) / 1_000);
    when.textContent = leftS > 0 ? `in ${leftS} s` : "";
  }

  function draw() {
    clearInterval(timer);
    const { state, code } = now;
    if (state === "closed") {
      say("closed", ENDED[code] ?? BROKEN, code === 4403 ? button("status-out", "Sign out", signOut)
        : button("status-reload", { 4401: "Sign in again", 4409: "Use it here" }[code] ?? "Reload", () => location.reload()));
    } else if (state === "open") {
      say("open", "Connected"); // whatever the browser thinks of the network
    } else if (!navigator.onLine) {
      say("offline", "You are offline. What is loaded plays on.", button("status-now", "Try now", () => connection.hurry()));
    } else if (state === "waiting") {
      say("waiting", `${LOST[code] ?? "Connection lost"}, trying again …`, button("status-now", "Try now", () => connection.hurry()));
      count();
      timer = setInterval(count, TICK_MS);
    } else if (state === "moving") {
      say("moving", "The server is about to restart; the connection moves on.");
    } else {
      say("connecting", hadBeenLost ? "Connecting again …" : "Connecting …");
    }
  }

  connection.addEventListener("state", ({ detail }) => {
    if (now.state === "open" && detail.state !== "open") hadBeenLost = true;
    now = detail;
    draw();
  });
  connection.addEventListener("frame", ({ detail: { type, resumed } }) => {
    if (type !== "joined") return;
    if (hadBeenLost) say("open", resumed ? "Connected again, nothing was missed." : "Connected again.");
    else say("open", "Connected, in the room.");
    hadBeenLost = false;
    setTimeout(draw, SHOWN_FOR_MS);
  });
  addEventListener("online", draw);
  addEventListener("offline", draw);
  draw();
}
