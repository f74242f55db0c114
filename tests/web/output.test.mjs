// Audio time against performance.now(), from timestamps as browsers give them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { OutputClock } from "../../httpapi/web/output.js";

const BLOCK_MS = 21;
const TOOTH_MS = 21.3;
let chance = 1;
const random = () => { chance = (chance * 16_807) % 2_147_483_647; return chance / 2_147_483_647; };

/**
 * Pairs of a browser whose audio began at 5,000 ms of performance.now(): below the truth by a saw,
 * and around it by some noise. The sound card may go faster (`ppm`) and have broken off (`stepMs`).
 */
function feed(clock, { fromMs = 0, forMs, stepMs = 0, ppm = 0, saw = 1, noiseMs = 0.2, everyMs = BLOCK_MS, wanderMs = null }) {
  for (let atMs = fromMs + everyMs; atMs <= fromMs + forMs; atMs += everyMs) {
    const below = saw * TOOTH_MS * (1 - ((atMs / 257) % 1)) + noiseMs * (random() - 0.5);
    const heardMs = atMs * (1 + ppm * 1e-6) - stepMs;
    const aheadMs = 80 + (wanderMs ? wanderMs(atMs) : 0);
    clock.add({ contextTime: (heardMs + 80 - aheadMs + below) / 1_000, performanceTime: 5_000 + atMs }, 5_000 + atMs);
  }
}

/** So much below its upper edge a saw's highest pair but one lies here, in each half second. */
const BELOW_MS = 1.3;

/** How wrong the clock is about the sound at an instant after its beginning. */
const wrongMs = (clock, atMs, { stepMs = 0, ppm = 0 } = {}) =>
  clock.performanceMs((atMs * (1 + ppm * 1e-6) - stepMs) / 1_000) - (5_000 + atMs) + BELOW_MS;

test("zeros and pairs that stand still tell nothing", () => {
  const clock = new OutputClock();
  for (let look = 0; look < 50; look += 1) clock.add({ contextTime: 0, performanceTime: 0 }, 0, 5_000);
  for (let look = 0; look < 50; look += 1) clock.add({ contextTime: 0.01, performanceTime: 5_000 + look }, 5_000 + look);
  assert.equal(clock.steady, false);
});

test("half a second makes it steady, near the truth; ten seconds make it sure", () => {
  const clock = new OutputClock();
  feed(clock, { forMs: 500 });
  assert.equal(clock.steady, true);
  assert.ok(Math.abs(wrongMs(clock, 1_000)) < 3, String(wrongMs(clock, 1_000)));
  feed(clock, { fromMs: 500, forMs: 9_500 });
  assert.ok(Math.abs(wrongMs(clock, 10_500)) < 1.5, String(wrongMs(clock, 10_500)));
});

test("two sound cards of other block sizes are heard alike", () => {
  const [with_, without] = [new OutputClock(), new OutputClock()];
  feed(with_, { forMs: 20_000 });
  feed(without, { forMs: 20_000, saw: 0 });
  assert.ok(Math.abs(wrongMs(with_, 20_000) - wrongMs(without, 20_000)) < 1.5);
});

test("a single pair far out, or one from the past, does not move it", () => {
  const clock = new OutputClock();
  feed(clock, { forMs: 5_000 });
  const before = clock.performanceMs(6);
  clock.add({ contextTime: 5.01, performanceTime: 10_900 }, 10_010);
  clock.add({ contextTime: 1, performanceTime: 10_020 }, 10_020);
  feed(clock, { fromMs: 5_020, forMs: 1_000 });
  assert.ok(Math.abs(clock.performanceMs(6) - before) < 1);
});

test("a step that stays is followed after two seconds, and counted", () => {
  for (const stepMs of [42, -20, 10, -6]) {
    const clock = new OutputClock();
    feed(clock, { forMs: 20_000 });
    assert.equal(clock.steps, 0);
    feed(clock, { fromMs: 20_000, forMs: 2_200, stepMs });
    assert.equal(clock.steps, 1, String(stepMs));
    assert.ok(Math.abs(wrongMs(clock, 22_200, { stepMs })) < 2, String(wrongMs(clock, 22_200, { stepMs })));
  }
});

test("a break that the timestamps tell in three goes is still one", () => {
  const clock = new OutputClock();
  feed(clock, { forMs: 4_000 });
  const toldMs = (sinceMs) => (sinceMs < 500 ? 2 : sinceMs < 1_000 ? 10 : 12.5);
  feed(clock, { fromMs: 4_000, forMs: 3_000, wanderMs: (atMs) => toldMs(atMs - 4_000) });
  assert.equal(clock.steps, 1);
  assert.ok(Math.abs(wrongMs(clock, 7_000) - 12) < 2, String(wrongMs(clock, 7_000)));
});

test("a break amid chaos, of 90 ms, is followed though what is told of it does not come to rest", () => {
  const clock = new OutputClock();
  feed(clock, { forMs: 4_000, wanderMs: (atMs) => 3 * Math.sin(atMs / 300) });
  feed(clock, { fromMs: 4_000, forMs: 3_000, wanderMs: (atMs) => 90 + 12 * Math.sin(atMs / 500) });
  assert.ok(clock.steps >= 1);
  assert.ok(Math.abs(wrongMs(clock, 7_000) - 90) < 15, String(wrongMs(clock, 7_000)));
});

test("a step that is too small to be called one is followed once it has lasted", () => {
  const clock = new OutputClock();
  feed(clock, { forMs: 40_000 });
  feed(clock, { fromMs: 40_000, forMs: 25_000, stepMs: 3 });
  assert.equal(clock.steps, 0);
  assert.ok(Math.abs(wrongMs(clock, 65_000, { stepMs: 3 })) < 1, String(wrongMs(clock, 65_000, { stepMs: 3 })));
});

/** As PulseAudio guesses after a start: right at first, ms off from the third second on, then right again. */
const guessedMs = (sinceMs, mostMs) => (sinceMs > 1_000 && sinceMs < 11_000 ? mostMs * Math.sin((Math.PI * (sinceMs - 1_000)) / 10_000) ** 2 : 0);

test("what the system guesses of its own delay at first is not followed", () => {
  for (const mostMs of [10, -12]) {
    const clock = new OutputClock();
    let worst = 0;
    for (let fromMs = 0; fromMs < 40_000; fromMs += 500) {
      feed(clock, { fromMs, forMs: 500, wanderMs: (atMs) => guessedMs(atMs, mostMs) });
      if (fromMs > 1_500) worst = Math.max(worst, Math.abs(wrongMs(clock, fromMs + 500)));
    }
    assert.ok(worst < 3, String(worst));
    assert.ok(Math.abs(wrongMs(clock, 40_000)) < 0.5, String(wrongMs(clock, 40_000)));
    assert.equal(clock.steps, 0);
  }
});

test("nor what it guesses after a break", () => {
  const clock = new OutputClock();
  feed(clock, { forMs: 20_000 });
  let worst = 0;
  for (let fromMs = 20_000; fromMs < 45_000; fromMs += 500) {
    feed(clock, { fromMs, forMs: 500, stepMs: 13, wanderMs: (atMs) => guessedMs(atMs - 20_000, -10) });
    if (fromMs > 22_000) worst = Math.max(worst, Math.abs(wrongMs(clock, fromMs + 500, { stepMs: 13 })));
  }
  assert.ok(worst < 2.5, String(worst));
  assert.equal(clock.steps, 1);
});

test("a break leaves the sound card as fast as it was", () => {
  const clock = new OutputClock();
  feed(clock, { forMs: 45_000, ppm: 500 });
  feed(clock, { fromMs: 45_000, forMs: 10_000, ppm: 500, stepMs: 60 });
  assert.equal(clock.steps, 1);
  assert.ok(Math.abs(clock.drift * 1e6 - 500) < 150, String(clock.drift * 1e6));
  assert.ok(Math.abs(wrongMs(clock, 55_000, { ppm: 500, stepMs: 60 })) < 2, String(wrongMs(clock, 55_000, { ppm: 500, stepMs: 60 })));
});

test("a guess that begins anew without a break is not followed either", () => {
  const clock = new OutputClock();
  feed(clock, { forMs: 30_000 });
  let worst = 0;
  for (let fromMs = 30_000; fromMs < 60_000; fromMs += 500) {
    feed(clock, { fromMs, forMs: 500, wanderMs: (atMs) => guessedMs(atMs - 29_000, -12) });
    worst = Math.max(worst, Math.abs(wrongMs(clock, fromMs + 500)));
  }
  assert.ok(worst < 2.5, String(worst));
  assert.ok(Math.abs(wrongMs(clock, 60_000)) < 0.5);
});

test("some seconds of wandering amid calm ones move it little", () => {
  const clock = new OutputClock();
  feed(clock, { forMs: 40_000 });
  let worst = 0;
  for (let fromMs = 40_000; fromMs < 46_000; fromMs += 500) {
    feed(clock, { fromMs, forMs: 500, wanderMs: (atMs) => (atMs < 45_000 ? -3.5 * Math.exp((40_000 - atMs) / 2_000) : 0) });
    worst = Math.max(worst, Math.abs(wrongMs(clock, fromMs + 500)));
  }
  assert.ok(worst < 1.2, String(worst));
});

test("another delay that stays, as of another speaker, is believed after some seconds", () => {
  const clock = new OutputClock();
  feed(clock, { forMs: 15_000 });
  feed(clock, { fromMs: 15_000, forMs: 9_000, wanderMs: () => 150 });
  assert.equal(clock.steps, 1);
  assert.ok(Math.abs(wrongMs(clock, 24_000) - 150) < 2, String(wrongMs(clock, 24_000)));
});

test("a sound card that is 500 ppm off is followed to a fraction of a millisecond", () => {
  for (const ppm of [500, -1_000]) {
    const clock = new OutputClock();
    feed(clock, { forMs: 45_000, ppm });
    assert.ok(Math.abs(clock.drift * 1e6 - ppm) < 0.2 * Math.abs(ppm), String(clock.drift * 1e6));
    assert.ok(Math.abs(wrongMs(clock, 45_200, { ppm })) < 3, String(wrongMs(clock, 45_200, { ppm })));
    assert.equal(clock.steps, 0);
  }
});

test("asked once a second, as in a background tab, it keeps what it knew", () => {
  const clock = new OutputClock();
  feed(clock, { forMs: 10_000 });
  feed(clock, { fromMs: 10_000, forMs: 60_000, everyMs: 1_000 });
  assert.equal(clock.steps, 0);
  assert.ok(Math.abs(wrongMs(clock, 70_000)) < 4, String(wrongMs(clock, 70_000)));
});

test("after a reset it is not steady", () => {
  const clock = new OutputClock();
  feed(clock, { forMs: 5_000 });
  clock.reset();
  assert.equal(clock.steady, false);
});
