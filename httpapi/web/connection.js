// One WebSocket to the server: hello, joins, commands with acks, reconnecting with what we have.
//
// What a close code means comes from codes.js, generated from the protocol.

import { CLOSE_CODES } from "./codes.js";
import { Outbox } from "./outbox.js";
import { Probes } from "./probes.js";

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 15_000;
const REJOIN_AFTER_MS = 1_000;

/**
 * Events: `state` (detail: "connecting" | "open" | "waiting" | "closed"), `frame` (any server
 * frame), `refused` (detail: {roomId, problem}: a room did not let us in again), `fatal` (detail:
 * {code, newCredentials}: it does not come back by itself).
 */
export class Connection extends EventTarget {
  #socket = null;
  #outbox = new Outbox();
  #nextId = 1;
  #stores = new Map(); // room id -> {store, password}
  #inside = new Set(); // rooms that this very connection has joined: only they take commands
  #tries = 0;
  #ready = false;
  #probes = new Probes((t0) => this.#send({ type: "probe", t0 }), () => this.renew());
  #retryTimer = 0;
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
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
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
  async join(store, password) {
    const { roomId } = store;
    this.#stores.set(roomId, { store, password });
    try {
      await this.#ask(this.#joinFrame(roomId));
    } catch (problem) {
      if (this.#stores.get(roomId)?.store === store) this.#stores.delete(roomId);
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
    const { store, password } = this.#stores.get(roomId);
    return { type: "join", id: this.#nextId++, room: roomId, password, have: store.have };
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
    const store = this.#stores.get(frame.room)?.store;
    switch (frame.type) {
      case "welcome": this.#welcomed(); break;
      case "probed": this.clock.add(frame.t0, frame.t1, frame.t2, arrivedAt); break;
      case "joined": this.#joined(frame, store); break;
      case "ack": this.#outbox.resolve(frame.id, frame); break;
      case "reject": this.#outbox.reject(frame.id, frame); break;
      case "error": if (frame.id) this.#outbox.reject(frame.id, frame); break;
      case "events": if (store?.snapshot && !store.events(frame)) this.#rejoin(frame.room); break;
      case "presence": store?.presence(frame); break;
      case "left": this.#left(frame); break;
      case "reconnect": setTimeout(() => this.#ready && this.renew(), frame.after_ms); break;
    }
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  #welcomed() {
    this.#ready = true;
    this.#tries = 0;
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

  #left({ room, reason }) {
    if (reason === "left") return; // the answer to leave(); we may have come again since
    this.#stores.delete(room);
    this.#inside.delete(room);
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
      this.#say("closed");
      this.dispatchEvent(new CustomEvent("fatal", { detail: { code, newCredentials } }));
      return;
    }
    this.#say("waiting");
    // Full jitter: a restarted server is not met by everybody at the same instant.
    const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#tries++);
    this.#retryTimer = setTimeout(() => this.open(), Math.random() * ceiling);
  }

  /** The network or the tab is back: do not sit out a long wait. */
  #hurry() {
    if (this.state !== "waiting") return;
    this.#tries = 0;
    this.open();
  }

  #say(state) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
