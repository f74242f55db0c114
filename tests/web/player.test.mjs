// The player and what a browser does to its sound: refuses it, stops it, lets it go on.

import assert from "node:assert/strict";
import { test } from "node:test";

const contexts = [];
let isOffline = true;
let ownHz = 48_000; // of the sound card
const sent = []; // to the audio thread
globalThis.document = new EventTarget();
globalThis.localStorage = { getItem: () => null, setItem() {} };
const decoders = [];
globalThis.OfflineAudioContext = class { constructor({ sampleRate }) { decoders.push(sampleRate); } };
globalThis.GainNode = class { connect() {} };
globalThis.AudioWorkletNode = class {
  port = { postMessage: ({ act, args }) => sent.push([act, ...args]) };
  connect() {}
};
globalThis.AudioContext = class extends EventTarget {
  state = "suspended";
  audioWorklet = { addModule: async () => { if (isOffline) throw new Error("not loaded"); } };

  constructor({ sampleRate = ownHz }) {
    super();
    this.sampleRate = sampleRate;
    contexts.push(this);
  }

  async resume() { this.#become("running"); }
  async suspend() { this.#become("suspended"); }
  async close() { this.#become("closed"); }

  #become(state) {
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
};

const { ClusterClock } = await import("../../httpapi/web/clock.js");
const { Player } = await import("../../httpapi/web/player.js");
const settled = () => new Promise(setImmediate);

test("a sound that could not be opened is opened by the next act, and told once", async () => {
  const player = new Player(new ClusterClock());
  const told = [];
  player.addEventListener("error", ({ detail }) => told.push(detail.problem.message));
  for (let click = 0; click < 2; click += 1) {
    player.unlock();
    await settled();
    assert.equal(player.unlocked, false);
  }
  assert.deepEqual(told, ["not loaded"]);
  assert.deepEqual(contexts.map(({ state }) => state), ["closed", "closed"]);
  isOffline = false;
  player.unlock();
  await settled();
  assert.ok(player.unlocked);
  assert.equal(contexts.length, 3);
});

test("where the sound stood still nothing goes on from where it was, and nothing is measured", async () => {
  isOffline = false;
  const player = new Player(new ClusterClock());
  player.unlock();
  await settled();
  for (const act of ["suspend", "resume"]) {
    sent.length = 0;
    player.errorMs = 1;
    await contexts.at(-1)[act]();
    assert.deepEqual(sent, [["follow", null], ["settle"]]);
    assert.equal(player.errorMs, null);
  }
});

test("it plays at the sound card's own rate, but not below that of music, and decodes at 48 kHz", async () => {
  isOffline = false;
  for (const [hz, playsHz] of [[48_000, 48_000], [44_100, 44_100], [16_000, 48_000]]) {
    ownHz = hz;
    new Player(new ClusterClock()).unlock();
    await settled();
    assert.equal(contexts.at(-1).sampleRate, playsHz);
    assert.equal(contexts.at(-1).state, "running");
  }
  assert.equal(contexts.at(-2).state, "closed");
  assert.ok(decoders.every((hz) => hz === 48_000));
});
