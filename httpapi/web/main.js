// The page: signs in, opens the one connection, and shows the place that the address names.

import { ClusterClock } from "./clock.js";
import { Connection } from "./connection.js";
import { el, name } from "./dom.js";
import { Favorites } from "./favorites.js";
import { attempt } from "./notices.js";
import { Places } from "./places.js";
import { askAccount, comeIn, signOut, whoAmI } from "./panels/entrance.js";
import { Player } from "./player.js";
import { showStatus } from "./status.js";
import { Uploads } from "./uploads.js";

/** This page's own random name. A reload restarts the counter of ids, so it takes a new one. */
function clientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function connect(clock) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const connection = new Connection(`${scheme}://${location.host}/ws`, clock, clientId());
  showStatus(document.getElementById("connection"), connection, () => attempt(signOut));
  return connection;
}

/** What all places of the page share. */
function makePage(me) {
  const clock = new ClusterClock();
  const page = { me, clock, player: new Player(clock), connection: connect(clock), uploads: new Uploads(), favorites: new Favorites() };
  const showMe = () => document.getElementById("me").replaceChildren(name(me.display_name),
    me.kind === "guest"
      ? el("button", { id: "keep", onclick: () => page.needAccount("Your rooms, your music and your name stay yours.") }, "Keep this account")
      : el("button", { id: "sign-out", onclick: () => attempt(signOut) }, "Sign out"));
  /** The account changed: a new name, or a guest no longer. */
  page.changed = (user) => {
    Object.assign(me, user);
    showMe();
    page.connection.renew(); // the server knows a connection by the account it was opened with
  };
  /** True if this person has an account; a guest is asked to make one, with a reason. */
  page.needAccount = async (why) => {
    if (me.kind !== "guest") return true;
    const account = await askAccount(why);
    if (account) page.changed(account);
    return account !== null;
  };
  page.connection.addEventListener("fatal", async ({ detail }) => {
    // This login ended. Another tab may have signed in anew: as the same person this one goes on.
    const user = detail.newCredentials && await whoAmI().catch(() => null);
    if (!user) return;
    if (user.user_id !== me.user_id) location.reload();
    Object.assign(me, user);
    showMe();
    page.connection.open();
  });
  page.connection.open();
  showMe();
  return page;
}

async function start(view) {
  try {
    const page = makePage((await whoAmI()) ?? (await comeIn(view)));
    await new Places(page).show();
  } catch (problem) {
    view.replaceChildren(el("section", { class: "card small", id: "trouble" }, el("h1", {}, "Unisono cannot start"),
      el("p", { role: "alert" }, problem.message),
      el("button", { class: "main", onclick: () => location.reload() }, "Try again")));
  }
}

start(document.getElementById("view"));
