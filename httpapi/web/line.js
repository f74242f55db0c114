// Straight lines through what was told over time: points {atMs, heardMs}. Pure.

const FAR_OUT = 2; // so many standard deviations away a point weighs half
const ROUNDS = 6; // in which it is found what is far out

function weighed(points, weights) {
  const sum = (of) => points.reduce((total, point, index) => total + weights[index] * of(point), 0);
  const whole = sum(() => 1);
  const atMs = sum((point) => point.atMs) / whole;
  const heardMs = sum((point) => point.heardMs) / whole;
  const width = sum((point) => (point.atMs - atMs) ** 2);
  const rise = sum((point) => (point.atMs - atMs) * (point.heardMs - heardMs));
  return { atMs, heardMs, width, rise };
}

/** Through their middle by least squares; `slope` is by how much it rises in a ms. */
export function lineThrough(points) {
  const { atMs, heardMs, width, rise } = weighed(points, points.map(() => 1));
  return { atMs, heardMs, slope: width > 0 ? rise / width : 0 };
}

/**
 * By least squares too, at the last of the points; but each weighs as much as its doubt allows (`doubtOf` a point: one
 * standard deviation, ms), those far out little, and a slope that is expected counts for `faith` (1 / its variance).
 */
export function trustedLine(points, doubtOf, { slope: expected, faith }) {
  const doubts = points.map(doubtOf);
  const last = points.at(-1).atMs;
  let weights = doubts.map((doubt) => 1 / doubt ** 2);
  let line;
  for (let round = 0; round < ROUNDS; round += 1) {
    const { atMs, heardMs, width, rise } = weighed(points, weights);
    const slope = (rise + faith * expected) / (width + faith);
    line = { atMs: last, heardMs: heardMs + slope * (last - atMs), slope };
    weights = points.map((point, index) => {
      const far = (point.heardMs - at(line, point.atMs)) / doubts[index] / FAR_OUT;
      return 1 / doubts[index] ** 2 / (1 + far ** 2);
    });
  }
  return line;
}

/** Where a line is at an instant. */
export const at = (line, atMs) => line.heardMs + line.slope * (atMs - line.atMs);
