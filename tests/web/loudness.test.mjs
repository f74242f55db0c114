// All tracks about equally loud, none of them cut off.

import assert from "node:assert/strict";
import { test } from "node:test";

import { gainOf } from "../../httpapi/web/loudness.js";

const db = (gain) => Math.round(20 * Math.log10(gain) * 100) / 100;

test("what is loud is brought down to the target, what is quiet is lifted as far as its peaks allow", () => {
  const cases = [
    [-8, 0.5, -6], [-14, -3, 0], [-20, -10, 6], [-20, -4, 3], [-20, -0.2, 0], [-40, -30, 12], [-10, -20, -4],
  ];
  for (const [loudness, peak, wanted] of cases) {
    assert.equal(db(gainOf({ integrated_lufs: loudness, true_peak_db: peak })), wanted, `${loudness} LUFS, ${peak} dBTP`);
  }
});

test("silence, and what is not known, is played as it is", () => {
  assert.equal(gainOf(null), 1);
  assert.equal(gainOf({ integrated_lufs: null, true_peak_db: null }), 1);
});
