// What was asked and not yet answered. It is sent again, with its id, after a reconnect: the server
// runs a command once. Pure: it knows no socket.

/** A refusal by the server: `code` is from the error table. */
export class Rejected extends Error {
  constructor(frame) {
    super(frame.message || frame.code);
    this.code = frame.code;
    this.temporary = frame.temporary ?? false;
    this.retryAfterMs = frame.retry_after_ms;
    this.details = frame.details ?? {};
  }
}

export class Outbox {
  #asked = new Map(); // id -> {frame, resolve, reject, sent: on this connection?}

  /** Keep a frame until it is answered; the promise is the answer. */
  ask(frame) {
    return new Promise((resolve, reject) => this.#asked.set(frame.id, { frame, resolve, reject, sent: false }));
  }

  /** A good answer. */
  resolve(id, frame) {
    this.#take(id)?.resolve(frame);
  }

  /** A refusal. */
  reject(id, frame) {
    this.#take(id)?.reject(new Rejected(frame));
  }

  /** The joins to send now; from then on they count as sent. */
  joins() {
    return this.#send(({ type }) => type === "join");
  }

  /** The commands to a room to send now, in order; from then on they count as sent. */
  commands(roomId) {
    return this.#send(({ type, room }) => type === "cmd" && room === roomId);
  }

  /** The connection is gone: what was not answered was not sent. */
  lost() {
    for (const asked of this.#asked.values()) asked.sent = false;
  }

  /** Is a join of this room on its way? */
  isJoining(roomId) {
    return [...this.#asked.values()].some(({ frame }) => frame.type === "join" && frame.room === roomId);
  }

  /** Drop what was asked of a room that is left; with a problem, whoever waits is told. */
  forget(roomId, problem = null) {
    for (const [id, { frame, reject }] of [...this.#asked]) {
      if (frame.room !== roomId) continue;
      this.#asked.delete(id);
      if (problem) reject(problem);
    }
  }

  #send(which) {
    const due = [...this.#asked.values()].filter((asked) => !asked.sent && which(asked.frame));
    for (const asked of due) asked.sent = true;
    return due.map(({ frame }) => frame);
  }

  #take(id) {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked;
  }
}
