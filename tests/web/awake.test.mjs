// The lock of the screen and the keys of the headset, as a browser sees them.

import assert from "node:assert/strict";
import { test } from "node:test";

const requests = [];
const places = [];
const keys = {
  handlers: {},
  setActionHandler(act, handler) { this.handlers[act] = handler; },
  setPositionState(place) { places.push(place); },
};
const given = [];
globalThis.document = Object.assign(new EventTarget(), { hidden: false });
globalThis.MediaMetadata = class { constructor(what) { given.push(what.title); } };
Object.defineProperty(globalThis, "navigator", {
  value: { mediaSession: keys, wakeLock: { request: () => new Promise((resolve) => { requests.push(resolve); }) } },
});

const { Awake } = await import("../../httpapi/web/awake.js");

class Lock extends EventTarget {
  released = false;

  async release() {
    this.released = true;
    this.dispatchEvent(new Event("release"));
  }
}

/** The browser answers the oldest request. */
async function answer() {
  const lock = new Lock();
  requests.shift()(lock);
  await new Promise(setImmediate);
  return lock;
}

const track = { track_id: "t1", title: "One", artist: "A", has_cover: false };

test("one lock at a time, and none is left behind", async () => {
  const awake = new Awake();
  awake.show(track, true, null);
  awake.show(track, true, null);
  assert.equal(requests.length, 1);
  const first = await answer();
  awake.show(track, false, null);
  assert.ok(first.released);
  awake.show(track, true, null);
  const second = await answer();
  first.dispatchEvent(new Event("release")); // late: it is not the one that is held
  awake.show(track, true, null);
  assert.equal(requests.length, 0);
  await second.release(); // the browser takes it away
  awake.show(track, true, null);
  assert.equal(requests.length, 1);
  awake.end();
  assert.ok((await answer()).released, "what comes too late is given back");
});

test("the system is told of a track once, and of no act that may not be done", () => {
  const awake = new Awake();
  given.length = 0;
  const next = () => {};
  for (const isPlaying of [true, true, false]) awake.show(track, isPlaying, { next });
  assert.deepEqual(given, ["One"]);
  assert.deepEqual(keys.handlers, { play: null, pause: null, nexttrack: next, seekto: null, seekbackward: null, seekforward: null });
  assert.equal(keys.playbackState, "paused");
  awake.show({ ...track, track_id: "t2", title: "Two" }, true, { next });
  assert.deepEqual(given, ["One", "Two"]);
  awake.end();
  assert.deepEqual([keys.metadata, keys.handlers.nexttrack, keys.playbackState], [null, null, "none"]);
});

test("the keys seek, and the display is told a place only where it expects another", () => {
  const awake = new Awake();
  const sought = [];
  const acts = { seek: (positionMs) => sought.push(positionMs), positionMs: () => 42_000 };
  const show = (isPlaying, positionMs) => awake.show(track, isPlaying, acts, { durationMs: 60_000, positionMs });
  show(true, 42_000);
  show(true, 42_100);
  assert.deepEqual(places, [{ duration: 60, position: 42 }]);
  show(true, 7_000);
  show(false, 7_000);
  assert.deepEqual(places.slice(1), Array(2).fill({ duration: 60, position: 7 }));
  keys.handlers.seekto({ seekTime: 30 });
  keys.handlers.seekbackward({ seekOffset: null });
  keys.handlers.seekforward({ seekOffset: 5 });
  assert.deepEqual(sought, [30_000, 32_000, 47_000]);
  awake.end();
  assert.equal(places.at(-1), undefined, "nothing is left on the display");
});
