// Which segments are loaded, and how soon.

import assert from "node:assert/strict";
import { test } from "node:test";

import { needed, SEGMENT } from "../../httpapi/web/ahead.js";

const SECOND = 48_000;
const piece = (trackId, from, to, origin = from) => ({ trackId, from: from * SECOND, to: to * SECOND, origin: origin * SECOND });
const said = (list) => list.map(({ trackId, number }) => `${trackId}${number}`).join(" ");

test("a late joiner gets first the segment that sounds now", () => {
  assert.equal(said(needed([piece("a", 0, 3_600)], 1_804 * SECOND, [])), "a180 a181 a182 a183");
});

test("half a minute ahead, over the boundary, and the first segments of all that follows", () => {
  const pieces = [piece("a", 0, 100), piece("b", 100, 115), piece("c", 115, 400)];
  assert.equal(said(needed(pieces, 85 * SECOND, [{ trackId: "d", samples: 9 * SECOND, position: 0 }])), "a8 a9 b0 b1 c0 c1 d0");
});

test("a jump in the line is loaded from where it lands; what rests, from where it will go on", () => {
  const pieces = [piece("a", 0, 50), piece("a", 50, 200, -75)];
  assert.equal(said(needed(pieces, 49 * SECOND, [])), "a4 a12 a13 a14 a15");
  assert.equal(said(needed([], 0, [{ trackId: "a", samples: 60 * SECOND, position: 31 * SECOND }])), "a3 a4");
});

test("of a track of an hour never more than a minute is here", () => {
  for (let at = 0; at < 3_600; at += 7) {
    assert.ok(needed([piece("a", 0, 3_600)], at * SECOND, []).length * SEGMENT <= 60 * SECOND);
  }
});
