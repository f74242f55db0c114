// Which segments are needed, and how soon: pure.

/** So much is loaded before it sounds, in samples: 30 s. */
const AHEAD = 30 * 48_000;
const BEHIND = 2 * 48_000;
const OF_NEXT = 2; // segments of a track whose turn comes later

/** Samples of every segment but a track's last one. */
export const SEGMENT = 480_000;

export const segmentsOf = (samples) => Math.ceil(samples / SEGMENT);

/**
 * What to have, the most urgent first: what sounds at `place` and soon, then the first segments of what follows.
 *
 * @param {import("./schedule.js").Piece[]} pieces
 * @param {{trackId: string, samples: number, position: number}[]} later tracks without an agreed start; `position`, in samples, is where they begin
 * @returns {{trackId: string, number: number}[]}
 */
export function needed(pieces, place, later) {
  const wanted = new Map();
  const want = (trackId, number) => wanted.set(`${trackId}/${number}`, { trackId, number });
  const coming = pieces.filter(({ to }) => to > place - BEHIND);
  for (const { trackId, origin, from, to } of coming) {
    const first = Math.max(from, place - BEHIND) - origin;
    const last = Math.min(to, Math.max(place, from) + AHEAD, place + AHEAD) - origin;
    for (let number = Math.floor(first / SEGMENT); number * SEGMENT < last; number += 1) want(trackId, number);
  }
  const starts = [
    ...coming.filter(({ from }) => from > place).map(({ trackId, origin, from, to }) => ({ trackId, samples: to - origin, position: from - origin })),
    ...later,
  ];
  for (const { trackId, samples, position } of starts) {
    const first = Math.floor(position / SEGMENT);
    for (let number = first; number < Math.min(first + OF_NEXT, segmentsOf(samples)); number += 1) want(trackId, number);
  }
  return [...wanted.values()];
}
