// The closed loop on simulated devices: what a listener would hear, against what the room hears.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ClusterClock } from "../../httpapi/web/clock.js";
import { Pilot } from "../../httpapi/web/pilot.js";
import { Tape } from "../../httpapi/web/tape.js";

const QUANTUM = 128;
const OFFSET_MS = 1_790_000_000_000; // cluster time less this device's clock
const MINUTE = new Float32Array(60 * 48_000);
const FOREVER = 1e12;
const left = new Float32Array(QUANTUM);
const right = new Float32Array(QUANTUM);

/** A browser with its sound card, in a time of its own. All `...Ms` are of performance.now(). */
class Device {
  #chance = 7;
  #frame = 0;
  #askedAtMs = -Infinity;
  #probedAtMs = -Infinity;
  #lookedAtMs = -Infinity;
  #clock = new ClusterClock();
  #pilot = new Pilot(this.#clock);
  #tape = new Tape();
  nowMs = 1_000;
  jumps = 0;
  /** How late frame 0 was heard; grows when the sound breaks off. */
  soundAtMs = 1_080;
  clockMovedMs = 0; // cluster time went on while this device's clock stood still

  constructor({ ppm = 0, clockPpm = 0, sawMs = 21, noiseMs = 0.3, wayMs = 2, jitterMs = 1, quantumMs = 0.1, lookEveryMs = 21, timestamps = true, lostFor = [0, 0], framesHz = 48_000 } = {}) {
    Object.assign(this, { ppm, clockPpm, sawMs, noiseMs, wayMs, jitterMs, quantumMs, lookEveryMs, timestamps, lostFor, framesHz });
    for (let minute = -1; minute < 15; minute += 1) this.#tape.add("x", minute * MINUTE.length, MINUTE, MINUTE);
    this.#tape.plan([{ stream: "x", origin: 0, from: -FOREVER, to: FOREVER, gain: 1, softStart: false, softEnd: false }]);
  }

  #random() {
    this.#chance = (this.#chance * 16_807) % 2_147_483_647;
    return this.#chance / 2_147_483_647;
  }

  clusterMs(atMs) {
    return OFFSET_MS + this.clockMovedMs + atMs * (1 + this.clockPpm * 1e-6);
  }

  /** The instant at which a frame is heard. */
  heardMs(frame) {
    return this.soundAtMs + (frame * 1_000) / this.framesHz / (1 + this.ppm * 1e-6);
  }

  /** How far what is heard now is from the schedule, ms; positive: too late. */
  get wrongMs() {
    const { place } = this.#tape.look(this.#frame);
    return (this.#pilot.placeOf(this.clusterMs(this.heardMs(this.#frame))) - place) / 48;
  }

  #probe() {
    const way = () => this.wayMs + this.jitterMs * (this.#random() * 2 - 1);
    const [t0, t3] = [this.nowMs, this.nowMs + way() + way()];
    const t1 = this.clusterMs(t0 + way());
    this.#clock.add(t0, t1, t1, Math.max(t3, t0 + (t1 - this.clusterMs(t0)) + way()));
  }

  #timestamp() {
    const [from, to] = this.lostFor;
    if (this.timestamps === false || (this.nowMs > from && this.nowMs < to)) return { contextTime: 0, performanceTime: 0 };
    const below = this.sawMs * (1 - ((this.nowMs / 257) % 1)) + this.noiseMs * (this.#random() - 0.5);
    const atMs = Math.round(this.nowMs / this.quantumMs) * this.quantumMs;
    return { contextTime: ((atMs - this.soundAtMs) * (1 + this.ppm * 1e-6) + below) / 1_000, performanceTime: atMs };
  }

  /** Live for so long; the worst error from `settleMs` on. */
  run(forMs, settleMs = 0) {
    const endMs = this.nowMs + forMs;
    const judgedFromMs = this.nowMs + settleMs;
    let worst = 0;
    while (this.nowMs < endMs) {
      this.nowMs += (QUANTUM * 1_000) / this.framesHz;
      // A browser asks ahead of what is heard, as far as its buffer goes.
      while (this.heardMs(this.#frame) < this.nowMs + 60) {
        this.#tape.process(this.#frame, left, right);
        this.#frame += QUANTUM;
      }
      if (this.nowMs - this.#probedAtMs > (this.nowMs < 7_000 ? 250 : 1_000)) {
        this.#probedAtMs = this.nowMs;
        this.#probe();
      }
      if (this.nowMs - this.#lookedAtMs < this.lookEveryMs) continue;
      this.#lookedAtMs = this.nowMs;
      this.#pilot.add(this.#timestamp(), this.nowMs);
      if (this.#pilot.ready && this.nowMs - this.#askedAtMs > 80) {
        this.#askedAtMs = this.nowMs;
        if (this.#pilot.hasBroken) this.#tape.settle();
        this.#tape.follow(this.#pilot.line(this.#frame, this.framesHz));
        const { jumps } = this.#tape.look(this.#frame);
        this.jumps += jumps;
        if (this.nowMs > judgedFromMs) worst = Math.max(worst, Math.abs(this.wrongMs));
      }
    }
    return worst;
  }

  /** The sound card stops for a while and goes on. */
  hiccup(ms) {
    this.soundAtMs += ms;
  }

  /** The lid is shut: neither the clock nor the sound goes on, the room does. */
  sleep(ms) {
    this.clockMovedMs += ms;
  }

  set isUnderHisOwnDelay(ms) {
    this.#pilot.offsetMs = ms;
  }
}

const cases = {
  "a good device": [{}, 2],
  "a sound card 1,000 ppm fast": [{ ppm: 1_000 }, 4, 30],
  "a sound card 1,000 ppm slow": [{ ppm: -1_000 }, 4, 30],
  "a clock 500 ppm fast, and so is what it says of the sound": [{ clockPpm: -500, ppm: -500 }, 4],
  "a sound card of 44,100 Hz": [{ framesHz: 44_100 }, 2],
  "timestamps in steps of 5 ms": [{ quantumMs: 5 }, 4],
  "noisy timestamps": [{ noiseMs: 6 }, 4],
  "a network of 30 ± 10 ms": [{ wayMs: 30, jitterMs: 10 }, 5],
};
for (const [name, [how, boundMs, fromS = 12]] of Object.entries(cases)) {
  test(`${name}: within ${boundMs} ms from ${fromS} s on, and never a jump`, () => {
    const device = new Device(how);
    device.run(3_000);
    device.jumps = 0;
    const worst = device.run(20_000 + fromS * 1_000, (fromS - 3) * 1_000);
    assert.ok(worst < boundMs, String(worst));
    assert.equal(device.jumps, 0);
  });
}

test("a hiccup of the sound card is made good with one jump, within two seconds", () => {
  const device = new Device();
  device.run(12_000);
  device.jumps = 0;
  device.hiccup(45);
  const worst = device.run(10_000, 2_500);
  assert.ok(worst < 2, String(worst));
  assert.equal(device.jumps, 1);
});

test("a small hiccup is bent back, not jumped", () => {
  const device = new Device();
  device.run(12_000);
  device.jumps = 0;
  device.hiccup(8);
  const worst = device.run(10_000, 5_000);
  assert.ok(worst < 2, String(worst));
  assert.equal(device.jumps, 0);
});

test("timestamps that are zero for a while, or stale, leave it where it was", () => {
  const device = new Device({ lostFor: [12_000, 24_000] });
  device.run(11_000);
  assert.ok(device.run(14_000) < 2);
  const never = new Device({ timestamps: false });
  never.run(5_000);
  assert.equal(never.jumps, 0);
});

test("asked once a second, as in the background, it stays", () => {
  const device = new Device();
  device.run(12_000);
  device.lookEveryMs = 1_000;
  assert.ok(device.run(30_000) < 4);
});

test("a burst of jitter on the network moves nothing", () => {
  const device = new Device();
  device.run(12_000);
  Object.assign(device, { wayMs: 200, jitterMs: 150 });
  assert.ok(device.run(14_000) < 2);
  Object.assign(device, { wayMs: 2, jitterMs: 1 });
  assert.ok(device.run(14_000) < 2);
});

test("sleep and waking: right again within three seconds", () => {
  const device = new Device();
  device.run(12_000);
  device.sleep(600_000);
  const worst = device.run(10_000, 3_000);
  assert.ok(worst < 2, String(worst));
});

test("another loudspeaker with another delay is followed", () => {
  const device = new Device();
  device.run(15_000);
  device.hiccup(180);
  device.sawMs = 5;
  assert.ok(device.run(15_000, 3_500) < 3);
});

test("what the listener knows of the delay is counted in", () => {
  const device = new Device();
  device.run(12_000);
  device.isUnderHisOwnDelay = 12;
  device.run(30_000);
  assert.ok(Math.abs(device.wrongMs + 12) < 1.5, String(device.wrongMs));
});
