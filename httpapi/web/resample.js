// Reading between samples: a windowed sinc, so that bending the rate changes nothing but the time.
//
// The browser's own playbackRate draws straight lines between samples, which dulls what is bright.

/** So many samples on either side of an instant are needed to tell what lies there. */
export const REACH = 16;

const TAPS = 2 * REACH;
const PHASES = 512;

const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const window = (x) => 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);

/** Row p holds the weights for p / PHASES of a sample behind the middle; each row sums to 1. */
const WEIGHTS = Array.from({ length: PHASES + 1 }, (_, phase) => {
  const row = new Float32Array(TAPS);
  for (let tap = 0; tap < TAPS; tap += 1) {
    const x = tap - (REACH - 1) - phase / PHASES;
    row[tap] = sinc(x) * window(x / REACH);
  }
  const sum = row.reduce((total, weight) => total + weight, 0);
  return row.map((weight) => weight / sum);
});

/**
 * Add to `out` what lies at `at`, `at + rate`, ... of `samples`, weighed by `gains`. From
 * `Math.floor(at) - REACH + 1` on, to REACH behind the last place, samples must be there.
 */
export function addResampled(out, samples, at, rate, gains) {
  for (let index = 0; index < out.length; index += 1) {
    const place = at + index * rate;
    const whole = Math.floor(place);
    const exact = (place - whole) * PHASES;
    const phase = Math.floor(exact);
    if (exact === 0) {
      out[index] += samples[whole] * gains[index];
      continue;
    }
    const [low, high, part] = [WEIGHTS[phase], WEIGHTS[phase + 1], exact - phase];
    const first = whole - REACH + 1;
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap += 1) {
      sum += samples[first + tap] * (low[tap] + (high[tap] - low[tap]) * part);
    }
    out[index] += sum * gains[index];
  }
}
