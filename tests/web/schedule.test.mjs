// From a snapshot to what sounds when.

import assert from "node:assert/strict";
import { test } from "node:test";

import { positionAt } from "../../httpapi/web/fold.js";
import { changesAtMs, cues, pieces } from "../../httpapi/web/schedule.js";

const T = 1_790_000_000_000;
const entry = (name, seconds) => ({
  entry_id: `e-${name}`,
  track: { track_id: `t-${name}`, duration_samples: seconds * 48_000, duration_ms: seconds * 1_000 },
});
const [one, two, three] = [entry("one", 10), entry("two", 4), entry("three", 60)];
const room = (playback = {}, queue = [two, three]) => ({
  suspended: false,
  queue,
  playback: {
    status: "playing", entry: one, started_at_ms: T, position_ms: 2_000, rate: 1, wait_until_ms: null,
    upcoming: [
      { entry_id: "e-two", started_at_ms: T + 8_000 },
      { entry_id: "e-three", started_at_ms: T + 12_000 },
    ],
    ...playback,
  },
});

test("the current entry and the agreed starts are one chain without gaps", () => {
  const list = cues(room());
  assert.deepEqual(list.map((cue) => [cue.entryId, cue.atMs - T, cue.positionMs, cue.endMs - T]), [
    ["e-one", 0, 2_000, 8_000], ["e-two", 8_000, 0, 12_000], ["e-three", 12_000, 0, 72_000]]);
});

test("nothing sounds while nothing moves", () => {
  for (const playback of [
    { status: "paused" }, { status: "idle", entry: null, started_at_ms: null }, { status: "waiting", started_at_ms: null },
  ]) assert.deepEqual(cues(room(playback)), []);
  assert.deepEqual(cues({ ...room(), suspended: true }), []);
});

test("an agreed start of an entry that left the queue is left out", () => {
  assert.deepEqual(cues(room({}, [three])).map((cue) => cue.entryId), ["e-one", "e-three"]);
});

test("a later joiner's position is that of all others", () => {
  const [cue] = cues(room());
  assert.equal(cue.positionMs + 3_000, positionAt(room().playback, T + 3_000));
});

test("what sounds holds until the act-at instant; a room that sleeps is silent at once", () => {
  assert.equal(changesAtMs(room({ status: "paused", started_at_ms: T + 250 })), T + 250);
  assert.equal(changesAtMs(room()), T);
  assert.equal(changesAtMs(room({ status: "idle", started_at_ms: null })), null);
  assert.equal(changesAtMs({ ...room(), suspended: true }), null);
});

const describe = (trackId) => ({ stream: trackId, gain: 1 });
const laid = (snapshot, before = [], nowMs = T + 1_000) => pieces(snapshot, before, { nowMs, originMs: T, describe });
const said = (list) => list.map(({ stream, from, to, origin, softStart, softEnd }) => [stream, from / 48, to / 48, origin / 48, softStart, softEnd]);

test("on the tape the chain is joined to the sample, and begins amid the music softly", () => {
  assert.deepEqual(said(laid(room())), [["t-one", 0, 8_000, -2_000, true, false],
    ["t-two", 8_000, 12_000, 8_000, false, false], ["t-three", 12_000, 72_000, 12_000, false, false]]);
});

test("a boundary changes nothing on the tape", () => {
  const before = laid(room());
  const next = room({ entry: two, started_at_ms: T + 8_000, position_ms: 0, upcoming: [{ entry_id: "e-three", started_at_ms: T + 12_000 }] }, [three]);
  assert.deepEqual(laid(next, before, T + 8_100), before);
});

test("a jump lets sound what sounds until its instant, then cuts both sides softly", () => {
  const seeked = room({ started_at_ms: T + 1_250, position_ms: 7_000, upcoming: [] });
  assert.deepEqual(said(laid(seeked, laid(room()))), [["t-one", 0, 1_250, -2_000, true, true], ["t-one", 1_250, 4_250, -5_750, true, false]]);
  const paused = room({ status: "paused", started_at_ms: T + 1_250, position_ms: 3_250, upcoming: [] });
  assert.deepEqual(said(laid(paused, laid(room()))), [["t-one", 0, 1_250, -2_000, true, true]]);
});

test("going on where it was before the pause was heard is one piece that never broke off", () => {
  const moved = room({ started_at_ms: T + 500, position_ms: 2_500, upcoming: [] });
  assert.deepEqual(said(laid(moved, laid(room()))), [["t-one", 0, 8_000, -2_000, true, false]]);
});

test("a room that sleeps is silent at once", () => {
  assert.deepEqual(said(laid({ ...room(), suspended: true }, laid(room()))), [["t-one", 0, 1_000, -2_000, true, true]]);
});

test("what was is forgotten after a while", () => {
  const next = room({ entry: three, started_at_ms: T + 12_000, position_ms: 0, upcoming: [] }, []);
  assert.deepEqual(said(laid(next, laid(room()), T + 18_000)), [["t-three", 12_000, 72_000, 12_000, false, false]]);
});
