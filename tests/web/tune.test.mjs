// In which state a listener is, and the line of the last minutes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { spreadText } from "../../httpapi/web/panels/tune.js";
import { Minutes, SPREAD_MS, tuningOf } from "../../httpapi/web/tune.js";

const fine = { isPlaying: true, isUnlocked: true, isStarved: false, errorMs: 0.4 };

test("each trouble has its word, and the worst one is told", () => {
  assert.equal(tuningOf(fine), "in_tune");
  assert.equal(tuningOf({ ...fine, errorMs: -12 }), "catching_up");
  assert.equal(tuningOf({ ...fine, isStarved: true }), "loading");
  assert.equal(tuningOf({ ...fine, errorMs: null }), "loading");
  assert.equal(tuningOf({ ...fine, isUnlocked: false, isStarved: true }), "silent");
  assert.equal(tuningOf({ ...fine, isPlaying: false }), null);
});

test("of a crowd everybody is told of, those too of whom nothing is heard", () => {
  const nobody = SPREAD_MS.map(() => 0);
  assert.equal(spreadText({ errors: [...nobody, 0], loading: 0, silent: 0, away: 0 }), "");
  const errors = [90, ...nobody.slice(1), 2];
  const told = spreadText({ errors, loading: 5, silent: 3, away: 1 });
  assert.equal(told, `90 within ${SPREAD_MS[0]} ms, 2 further off, 5 loading, 3 silent there, 1 away`);
});

test("three minutes are kept, of each second the worst, and drawn within the box", () => {
  const minutes = new Minutes();
  for (let atMs = 0; atMs <= 300_000; atMs += 100) minutes.add(atMs, atMs % 1_000 === 500 ? -9 : 1);
  assert.equal(minutes.points.length, 181);
  assert.ok(minutes.points.slice(0, -1).every(({ errorMs }) => errorMs === -9));
  const line = minutes.line(300_000, 300, 60, 5).split(" ").map((point) => point.split(",").map(Number));
  assert.deepEqual([line[0][0], line.at(-1)[0], line[0][1]], [0, 300, 60]);
});
