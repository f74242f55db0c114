// Which codec segments are asked for in: the exact one, while the line carries it. Pure.

const SLOW_MS = 4_000; // for ten seconds of sound: from then on in the smaller codec
const QUICK_MS = 400; // the exact codec is six times as large
const QUICK_IN_A_ROW = 6; // a minute of sound

export class Codec {
  #quick = 0;
  name = "flac";

  /** A segment in codec `name` was carried in so many ms, or was given up after them. */
  took(name, ms) {
    if (ms > SLOW_MS) {
      this.name = "opus";
      this.#quick = 0;
    } else if (name === "opus") {
      this.#quick = ms < QUICK_MS ? this.#quick + 1 : 0;
      if (this.#quick >= QUICK_IN_A_ROW) this.name = "flac";
    }
  }
}
