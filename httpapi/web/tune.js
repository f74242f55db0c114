// How well in tune: in which of the five states a listener is, and what the last minutes were. Pure.

/** The bounds by which the errors of a crowd are counted, as in protocol/tune.py. */
export const SPREAD_MS = [1, 2, 5, 10, 20, 50];

/** Who is no further off is in tune, as in protocol/tune.py. */
export const IN_TUNE_MS = 3;
const KEPT_MS = 180_000;
const POINT_EVERY_MS = 1_000;

/**
 * What is reported: `silent` (the browser does not let it sound), `loading` (samples are missing),
 * `catching_up`, `in_tune`; null while there is nothing to be in tune with.
 */
export function tuningOf({ isPlaying, isUnlocked, isStarved, errorMs }) {
  if (!isPlaying) return null;
  if (!isUnlocked) return "silent";
  if (isStarved || errorMs === null) return "loading";
  return Math.abs(errorMs) <= IN_TUNE_MS ? "in_tune" : "catching_up";
}

/** The error of the last three minutes: of each second the worst. */
export class Minutes {
  #points = [];

  add(atMs, errorMs) {
    const last = this.#points.at(-1);
    if (last && atMs - last.atMs < POINT_EVERY_MS) {
      if (Math.abs(errorMs) > Math.abs(last.errorMs)) last.errorMs = errorMs;
      return;
    }
    this.#points.push({ atMs, errorMs });
    while (this.#points[0].atMs < atMs - KEPT_MS) this.#points.shift();
  }

  get points() {
    return this.#points;
  }

  /** The points of a line in a box of `width` by `height`; `mostMs` is its upper and lower edge. */
  line(nowMs, width, height, mostMs) {
    return this.#points.map(({ atMs, errorMs }) => {
      const x = width * (1 - (nowMs - atMs) / KEPT_MS);
      const y = height / 2 - (height / 2) * Math.max(-1, Math.min(1, errorMs / mostMs));
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    }).join(" ");
  }
}
