// One WebSocket to the server: hello, joins, commands with acks, reconnecting with what we have.
//
// What a close code means comes from codes.js, generated from the protocol.

import { CLOSE_CODES } from "./codes.js";
import { Outbox } from "./outbox.js";
import { Probes } from "./probes.js";

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 15_000;
const REJOIN_AFTER_MS = 1_000;
/** What the door said to who was put out by nobody: truer than `kicked`. */
const SHUT = new Set(["room_password", "room_not_found"]);

/**
 * Events: `state` (detail: {state, code, againAtMs}), `frame` (any server frame), `refused`
 * (detail: {roomId, problem}: a room did not let us in again), `out` (detail: {roomId, reason,
 * untilMs}: a room is over for us), `fatal` (detail: {code, newCredentials}: it does not come back
 * by itself).
 *
 * The states: `connecting`, `open`, `moving` (open, but the server is about to stop), `waiting`
 * (until `againAtMs` of performance.now(), after `code`), `closed` (for good, by `code`).
 */
export class Connection extends EventTarget {
  #socket = null;
  #outbox = new Outbox();
  #nextId = 1;
  #stores = new Map(); // room id -> store
  #inside = new Set(); // rooms that this very connection has joined: only they take commands
  #tries = 0;
  #ready = false;
  #probes = new Probes((t0) => this.#send({ type: "probe", t0 }), () => this.renew());
  #retryTimer = 0;
  #askedToWaitMs = 0; // by the last error frame that was about the connection itself
  state = "connecting";

  /**
   * @param {string} url of the WebSocket
   * @param {import("./clock.js").ClusterClock} clock fed with every probe's answer
   * @param {string} clientId this page's own random name, kept over reconnects
   */
  constructor(url, clock, clientId) {
    super();
    this.url = url;
    this.clock = clock;
    this.clientId = clientId;
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.#ready && this.#probes.doubt());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  open() {
    clearTimeout(this.#retryTimer);
    this.#say("connecting");
    const socket = new WebSocket(this.url, "unisono.v1.json");
    this.#socket = socket;
    socket.onopen = () => this.#send({ type: "hello", client_id: this.clientId });
    socket.onmessage = (message) => socket === this.#socket && this.#receive(message.data);
    socket.onclose = (event) => socket === this.#socket && this.#closed(event.code);
  }

  /** Open anew at once: as somebody else, or because the line is dead. */
  renew() {
    this.#lost();
    const old = this.#socket;
    this.open();
    old?.close(1000);
  }

  /** Come into a room; its store is kept up to date from then on, over reconnects. */
  async join(store) {
    const { roomId } = store;
    this.#stores.set(roomId, store);
    try {
      await this.#ask(this.#joinFrame(roomId));
    } catch (problem) {
      if (this.#stores.get(roomId) === store) this.#stores.delete(roomId);
      throw problem;
    }
  }

  /** Leave a room at once. */
  leave(roomId) {
    this.#stores.delete(roomId);
    this.#inside.delete(roomId);
    this.#outbox.forget(roomId);
    if (this.#ready) this.#send({ type: "leave", id: this.#nextId++, room: roomId });
  }

  /** Send a command; resolves with the ack, rejects with Rejected. */
  command(roomId, cmd) {
    return this.#ask({ type: "cmd", id: this.#nextId++, room: roomId, cmd });
  }

  /** Send a passing signal, if there is a connection. */
  signal(roomId, signal) {
    if (this.#inside.has(roomId)) this.#send({ type: "signal", room: roomId, signal });
  }

  #joinFrame(roomId) {
    return { type: "join", id: this.#nextId++, room: roomId, have: this.#stores.get(roomId).have };
  }

  #ask(frame) {
    const answer = this.#outbox.ask(frame);
    this.#flush(frame.room);
    return answer;
  }

  /** Send what may go now: joins at once, commands when their room has been joined. */
  #flush(roomId) {
    if (!this.#ready) return;
    for (const frame of this.#outbox.joins()) this.#send(frame);
    if (!this.#inside.has(roomId)) return;
    for (const frame of this.#outbox.commands(roomId)) this.#send(frame);
  }

  #lost() {
    this.#ready = false;
    this.#inside.clear();
    this.#outbox.lost();
    this.#probes.stop();
  }

  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #receive(text) {
    const arrivedAt = performance.now();
    this.#probes.heard();
    const frame = JSON.parse(text);
    const store = this.#stores.get(frame.room);
    switch (frame.type) {
      case "welcome": this.#welcomed(); break;
      case "probed": this.clock.add(frame.t0, frame.t1, frame.t2, arrivedAt); break;
      case "joined": this.#joined(frame, store); break;
      case "ack": this.#outbox.resolve(frame.id, frame); break;
      case "reject": this.#outbox.reject(frame.id, frame); break;
      case "error": this.#erred(frame); break;
      case "events": if (store?.snapshot && !store.events(frame)) this.#rejoin(frame.room); break;
      case "presence": store?.presence(frame); break;
      case "tune": store?.tune(frame); break;
      case "left": this.#left(frame); break;
      case "reconnect": this.#move(frame.after_ms); break;
    }
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  #erred(frame) {
    if (frame.id) this.#outbox.reject(frame.id, frame);
    else this.#askedToWaitMs = frame.retry_after_ms ?? 0;
  }

  #move(afterMs) {
    this.#say("moving");
    const socket = this.#socket;
    setTimeout(() => this.#ready && socket === this.#socket && this.renew(), afterMs);
  }

  #welcomed() {
    this.#ready = true;
    this.#tries = 0;
    this.#askedToWaitMs = 0;
    this.#say("open");
    this.#probes.start();
    for (const roomId of this.#stores.keys()) this.#rejoin(roomId);
    this.#flush();
  }

  #joined(frame, store) {
    if (store) {
      this.#inside.add(frame.room);
      store.joined(frame);
    }
    this.#outbox.resolve(frame.id, frame);
    this.#flush(frame.room);
  }

  #left({ room, reason, until_ms: untilMs, code }) {
    // The answer to leave(); we may be about to come again.
    if (reason === "left" && !this.#inside.has(room)) return;
    this.#stores.delete(room);
    this.#inside.delete(room);
    this.#outbox.forget(room);
    this.dispatchEvent(new CustomEvent("out", { detail: { roomId: room, reason: SHUT.has(code) ? code : reason, untilMs } }));
  }

  async #rejoin(roomId) {
    if (!this.#stores.has(roomId) || this.#outbox.isJoining(roomId)) return;
    try {
      await this.#ask(this.#joinFrame(roomId));
    } catch (problem) {
      if (problem.temporary) {
        setTimeout(() => this.#ready && this.#rejoin(roomId), problem.retryAfterMs ?? REJOIN_AFTER_MS);
        return;
      }
      this.#stores.delete(roomId);
      this.#outbox.forget(roomId, problem);
      this.dispatchEvent(new CustomEvent("refused", { detail: { roomId, problem } }));
    }
  }

  #closed(code) {
    this.#lost();
    const { reconnect = true, new_credentials: newCredentials = false } = CLOSE_CODES[code] ?? {};
    if (!reconnect || newCredentials) {
      this.#say("closed", { code });
      this.dispatchEvent(new CustomEvent("fatal", { detail: { code, newCredentials } }));
      return;
    }
    // Full jitter: a restarted server is not met by everybody at the same instant.
    const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#tries++);
    const waitMs = Math.max(Math.random() * ceiling, this.#askedToWaitMs);
    this.#say("waiting", { code, againAtMs: performance.now() + waitMs });
    this.#retryTimer = setTimeout(() => this.open(), waitMs);
  }

  /** The network, the tab or the person is back: do not sit out a long wait. */
  hurry() {
    if (this.state !== "waiting") return;
    this.#tries = 0;
    this.open();
  }

  #say(state, more = {}) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, ...more } }));
  }
}
