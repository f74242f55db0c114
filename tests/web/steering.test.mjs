// Leave it, bend it, or jump; and reading between samples.

import assert from "node:assert/strict";
import { test } from "node:test";

import { addResampled, REACH } from "../../httpapi/web/resample.js";
import { Steering } from "../../httpapi/web/steering.js";

const QUANTUM_MS = 128 / 48;

/** Steer a sound that is so far off until it rests: what was done. */
function steer(errorMs, steering, forMs = 40_000) {
  const told = { jumps: 0, fastest: 0, steepest: 0, errorMs };
  for (let atMs = 0; atMs < forMs; atMs += QUANTUM_MS) {
    const before = steering.bend;
    if (steering.jumps(told.errorMs, QUANTUM_MS)) {
      told.jumps += 1;
      told.errorMs = 0;
      steering.rest();
      continue;
    }
    told.fastest = Math.max(told.fastest, Math.abs(steering.bend));
    told.steepest = Math.max(told.steepest, Math.abs(steering.bend - before));
    told.errorMs += steering.bend * QUANTUM_MS;
  }
  return told;
}

const settled = () => {
  const steering = new Steering();
  steer(0, steering, 4_000);
  return steering;
};

test("settled: little is left alone, what is off is bent by at most 0.1 %, far off is one jump", () => {
  assert.deepEqual(steer(0.09, settled()), { jumps: 0, fastest: 0, steepest: 0, errorMs: 0.09 });
  for (const errorMs of [0.3, -2, 2.9]) {
    const told = steer(errorMs, settled());
    assert.equal(told.jumps, 0);
    assert.ok(told.fastest <= 0.001 + 1e-12);
    assert.ok(Math.abs(told.errorMs) < 0.1, `${errorMs}: ${told.errorMs}`);
  }
  assert.equal(steer(-31, settled()).jumps, 1);
});

test("settled, what stays off by more than 3 ms for a second is put right as after a break", () => {
  for (const [errorMs, jumps, fastest] of [[3.2, 0, 0.005], [8, 0, 0.005], [-8, 0, 0.005], [29, 1, 0.001]]) {
    const steering = settled();
    const told = steer(errorMs, steering, 4_000);
    assert.equal(told.jumps, jumps, `${errorMs}`);
    assert.ok(Math.abs(told.errorMs) < 0.3, `${errorMs}: ${told.errorMs}`);
    assert.ok(Math.abs(told.fastest - fastest) < 1e-3, `${errorMs}: ${told.fastest}`);
  }
  const wavering = settled();
  for (let turn = 0; turn < 20; turn += 1) {
    assert.equal(wavering.jumps(20, 900), false, "for less than a second it is borne");
    assert.equal(wavering.settling, false);
    wavering.jumps(0, QUANTUM_MS);
  }
});

test("once that is right the limits are what they were", () => {
  for (const errorMs of [8, 29]) {
    const steering = settled();
    steer(errorMs, steering, 3_300);
    assert.equal(steering.settling, false, `${errorMs}`);
    assert.equal(steering.jumps(12, QUANTUM_MS), false);
  }
  // What began like a break has its 3 s, whatever stays off in them.
  const begun = new Steering();
  steer(0.05, begun, 2_000);
  assert.equal(begun.settling, true);
});

test("amid two joined tracks nothing is put right", () => {
  const steering = settled();
  for (let step = 0; step < 1_000; step += 1) assert.equal(steering.jumps(20, QUANTUM_MS, true), false);
  assert.equal(steering.settling, false);
  steer(8, steering, 1_100);
  assert.equal(steering.settling, true);
  assert.equal(steering.jumps(20, QUANTUM_MS, true), false, "nor what was to be put right before");
});

test("in the first 3 s: up to 0.5 %, and a jump above 10 ms", () => {
  const told = steer(9, new Steering(), 3_000);
  assert.equal(told.jumps, 0);
  assert.ok(told.fastest > 0.004 && told.fastest <= 0.005 + 1e-12);
  assert.ok(Math.abs(told.errorMs) < 0.3, String(told.errorMs));
  assert.equal(steer(11, new Steering()).jumps, 1);
});

test("the rate is never changed at once", () => {
  assert.ok(steer(9, new Steering()).steepest < 1e-4);
});

test("between samples lies what the tone says, at any rate, and on them the sample itself", () => {
  const tone = (at, hertz) => Math.sin((2 * Math.PI * hertz * at) / 48_000);
  for (const hertz of [100, 5_000, 15_000]) {
    const samples = Float32Array.from({ length: 600 }, (_, at) => tone(at, hertz));
    for (const [at, rate] of [[REACH + 0.37, 1.001], [REACH + 0.5, 1], [REACH, 0.995]]) {
      const out = new Float32Array(500);
      addResampled(out, samples, at, rate, new Float32Array(500).fill(1));
      const worst = out.reduce((most, value, index) => Math.max(most, Math.abs(value - tone(at + index * rate, hertz))), 0);
      assert.ok(worst < 0.003, `${hertz} Hz: ${worst}`);
    }
    const same = new Float32Array(500);
    addResampled(same, samples, REACH, 1, new Float32Array(500).fill(1));
    assert.deepEqual(same, samples.slice(REACH, REACH + 500));
  }
});
