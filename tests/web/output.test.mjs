// Audio time against performance.now(), from timestamps as browsers give them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { OutputClock } from "../../httpapi/web/output.js";

/** Pairs of a browser whose audio began at 5,000 ms: a saw of 11 ms around the truth. */
function feed(clock, { from = 0, count, stepMs = 0 }) {
  for (let look = from; look < from + count; look += 1) {
    const contextTime = 0.05 * (look + 1);
    const saw = ((look * 3.7) % 11) - 5.5;
    clock.add({ contextTime, performanceTime: 5_000 + contextTime * 1_000 + saw + stepMs });
  }
}

test("zeros and pairs that stand still tell nothing", () => {
  const clock = new OutputClock();
  for (let look = 0; look < 50; look += 1) clock.add({ contextTime: 0, performanceTime: 0 });
  for (let look = 0; look < 50; look += 1) clock.add({ contextTime: 0.01, performanceTime: 5_000 + look });
  assert.equal(clock.steady, false);
});

test("some pairs that agree make it steady, within a millisecond of the truth", () => {
  const clock = new OutputClock();
  feed(clock, { count: 60 });
  assert.equal(clock.steady, true);
  assert.ok(Math.abs(clock.performanceMs(10) - 15_000) < 1, String(clock.performanceMs(10)));
  assert.ok(Math.abs(clock.contextS(clock.performanceMs(7)) - 7) < 1e-9);
});

test("a single pair far out does not move it", () => {
  const clock = new OutputClock();
  feed(clock, { count: 60 });
  const before = clock.performanceMs(10);
  clock.add({ contextTime: 4, performanceTime: 9_900 });
  assert.ok(Math.abs(clock.performanceMs(10) - before) < 1);
});

test("a step that stays is followed", () => {
  const clock = new OutputClock();
  feed(clock, { count: 60 });
  feed(clock, { from: 60, count: 60, stepMs: 80 });
  assert.ok(Math.abs(clock.performanceMs(10) - 15_080) < 1);
});

test("after a reset it is not steady", () => {
  const clock = new OutputClock();
  feed(clock, { count: 60 });
  clock.reset();
  assert.equal(clock.steady, false);
});
