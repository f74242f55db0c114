// What was measured, from the answers of PulseAudio's client library: its own filters, written again here from
// `pulsecore/time-smoother_2.c`, with measurements that are known.

import assert from "node:assert/strict";
import { test } from "node:test";

import { OutputClock } from "../../httpapi/web/output.js";
import { Smoother } from "../../httpapi/web/smoother.js";

const WINDOW_MS = 5_000;
const ASKED_MS = 40;
const HEARD_MS = 80; // how late it is heard, in truth
let chance = 1;
const random = () => { chance = (chance * 16_807) % 2_147_483_647; return chance / 2_147_483_647; };

/** The library's answers, without the filter that it adds once it is very sure (0.2 ms). It counts what has been played by the sound card, in ms, at instants of the system's clock. */
class Library {
  #driftFilter = 1;
  #driftFilter1 = 1;
  #factor = 1;
  #begun = null; // {startMs, startPlayed, smootherStartMs, lastMs}

  put(nowMs, played) {
    if (!this.#begun) {
      this.#begun = { startMs: nowMs, startPlayed: played, smootherStartMs: nowMs, lastMs: nowMs };
      return;
    }
    const begun = this.#begun;
    const iteration = nowMs - begun.lastMs;
    if (nowMs < begun.smootherStartMs + 100) return;
    const passed = nowMs - begun.startMs;
    const slow = WINDOW_MS / 6.2831853;
    const [constant, constant1] = [iteration / (iteration + slow / 8), iteration / (iteration + slow)];
    const drift = (this.#driftFilter1 + 1) * (1.5 - (played - begun.startPlayed) / passed);
    this.#driftFilter = (1 - constant) * this.#driftFilter + constant * drift;
    this.#driftFilter1 = (1 - constant) * this.#driftFilter1 + constant * this.#driftFilter;
    this.#factor = (1 - constant1) * this.#factor + constant1 * (this.#driftFilter1 + 3) / (this.#driftFilter1 + 1) / 2;
    if (nowMs > begun.smootherStartMs + WINDOW_MS) {
      begun.startPlayed += (played - begun.startPlayed) / passed * iteration;
      begun.startMs += iteration;
    }
    begun.lastMs = nowMs;
  }

  /** After an underrun: the next measurement is a first one. */
  pause() {
    this.#begun = null;
  }

  played(nowMs) {
    return this.#begun.startPlayed + (nowMs - this.#begun.startMs) * this.#factor;
  }
}

/**
 * A page's sound from `fromMs` to `toMs`: the library measures with the errors of `errorMs(nowMs)`, at the distances it
 * keeps; the page asks and gives `told` what it is answered. The sound breaks off at `breaks`, [{atMs, forMs}].
 */
function listen(told, { fromMs = 1_000, toMs, errorMs, ppm = 0, noiseMs = 0.1, breaks = [], silences = [] }) {
  const library = new Library();
  let [putMs, intervalMs, askMs, lostMs] = [fromMs, 10, fromMs + 1, 0];
  const waiting = [...breaks];
  while (askMs < toMs) {
    if (waiting.length && askMs >= waiting[0].atMs) {
      lostMs += waiting.shift().forMs;
      library.pause();
      [putMs, intervalMs] = [askMs, 10];
    }
    while (putMs <= askMs) {
      library.put(putMs, putMs * (1 + ppm * 1e-6) - HEARD_MS - lostMs - errorMs(putMs));
      putMs += intervalMs;
      intervalMs = Math.min(1_500, intervalMs * 2);
    }
    told(askMs, askMs - library.played(askMs) + noiseMs * (random() - 0.5), lostMs);
    askMs += ASKED_MS * (0.6 + 0.8 * random());
    if (silences.length && askMs > silences[0].atMs) askMs += silences.shift().forMs;
  }
}

/** The first measurement after a start is the worst, and now and then the computer was busy. */
const usual = (worstMs) => (atMs) => (atMs < 1_010 ? worstMs : random() < 0.1 ? 4 * random() : 0.3 * random());

test("what was measured comes out, from two seconds on to a fraction of a ms, though the answers are far off", () => {
  for (const worstMs of [6, -5]) {
    const errors = new Map();
    const errorMs = (atMs) => {
      const ms = usual(worstMs)(atMs);
      errors.set(atMs, ms);
      return ms;
    };
    const smoother = new Smoother();
    const [found, answers] = [[], []];
    listen((atMs, heardMs) => {
      answers.push(Math.abs(heardMs - HEARD_MS));
      const measurement = smoother.add(atMs, heardMs);
      if (measurement) found.push(measurement);
    }, { toMs: 41_000, errorMs });
    assert.ok(Math.max(...answers) > 5, String(Math.max(...answers)));
    assert.ok(found.length >= 24, String(found.length));
    for (const { atMs, heardMs, doubtMs } of found.filter((one) => one.atMs > 2_000)) {
      const [, ms] = [...errors].reduce((best, one) => (Math.abs(one[0] - atMs) < Math.abs(best[0] - atMs) ? one : best));
      assert.ok(Math.abs(heardMs - HEARD_MS - ms) < 3 * doubtMs, `at ${atMs}: ${heardMs - HEARD_MS} instead of ${ms}`);
    }
  }
});

test("answers that nothing filters come out as they are; a saw, or noise, as nothing", () => {
  const flat = new Smoother();
  const saw = new Smoother();
  const noisy = new Smoother();
  let [seen, seenOfSaw, seenOfNoise] = [0, 0, 0];
  for (let atMs = 0; atMs < 60_000; atMs += ASKED_MS) {
    const measurement = flat.add(atMs, HEARD_MS + 0.1 * random());
    if (measurement) assert.ok(Math.abs(measurement.heardMs - HEARD_MS) < 3 * measurement.doubtMs, String(measurement.heardMs));
    if (measurement) seen += 1;
    if (saw.add(atMs, HEARD_MS - 20 * (1 - ((atMs / 257) % 1)))) seenOfSaw += 1;
    if (noisy.add(atMs, HEARD_MS + 6 * random())) seenOfNoise += 1;
  }
  assert.ok(seen > 30, String(seen));
  assert.deepEqual([seenOfSaw, seenOfNoise], [0, 0]);
});

/** How wrong a page's clock is, second by second. */
function wrongMs(how) {
  const clock = new OutputClock();
  const wrong = [];
  listen((atMs, heardMs, lostMs) => {
    clock.add({ contextTime: (atMs - heardMs) / 1_000, performanceTime: atMs }, atMs);
    const second = Math.floor((atMs - 1_000) / 1_000);
    const truthMs = ((atMs - HEARD_MS) * (1 + (how.ppm ?? 0) * 1e-6) - lostMs) / 1_000;
    if (clock.steady) wrong[second] = Math.max(wrong[second] ?? 0, Math.abs(clock.performanceMs(truthMs) - atMs));
  }, how);
  return { clock, wrong };
}

test("the page is right from the fourth second on, where answers are wrong for sixteen", () => {
  for (const worstMs of [6, -5]) {
    const { clock, wrong } = wrongMs({ toMs: 41_000, errorMs: usual(worstMs) });
    assert.ok(Math.max(...wrong.slice(4)) < 2, wrong.map((ms) => ms.toFixed(1)).join(" "));
    assert.equal(clock.steps, 1, "when enough has been measured");
  }
});

test("after a break it is right again within three seconds, and tells it", () => {
  for (const forMs of [12, 45]) {
    const { clock, wrong } = wrongMs({ toMs: 41_000, errorMs: usual(3), breaks: [{ atMs: 20_300, forMs }] });
    assert.ok(Math.max(...wrong.slice(4, 19)) < 2, wrong.map((ms) => ms.toFixed(1)).join(" "));
    assert.ok(Math.max(...wrong.slice(22)) < 2, wrong.map((ms) => ms.toFixed(1)).join(" "));
    assert.equal(clock.steps, 3, "and after the break, again");
  }
});

test("a break while the measurements of a start still come is not taken for one of them", () => {
  const { wrong } = wrongMs({ toMs: 21_000, errorMs: usual(3), breaks: [{ atMs: 1_250, forMs: 30 }] });
  assert.ok(Math.max(...wrong.slice(4)) < 4, wrong.map((ms) => ms.toFixed(1)).join(" "));
});

test("a page that is too busy to ask for a while in its first seconds takes no guess for a break", () => {
  // By these chances a measurement lies amid guesses as far off as a break would.
  for (const seed of [1, 51, 115, 154, 183]) {
    chance = 7_919 * seed;
    const silences = [[2_000, 300], [4_000, 450], [6_000, 700], [8_000, 2_500]].map(([atMs, forMs]) => ({ atMs, forMs }));
    const { clock, wrong } = wrongMs({ toMs: 41_000, errorMs: usual(5), silences });
    assert.ok(Math.max(...wrong.slice(4).filter(Number.isFinite)) < 3, wrong.map((ms) => ms.toFixed(1)).join(" "));
    assert.ok(clock.steps <= 2, String(clock.steps));
  }
});

test("noise of any size makes it hardly more wrong than itself", () => {
  for (const noiseMs of [0.2, 0.4, 0.5, 0.7, 1, 2, 6]) {
    const clock = new OutputClock();
    let worst = 0;
    for (let atMs = 1_000; atMs < 120_000; atMs += 43) {
      clock.add({ contextTime: (atMs - HEARD_MS - noiseMs * (random() - 0.5)) / 1_000, performanceTime: atMs }, atMs);
      if (atMs > 6_000) worst = Math.max(worst, Math.abs(clock.performanceMs((atMs - HEARD_MS) / 1_000) - atMs));
    }
    assert.ok(worst < noiseMs + 0.8, `${noiseMs}: ${worst}`);
    assert.ok(clock.steps <= 1, `${noiseMs}: ${clock.steps}`);
  }
});

test("a sound card that goes at another rate is followed", () => {
  for (const ppm of [-100, 500, -500]) {
    const { clock, wrong } = wrongMs({ toMs: 61_000, errorMs: usual(4), ppm });
    assert.ok(Math.max(...wrong.slice(25)) < 1, wrong.map((ms) => ms.toFixed(1)).join(" "));
    assert.ok(Math.abs(clock.drift * 1e6 - ppm) < 40, String(clock.drift * 1e6));
  }
});
