// When to ask the server for the time, and whether it still answers.

const FAST_MS = 250;
const FAST_FOR_MS = 6_000;
const SLOW_MS = 1_000;
const DOUBTED_FOR_MS = 2_000;
const OVERSLEPT_MS = 3_000; // the machine slept, or the page is in the background: silence proves nothing
const SILENT_TOO_LONG_MS = 10_000; // every probe is answered: a line this quiet is dead

export class Probes {
  #timer = 0;
  #doubting = 0;
  #openedAt = 0;
  #heardAt = 0;
  #dueAt = 0;

  /** `ask(t0)` sends a probe; `dead()` is called when nothing was heard for too long. */
  constructor(ask, dead) {
    this.ask = ask;
    this.dead = dead;
  }

  /** Often for 6 s, then each second. */
  start() {
    this.#openedAt = this.#heardAt = this.#dueAt = performance.now();
    this.#next();
  }

  stop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#doubting);
  }

  /** The browser says that the network is gone: believe it only if the server does not answer. */
  doubt() {
    const askedAt = performance.now();
    this.ask(askedAt);
    clearTimeout(this.#doubting);
    this.#doubting = setTimeout(() => this.#heardAt < askedAt && this.dead(), DOUBTED_FOR_MS);
  }

  /** Something came from the server. */
  heard() {
    this.#heardAt = performance.now();
  }

  #next() {
    clearTimeout(this.#timer);
    const now = performance.now();
    if (now - this.#dueAt > OVERSLEPT_MS) {
      this.#openedAt = now; // the clock may have moved meanwhile
      this.doubt();
    } else if (now - this.#heardAt > SILENT_TOO_LONG_MS) return this.dead();
    else this.ask(now);
    const waitMs = now - this.#openedAt < FAST_FOR_MS ? FAST_MS : SLOW_MS;
    this.#dueAt = now + waitMs;
    this.#timer = setTimeout(() => this.#next(), waitMs);
    return undefined;
  }
}
