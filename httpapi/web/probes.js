// When to ask the server for the time, and whether it still answers.

const FAST_MS = 250;
const FAST_FOR_MS = 6_000;
const SLOW_MS = 1_000;
const SILENT_TOO_LONG_MS = 10_000; // every probe is answered: a line this quiet is dead

export class Probes {
  #timer = 0;
  #openedAt = 0;
  #heardAt = 0;

  /** `ask(t0)` sends a probe; `dead()` is called when nothing was heard for too long. */
  constructor(ask, dead) {
    this.ask = ask;
    this.dead = dead;
  }

  /** Often for 6 s, then each second. */
  start() {
    this.#openedAt = this.#heardAt = performance.now();
    this.#next();
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** Something came from the server. */
  heard() {
    this.#heardAt = performance.now();
  }

  #next() {
    clearTimeout(this.#timer);
    const now = performance.now();
    if (now - this.#heardAt > SILENT_TOO_LONG_MS) return this.dead();
    this.ask(now);
    this.#timer = setTimeout(() => this.#next(), now - this.#openedAt < FAST_FOR_MS ? FAST_MS : SLOW_MS);
    return undefined;
  }
}
