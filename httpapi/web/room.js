// One room on the screen: joins it, keeps the player fed, holds the panels.

import { send } from "./api.js";
import { Awake } from "./awake.js";
import { Ballots } from "./ballots.js";
import { el } from "./dom.js";
import { watchEnds } from "./ends.js";
import { farewell, farewellTitle } from "./farewell.js";
import { entryDurationMs, positionAt } from "./fold.js";
import { tell } from "./news.js";
import { notice } from "./notices.js";
import { muteOf, Standing } from "./permissions.js";
import { auditButton } from "./panels/audit.js";
import { chatPanel } from "./panels/chat.js";
import { askPassword } from "./panels/entrance.js";
import { headPanel } from "./panels/head.js";
import { playbackPanel } from "./panels/playback.js";
import { presencePanel } from "./panels/presence.js";
import { queuePanel } from "./panels/queue.js";
import { settingsButtons } from "./panels/settings.js";
import { report } from "./report.js";
import { RoomStore } from "./store.js";

const NEWS_WITHIN_MS = 15_000; // what happened while we were away is not told one by one
const REFUSALS = { banned: "banned", room_closed: "closed" };

/** A password is checked over REST: who knows it gets a place, and the socket's door is open. */
async function join(connection, store) {
  const enter = async (password) => {
    await send("POST", `/rooms/${store.roomId}/join`, { password });
    await connection.join(store);
  };
  try {
    await connection.join(store);
  } catch (problem) {
    if (problem.code !== "room_password") throw problem;
    if (!await askPassword(enter)) throw problem;
  }
}

/** What the panels share. */
function shared(roomId, page) {
  const { connection, player, clock } = page;
  const store = new RoomStore(roomId);
  const nowMs = () => (clock.ready ? clock.nowMs() : Date.now());
  return {
    store, clock, player, page,
    standing: new Standing(store, clock),
    ballots: new Ballots(store),
    command: (cmd) => connection.command(roomId, cmd),
    /** Let the room click for so long, and this page too. */
    clicks(forMs) {
      connection.signal(roomId, { type: "clicks", for_ms: forMs });
      player.click(forMs);
    },
    mutedNow: (userId) => muteOf(store.snapshot, userId, nowMs()) !== null,
    /** Everybody whose name this page knows: they can be mentioned. */
    people() {
      const { members, chat } = store.snapshot;
      const known = [...chat.map(({ by }) => by), ...Object.values(members).map(({ person }) => person), ...store.present.values()];
      return [...new Map(known.map((person) => [person.user_id, person])).values()];
    },
  };
}

/** The screen of one room: `node` is shown or not while the room goes on. */
class RoomPlace {
  node = el("div");
  isOver = false;
  #page;
  #room;
  #panels = [];
  #ending = new AbortController();
  #lastWord = null; // what was said when this person was put out
  #current; // the entry that plays

  constructor(page, room) {
    this.#page = page;
    this.#room = room;
    this.store = room.store;
    this.roomId = room.store.roomId;
    this.standing = room.standing;
    this.command = room.command;
  }

  get title() {
    return this.store.snapshot?.room.name;
  }

  /** On the screen, perhaps again. */
  shown() {
    for (const panel of this.#panels) panel.shown?.();
  }

  leave() {
    this.#page.connection.leave(this.roomId);
    this.#end();
  }

  async enter() {
    try {
      await join(this.#page.connection, this.store);
    } catch (problem) {
      const reason = REFUSALS[problem.code];
      if (!reason) throw problem;
      this.#farewell({ reason, why: problem.details.reason, untilMs: problem.details.until_ms });
      return;
    }
    this.#listen();
    this.#draw();
  }

  /** Hear what happens in the room, and tell the player and the server. */
  #listen() {
    const { connection, player, clock } = this.#page;
    const { store } = this;
    const { signal } = this.#ending;
    const on = (target, kind, act) => target.addEventListener(kind, act, { signal });
    const telling = report(connection, this.#room);
    const unwatch = watchEnds(store, clock);
    const awake = new Awake();
    signal.addEventListener("abort", () => { telling.stop(); unwatch(); awake.end(); });
    const follow = () => {
      const { entry } = store.snapshot.playback;
      if (this.#current !== entry?.entry_id) this.#room.ballots.began(entry?.entry_id);
      this.#current = entry?.entry_id;
      player.update(store.snapshot);
      telling.follow();
      this.#showOutside(awake);
    };
    on(store, "before", ({ detail: event }) => {
      if (event.person?.user_id === store.you.person.user_id) this.#lastWord = event;
      const text = clock.ready && clock.nowMs() - event.at_ms < NEWS_WITHIN_MS ? tell(event, store.snapshot) : null;
      if (text) notice(text);
    });
    on(store, "change", follow);
    on(player, "ready", telling.follow);
    on(player, "error", ({ detail }) => notice(`A track cannot be played here: ${detail.problem.message}`));
    on(clock, "ready", follow);
    on(connection, "frame", ({ detail: { type, room, signal: heard } }) => {
      if (type === "signal" && room === this.roomId && heard.type === "clicks") player.click(heard.for_ms);
    });
    on(connection, "state", ({ detail: { state } }) => state === "open" && player.renewed());
    on(connection, "refused", ({ detail: { roomId, problem } }) => roomId === this.roomId
      && this.#gone(REFUSALS[problem.code] ?? null, { why: problem.details.reason, untilMs: problem.details.until_ms, message: problem.message }));
    on(connection, "out", ({ detail: { roomId, reason, untilMs } }) =>
      roomId === this.roomId && this.#gone(reason, { why: this.#lastWord?.reason, untilMs }));
    // Browsers let a page sound after any act of the person, not only after one on our button.
    for (const kind of ["pointerdown", "keydown"]) on(document, kind, () => player.unlocked || player.unlock());
    follow();
  }

  /** What plays, for the keys of the keyboard and the lock of the screen. */
  #showOutside(awake) {
    const { entry, status } = this.store.snapshot.playback;
    const { clock } = this.#page;
    const durationMs = entryDurationMs(entry);
    const positionMs = () => (clock.ready ? positionAt(this.store.snapshot.playback, clock.nowMs()) : 0);
    const act = (type, more = {}) => this.command({ type, entry_id: entry.entry_id, ...more }).catch((problem) => notice(problem.message));
    const seek = (toMs) => act("playback.seek", { position_ms: Math.max(0, Math.min(toMs, durationMs)) });
    const acts = entry && {
      ...this.standing.may("control") && { play: () => act("playback.play"), pause: () => act("playback.pause"), seek, positionMs },
      ...this.standing.may("skip") && { next: () => act("playback.next") },
    };
    awake.show(entry?.track ?? null, status === "playing" && !this.store.snapshot.suspended, acts, { durationMs, positionMs: positionMs() });
  }

  #draw() {
    const { player, places } = this.#page;
    this.#panels = [headPanel, settingsButtons, auditButton, playbackPanel, queuePanel, presencePanel, chatPanel].map((make) => make(this.#room));
    const [head, settings, audit, playback, queue, presence, chat] = this.#panels;
    this.node.replaceChildren(
      el("div", { class: "row head" }, ...head.nodes, ...settings.nodes, ...audit.nodes,
        el("button", { id: "leave", onclick: () => places.leave() }, "Leave")),
      el("div", { class: "room" }, el("div", { class: "column" }, playback.node, queue.node),
        el("div", { class: "column" }, presence.node, chat.node)));
    player.unlock();
  }

  #end() {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    this.#page.player.silence();
    for (const panel of this.#panels) panel.close();
  }

  #farewell(what) {
    this.isOver = true;
    this.node.replaceChildren(farewell({ roomName: this.title, ...what }, () => this.#page.places.show()));
    if (this.node.isConnected) this.node.querySelector("h1").focus();
    else if (this.title) notice(`${farewellTitle(what.reason)}: ${this.title}`);
  }

  /** The room is over for us: say why, here or wherever the page is meanwhile. */
  #gone(reason, { why, untilMs, message }) {
    const isShown = this.node.isConnected;
    if (isShown) for (const dialog of document.querySelectorAll("dialog")) dialog.close();
    this.#end();
    if (reason) this.#farewell({ reason, why, untilMs });
    else notice(message);
    this.#page.places.over(this);
    if (!reason && isShown) this.#page.places.go("/");
  }
}

/** Come into a room. Who may not gets a farewell in its place (`isOver`); other refusals are thrown. */
export async function enterRoom(page, roomId) {
  const place = new RoomPlace(page, shared(roomId, page));
  await place.enter();
  return place;
}
