// The page: signs in, opens the one connection, and shows either the rooms or a room.

import { ClusterClock } from "./clock.js";
import { Connection } from "./connection.js";
import { name } from "./dom.js";
import { attempt, notice } from "./notices.js";
import { askName, whoAmI } from "./panels/account.js";
import { showRooms } from "./panels/rooms.js";
import { Player } from "./player.js";
import { enterRoom } from "./room.js";

const STATES = { connecting: "connecting …", open: "", waiting: "connection lost, trying again …", closed: "disconnected" };
const view = document.getElementById("view");
const clock = new ClusterClock();
const player = new Player(clock);
let leave = null;

/** This page's own random name. A reload restarts the counter of ids, so it takes a new one. */
function clientId() {
  return crypto.getRandomValues(new Uint8Array(12)).reduce((text, byte) => text + byte.toString(16).padStart(2, "0"), "");
}

async function start() {
  const me = (await whoAmI()) ?? (await askName(view));
  const upgraded = (user) => {
    Object.assign(me, user);
    document.getElementById("me").replaceChildren(name(me.display_name));
  };
  upgraded(me);
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const connection = new Connection(`${scheme}://${location.host}/ws`, clock, clientId());
  const status = document.getElementById("connection");
  connection.addEventListener("state", ({ detail }) => {
    status.textContent = STATES[detail];
    status.dataset.state = detail;
  });
  connection.addEventListener("fatal", ({ detail }) => notice(`The server ended the connection (${detail}). Reload the page.`));
  connection.open();

  const route = () => attempt(async () => {
    leave?.();
    leave = null;
    const roomId = location.pathname.match(/^\/rooms\/([0-9a-f-]{36})$/)?.[1];
    const go = (path) => { history.pushState(null, "", path); route(); };
    if (!roomId) return showRooms(view, (id) => go(`/rooms/${id}`));
    const back = () => go("/");
    try {
      leave = await enterRoom(view, { roomId, connection, player, clock, me, upgraded, back });
    } catch (problem) {
      notice(problem.message);
      back();
    }
  });
  addEventListener("popstate", route);
  await route();
}

attempt(start);
