// The page's clock gives the answers of the bots' clock.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ClusterClock } from "../../httpapi/web/clock.js";

const vectors = JSON.parse(readFileSync(new URL("../protocol/clock_vectors.json", import.meta.url), "utf8"));
const near = (actual, expected, within, what) =>
  assert.ok(Math.abs(actual - expected) <= within, `${what}: ${actual} is not ${expected}`);

for (const { name, probes, checks } of vectors) {
  test(`${name}: the same as the bots' clock`, () => {
    const clock = new ClusterClock();
    const due = new Map(checks.map((check) => [check.after, check]));
    probes.forEach((probe, index) => {
      clock.add(...probe);
      const check = due.get(index + 1);
      if (!check) return;
      near(clock.clusterMs(check.local_ms) - check.local_ms, check.offset_ms, 0.002, "offset");
      near(clock.rttMs, check.rtt_ms, 0.002, "round trip");
      near(clock.drift, check.drift, 1e-8, "drift");
      near(clock.localMs(clock.clusterMs(check.local_ms)), check.local_ms, 0.002, "there and back");
    });
    assert.ok(checks.length > 3);
  });
}

test("ready is told once", () => {
  const clock = new ClusterClock();
  let told = 0;
  clock.addEventListener("ready", () => { told += 1; });
  assert.equal(clock.ready, false);
  clock.add(0, 1_000, 1_000, 2);
  clock.add(250, 1_250, 1_250, 252);
  assert.equal(told, 1);
});
