// From a snapshot to what sounds when.

import assert from "node:assert/strict";
import { test } from "node:test";

import { positionAt } from "../../httpapi/web/fold.js";
import { changesAtMs, cues, follows, sameSound, steer, wanted } from "../../httpapi/web/schedule.js";

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
  assert.ok(follows(list[1], list[0]));
  assert.ok(follows(list[2], list[1]));
  assert.ok(!follows(list[2], list[0]));
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

test("after the boundary the next entry is the same sound as before it", () => {
  const before = cues(room())[1];
  const [after] = cues(room({ entry: two, started_at_ms: T + 8_000, position_ms: 0, upcoming: [] }, [three]));
  assert.ok(sameSound(before, after));
  const [seeked] = cues(room({ entry: two, started_at_ms: T + 8_000, position_ms: 1, upcoming: [] }, [three]));
  assert.ok(!sameSound(before, seeked));
});

test("a later joiner's position is that of all others", () => {
  const [cue] = cues(room());
  assert.equal(cue.positionMs + 3_000, positionAt(room().playback, T + 3_000));
});

test("decoded are the current track, the agreed ones and the first that waits, each once", () => {
  assert.deepEqual(wanted(room()), ["t-one", "t-two", "t-three"]);
  assert.deepEqual(wanted(room({ upcoming: [] })), ["t-one", "t-two"]);
  assert.deepEqual(wanted(room({ upcoming: [] }, [one])), ["t-one"]);
  assert.deepEqual(wanted(room({ entry: null, upcoming: [] }, [])), []);
});

test("what sounds holds until the act-at instant; a room that sleeps is silent at once", () => {
  assert.equal(changesAtMs(room({ status: "paused", started_at_ms: T + 250 })), T + 250);
  assert.equal(changesAtMs(room()), T);
  assert.equal(changesAtMs(room({ status: "idle", started_at_ms: null })), null);
  assert.equal(changesAtMs({ ...room(), suspended: true }), null);
});

test("a small error is left alone, a middle one bent back, a large one jumped", () => {
  assert.deepEqual(steer(0.2, 10_000), { jump: false, rate: 1 });
  assert.ok(steer(2, 10_000).rate < 1, "early: slower");
  assert.ok(steer(-2, 10_000).rate > 1, "late: faster");
  assert.equal(steer(-29, 10_000).rate, 1.001);
  assert.equal(steer(-29, 1_000).jump, true);
  assert.equal(steer(31, 10_000).jump, true);
  assert.equal(steer(9, 1_000).rate, 0.995);
});
