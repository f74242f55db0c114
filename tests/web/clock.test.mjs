// The page's clock says what its Python twin says, on the same probes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ClusterClock } from "../../httpapi/web/clock.js";

const cases = JSON.parse(readFileSync(new URL("../protocol/clock_vectors.json", import.meta.url), "utf8"));
const near = (actual, expected, within) =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not ${expected} ± ${within}`);

test("there are vectors", () => assert.ok(cases.length >= 3));

for (const { name, probes, checks } of cases) {
  test(`${name}: the same instants as the twin`, () => {
    const clock = new ClusterClock();
    const due = new Map(checks.map((check) => [check.after, check]));
    probes.forEach((probe, index) => {
      clock.add(...probe);
      const check = due.get(index + 1);
      if (!check) return;
      near(clock.clusterMs(check.local_ms) - check.local_ms, check.offset_ms, 0.01);
      near(clock.rttMs, check.rtt_ms, 0.01);
      near(clock.drift, check.drift, 1e-7);
    });
  });
}

test("local and cluster time are each other's inverse, with drift too", () => {
  const clock = new ClusterClock();
  for (const probe of cases.find(({ name }) => name === "drifting").probes) clock.add(...probe);
  assert.ok(clock.drift > 1e-4);
  for (const ahead of [-5_000, 0, 1, 60_000]) {
    const local = cases[0].probes.at(-1)[3] + ahead;
    near(clock.localMs(clock.clusterMs(local)), local, 0.001);
  }
});

test("ready is told once, after a few probes", () => {
  const clock = new ClusterClock();
  let told = 0;
  clock.addEventListener("ready", () => { told += 1; });
  const after = cases[0].probes.slice(0, 8).map((probe) => { clock.add(...probe); return told; });
  assert.deepEqual(after, [0, 0, 1, 1, 1, 1, 1, 1]);
  assert.equal(clock.ready, true);
});
