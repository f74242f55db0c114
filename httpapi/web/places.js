// Which place of the page is shown, by its address; and the room that goes on meanwhile.

import { el, name } from "./dom.js";
import { words } from "./notices.js";
import { showAccount } from "./panels/account.js";
import { showHistory } from "./panels/history.js";
import { showRooms } from "./panels/rooms.js";
import { showTracks } from "./panels/tracks.js";
import { enterRoom } from "./room.js";

const PLACES = [
  ["/", "Rooms", showRooms],
  ["/tracks", "My tracks", showTracks],
  ["/history", "History", showHistory],
  ["/account", "Account", showAccount],
];
const ROOM = /^\/rooms\/([0-9a-f-]{36})$/;

export class Places {
  #view = document.getElementById("view");
  #links = document.getElementById("places");
  #staying = document.getElementById("staying");
  #room = null; // the room that this page is in, whatever is shown
  #entering = new Map(); // room id -> the promise of a room whose door is opening
  #place = null;
  #turn = 0;

  /** @param page what the places share; they find this one as `page.places` */
  constructor(page) {
    this.page = page;
    page.places = this;
    this.#links.replaceChildren(...PLACES.map(([path, title]) => el("a", { href: path }, title)));
    addEventListener("popstate", () => this.show());
    document.addEventListener("click", (event) => {
      const path = event.target.closest?.("a")?.getAttribute("href");
      const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
      if (!plain || !(ROOM.test(path) || PLACES.some(([known]) => known === path))) return;
      event.preventDefault();
      this.go(path);
    });
  }

  /** The room that this page is in, or null. */
  get room() {
    return this.#room;
  }

  go(path) {
    history.pushState(null, "", path);
    return this.show({ focus: true });
  }

  /** Leave the room, and go to the list of rooms. */
  leave() {
    this.#leave();
    return this.go("/");
  }

  #leave() {
    this.#room?.leave();
    this.#room = null;
  }

  /** The room let us go: it does not go on any more, what it says stays where it is. */
  over(room) {
    if (this.#room === room) this.#room = null;
    this.#drawStaying();
  }

  /** Show what the address says. */
  async show({ focus = false } = {}) {
    const mine = ++this.#turn;
    const path = location.pathname;
    this.#place?.close?.();
    this.#place = null;
    for (const link of this.#links.children) {
      if (link.getAttribute("href") === path) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const roomId = path.match(ROOM)?.[1];
    if (!roomId || roomId !== this.#room?.roomId) this.#view.replaceChildren(el("p", { class: "quiet" }, "Loading …"));
    try {
      const place = roomId ? await this.#enter(roomId) : await this.#open(path);
      if (mine !== this.#turn) return place.close?.();
      this.#place = place;
      this.#view.replaceChildren(place.node);
      document.title = place.title ? `${place.title} · Unisono` : "Unisono";
      place.shown?.();
      if (focus) this.#focus();
    } catch (problem) {
      if (mine === this.#turn) this.#failed(problem);
    }
    this.#drawStaying();
    return undefined;
  }

  #open(path) {
    const [, title, show] = PLACES.find(([known]) => known === path) ?? PLACES[0];
    return Promise.resolve(show(this.page)).then((shown) => ({ title: path === "/" ? "" : title, ...shown }));
  }

  async #enter(roomId) {
    if (this.#room?.roomId === roomId) return this.#room;
    this.#leave();
    // Who goes there and back while the door opens comes in once.
    if (!this.#entering.has(roomId)) {
      this.#entering.set(roomId, enterRoom(this.page, roomId).finally(() => this.#entering.delete(roomId)));
    }
    const room = await this.#entering.get(roomId);
    if (room.isOver) return room;
    if (location.pathname === `/rooms/${roomId}`) this.#room = room;
    else room.leave(); // somewhere else is wanted by now
    return room;
  }

  #failed(problem) {
    this.#view.replaceChildren(el("section", { class: "card small", id: "trouble" }, el("h1", { tabindex: -1 }, "That did not work"),
      el("p", { role: "alert" }, words(problem)),
      el("div", { class: "row" }, el("button", { class: "main", onclick: () => this.show() }, "Try again"), el("a", { href: "/" }, "All rooms"))));
    this.#focus();
  }

  /** To who came here by a click, a screen reader says where this is. */
  #focus() {
    const title = this.#view.querySelector("h1");
    title?.setAttribute("tabindex", "-1");
    title?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  /** Elsewhere on the page, a line says which room goes on. */
  #drawStaying() {
    const room = this.#room;
    if (!room || location.pathname === `/rooms/${room.roomId}`) return this.#staying.replaceChildren();
    return this.#staying.replaceChildren(
      el("span", { class: "grow" }, "You are in ", name(room.store.snapshot.room.name), "; the music goes on."),
      el("a", { href: `/rooms/${room.roomId}` }, "Back to the room"),
      el("button", { id: "leave-staying", onclick: () => { this.#leave(); this.#drawStaying(); } }, "Leave"));
  }
}
