// One WebSocket to the server: hello, joins, commands with acks, reconnecting with what we have.
//
// A command is kept until it is answered and is sent again, with its id, after a reconnect: the
// server runs it once. What a close code means comes from codes.js, generated from the protocol.

import { CLOSE_CODES } from "./codes.js";

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 15_000;
const PROBE_FAST_MS = 250;
const PROBE_FAST_FOR_MS = 6_000;
const PROBE_SLOW_MS = 1_000;

/** A refusal by the server: `code` is from the error table. */
export class Rejected extends Error {
  constructor(frame) {
    super(frame.message || frame.code);
    this.code = frame.code;
    this.temporary = frame.temporary;
    this.retryAfterMs = frame.retry_after_ms;
    this.details = frame.details ?? {};
  }
}

/**
 * Events: `state` (detail: "connecting" | "open" | "waiting" | "closed"), `frame` (any server
 * frame that is not an answer), `fatal` (detail: the close code; do not come back).
 */
export class Connection extends EventTarget {
  #socket = null;
  #nextId = 1;
  #unanswered = new Map(); // id -> {frame, resolve, reject, timer}
  #stores = new Map(); // room id -> {store, join: {password?}}
  #tries = 0;
  #stopped = false;
  #probeTimer = 0;
  #openedAt = 0;
  #ready = false;

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
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
  }

  open() {
    this.#stopped = false;
    this.#say("connecting");
    const socket = new WebSocket(this.url, "unisono.v1.json");
    this.#socket = socket;
    socket.onopen = () => this.#send({ type: "hello", client_id: this.clientId });
    socket.onmessage = (message) => this.#receive(message.data);
    socket.onclose = (event) => socket === this.#socket && this.#closed(event.code);
  }

  close() {
    this.#stopped = true;
    clearTimeout(this.#probeTimer);
    this.#socket?.close(1000);
    this.#say("closed");
  }

  /** Come into a room; its store is kept up to date from then on, over reconnects. */
  async join(store, { password } = {}) {
    this.#stores.set(store.roomId, { store, password });
    await this.#ask(this.#joinFrame(store, password));
  }

  /** Leave a room at once. */
  leave(roomId) {
    this.#stores.delete(roomId);
    if (this.#ready) this.#send({ type: "leave", id: this.#nextId++, room: roomId });
  }

  /** Send a command; resolves with the ack, rejects with Rejected. */
  command(roomId, cmd) {
    return this.#ask({ type: "cmd", id: this.#nextId++, room: roomId, cmd });
  }

  /** Send a passing signal, if there is a connection. */
  signal(roomId, signal) {
    if (this.#ready) this.#send({ type: "signal", room: roomId, signal });
  }

  #joinFrame(store, password) {
    return { type: "join", id: this.#nextId++, room: store.roomId, password, have: store.have };
  }

  #ask(frame) {
    return new Promise((resolve, reject) => {
      this.#unanswered.set(frame.id, { frame, resolve, reject });
      if (this.#ready) this.#send(frame);
    });
  }

  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #receive(text) {
    const arrivedAt = performance.now();
    const frame = JSON.parse(text);
    switch (frame.type) {
      case "welcome": return this.#welcomed(frame);
      case "probed": return this.clock.add(frame.t0, frame.t1, frame.t2, arrivedAt);
      case "joined": return this.#joined(frame);
      case "ack": return this.#answered(frame.id, "resolve", frame);
      case "reject": return this.#answered(frame.id, "reject", new Rejected(frame));
      case "error": if (frame.id) this.#answered(frame.id, "reject", new Rejected(frame)); break;
      case "events": if (this.#store(frame)?.events(frame) === false) this.#rejoin(frame.room); break;
      case "presence": this.#store(frame)?.presence(frame); break;
      case "left": this.#stores.delete(frame.room); break;
      case "reconnect": setTimeout(() => this.#socket?.close(1000), frame.after_ms); break;
    }
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  #store(frame) {
    const store = this.#stores.get(frame.room)?.store;
    return store?.snapshot ? store : undefined;
  }

  #welcomed(frame) {
    this.#ready = true;
    this.#tries = 0;
    this.#openedAt = performance.now();
    this.user = frame.user;
    this.#say("open");
    this.#probe();
    // Joins first: a command to a room that this connection has not joined would be refused.
    const waiting = [...this.#unanswered.values()];
    const joining = new Set(waiting.filter((ask) => ask.frame.type === "join").map((ask) => ask.frame.room));
    for (const roomId of this.#stores.keys()) if (!joining.has(roomId)) this.#rejoin(roomId);
    for (const ask of waiting) if (ask.frame.type === "join") this.#send(ask.frame);
    for (const ask of waiting) if (ask.frame.type !== "join") this.#send(ask.frame);
  }

  #rejoin(roomId) {
    const { store, password } = this.#stores.get(roomId);
    this.#ask(this.#joinFrame(store, password)).catch((problem) => {
      this.#stores.delete(roomId);
      this.dispatchEvent(new CustomEvent("refused", { detail: { roomId, problem } }));
    });
  }

  #joined(frame) {
    this.#stores.get(frame.room)?.store.joined(frame);
    this.#answered(frame.id, "resolve", frame);
  }

  #answered(id, how, value) {
    const ask = this.#unanswered.get(id);
    if (!ask) return;
    this.#unanswered.delete(id);
    ask[how](value);
  }

  #probe() {
    clearTimeout(this.#probeTimer);
    if (!this.#ready) return;
    this.#send({ type: "probe", t0: performance.now() });
    const fast = performance.now() - this.#openedAt < PROBE_FAST_FOR_MS;
    this.#probeTimer = setTimeout(() => this.#probe(), fast ? PROBE_FAST_MS : PROBE_SLOW_MS);
  }

  #closed(code) {
    this.#ready = false;
    clearTimeout(this.#probeTimer);
    const advice = CLOSE_CODES[code] ?? { reconnect: true };
    if (this.#stopped) return;
    if (!advice.reconnect || advice.new_credentials) {
      this.#say("closed");
      this.dispatchEvent(new CustomEvent("fatal", { detail: code }));
      return;
    }
    this.#say("waiting");
    // Full jitter: a restarted server is not met by everybody at the same instant.
    const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#tries++);
    this.#retryTimer = setTimeout(() => this.open(), Math.random() * ceiling);
  }

  #retryTimer = 0;

  /** The network or the tab is back: do not sit out a long wait. */
  #hurry() {
    if (this.#stopped || this.#ready || this.#socket?.readyState !== WebSocket.CLOSED) return;
    clearTimeout(this.#retryTimer);
    this.#tries = 0;
    this.open();
  }

  #say(state) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
