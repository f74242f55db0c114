// The filters of PulseAudio's client library between what it measures and what it answers (`pulsecore/time-smoother_2.c`):
// `first` and `second` are its `drift_filter` and `drift_filter_1`, `factor` its `time_factor`. Forwards and backwards. Pure.

const WINDOW_MS = 5_000;
const SLOW_MS = WINDOW_MS / (2 * Math.PI);
const IGNORED_MS = 100; // what is measured so soon after the first is not used
const LONG_MS = 1_500; // the longest that it leaves between two measurements
const DIMMEST = 0.02; // a measurement that shows less than that in the answers is not seen

/**
 * @typedef {{startMs: number, lastMs: number, first: number, second: number, factor: number,
 *   pivot: {atMs: number, heardMs: number} | null}} Filters since when they run, the last measurement, the state of two
 *   low passes, how fast the sound card goes, and the point through which the answers go; null: it is not known yet.
 *   `startMs` is -Infinity where it is only known that their start is long ago
 */

/** After one more measurement: at `atMs` it was `heardMs`. @returns {Filters} */
export function measured(filters, { atMs, heardMs }) {
  const { pivot, startMs, lastMs } = filters;
  if (atMs < startMs + IGNORED_MS) return filters;
  const passedMs = atMs - lastMs;
  const [quick, slow] = [passedMs / (passedMs + SLOW_MS / 8), passedMs / (passedMs + SLOW_MS)];
  const slope = (heardMs - pivot.heardMs) / (atMs - pivot.atMs);
  const first = (1 - quick) * filters.first + quick * (filters.second + 1) * (0.5 + slope);
  const second = (1 - quick) * filters.second + quick * first;
  const factor = (1 - slow) * filters.factor + slow * (second + 3) / (second + 1) / 2;
  const slides = atMs > startMs + WINDOW_MS;
  return {
    startMs, lastMs: atMs, first, second, factor,
    pivot: slides ? { atMs: pivot.atMs + passedMs, heardMs: pivot.heardMs + slope * passedMs } : pivot,
  };
}

/** What they answer at an instant. */
export const answerAt = ({ pivot, factor }, atMs) => pivot.heardMs + (atMs - pivot.atMs) * (1 - factor);

/** What must have been measured at `atMs` if they answer `told.heardMs` at `told.atMs`; `gain` is how clearly it shows, 0: not at all. */
export function solved(filters, atMs, told) {
  const answer = (heardMs) => answerAt(measured(filters, { atMs, heardMs }), told.atMs);
  let heardMs = told.heardMs;
  let gain = 1;
  for (let round = 0; round < 3; round += 1) {
    const now = answer(heardMs);
    gain = answer(heardMs + 1) - now;
    if (gain < DIMMEST) return { heardMs: told.heardMs, gain: 0 };
    heardMs += (told.heardMs - now) / gain;
  }
  return { heardMs, gain };
}

/** As they begin, at the first measurement; the sound broke off where they were `before`. @returns {Filters} */
export const begun = (atMs, before = { first: 1, second: 1, factor: 1 }) =>
  ({ ...before, startMs: atMs, lastMs: atMs, pivot: null });

/** As they are after a long time, if the answers went along a line until `atMs`. @returns {Filters} */
export function settled(line, atMs) {
  const factor = 1 - line.slope;
  const second = (3 - 2 * factor) / (2 * factor - 1);
  const pivotMs = atMs - WINDOW_MS;
  return {
    startMs: -Infinity, lastMs: atMs - LONG_MS, first: second, second, factor,
    pivot: { atMs: pivotMs, heardMs: line.heardMs + line.slope * (pivotMs - line.atMs) },
  };
}
