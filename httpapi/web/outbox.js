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
  #asked = new Map(); // id -> {frame, resolve, reject}

  /** Keep a frame until it is answered; the promise is the answer. */
  ask(frame) {
    return new Promise((resolve, reject) => this.#asked.set(frame.id, { frame, resolve, reject }));
  }

  /** A good answer. */
  resolve(id, frame) {
    this.#take(id)?.resolve(frame);
  }

  /** A refusal. */
  reject(id, frame) {
    this.#take(id)?.reject(new Rejected(frame));
  }

  /** Is a join of this room on its way? */
  isJoining(roomId) {
    return this.frames().some((frame) => frame.type === "join" && frame.room === roomId);
  }

  /** Drop what was asked of a room that was left; nobody waits for it any more. */
  forget(roomId) {
    for (const [id, { frame }] of [...this.#asked]) if (frame.room === roomId) this.#asked.delete(id);
  }

  /** All of it in the order to send it in: a command before its room's join would be refused. */
  frames() {
    const frames = [...this.#asked.values()].map(({ frame }) => frame);
    const isJoin = (frame) => frame.type === "join";
    return [...frames.filter(isJoin), ...frames.filter((frame) => !isJoin(frame))];
  }

  #take(id) {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked;
  }
}
