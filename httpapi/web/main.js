// The page: signs in, opens the one connection, and shows either the rooms or a room.

import { ClusterClock } from "./clock.js";
import { Connection } from "./connection.js";
import { el, name } from "./dom.js";
import { attempt, notice } from "./notices.js";
import { askName, signOut, whoAmI } from "./panels/account.js";
import { showRooms } from "./panels/rooms.js";
import { Player } from "./player.js";
import { enterRoom } from "./room.js";

const STATES = {
  connecting: "Connecting …",
  open: "Connected",
  waiting: "Connection lost, trying again …",
  closed: "Disconnected",
};
const view = document.getElementById("view");
const clock = new ClusterClock();
const player = new Player(clock);

/** This page's own random name. A reload restarts the counter of ids, so it takes a new one. */
function clientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const connection = new Connection(`${scheme}://${location.host}/ws`, clock, clientId());
  const status = document.getElementById("connection");
  connection.addEventListener("state", ({ detail }) => {
    status.textContent = STATES[detail];
    status.dataset.state = detail;
  });
  connection.addEventListener("fatal", async ({ detail }) => {
    // The login ended: if another is there already (a new cookie), go on with it.
    if (detail.newCredentials && await whoAmI().catch(() => null)) return connection.open();
    status.append(" ", el("button", { onclick: () => location.reload() }, "Reload"));
    notice("The server ended this connection. Reload the page to come back.");
  });
  connection.open();
  return connection;
}

async function start() {
  const me = (await whoAmI()) ?? (await askName(view));
  const connection = connect();
  const showMe = () => document.getElementById("me").replaceChildren(name(me.display_name),
    // A guest who signs out is gone for good, with all that is theirs.
    me.kind === "guest" ? "" : el("button", { id: "sign-out", onclick: () => attempt(signOut) }, "Sign out"));
  const upgraded = (user) => {
    Object.assign(me, user);
    showMe();
    connection.renew(); // the server knows a connection by the account it was opened with
  };
  showMe();

  let leave = null;
  let turn = 0;
  async function route() {
    const mine = ++turn;
    leave?.();
    leave = null;
    const go = (path) => { history.pushState(null, "", path); attempt(route); };
    const back = () => go("/");
    const roomId = location.pathname.match(/^\/rooms\/([0-9a-f-]{36})$/)?.[1];
    view.replaceChildren(el("p", { class: "quiet" }, "Loading …"));
    if (!roomId) return showRooms(view, (id) => go(`/rooms/${id}`), () => mine === turn);
    try {
      const close = await enterRoom(view, { roomId, connection, player, clock, me, upgraded, back });
      if (mine === turn) leave = close;
      else close();
    } catch (problem) {
      notice(problem.message);
      if (mine === turn) back();
    }
  }
  addEventListener("popstate", () => attempt(route));
  await route();
}

attempt(start);
