// The page's store folds every recorded room to the state that the server had.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { FOLD, fold } from "../../httpapi/web/fold.js";
import { RoomStore } from "../../httpapi/web/store.js";

const folder = new URL("../room/recordings/", import.meta.url);
const names = readdirSync(folder).filter((file) => file.endsWith(".jsonl"));

const lines = (file) =>
  readFileSync(new URL(file, folder), "utf8").trim().split("\n").map((line) => JSON.parse(line));

test("there are recordings", () => assert.ok(names.length >= 3));

for (const file of names) {
  test(`${file} folds to the recorded end`, () => {
    const [{ snapshot }, ...rest] = lines(file);
    const { final } = rest.pop();
    for (const { events } of rest) for (const event of events ?? []) fold(snapshot, event);
    assert.deepEqual(snapshot, final);
  });
}

test("every recorded kind of event has a fold", () => {
  const kinds = new Set(names.flatMap(lines).flatMap(({ events }) => events ?? []).map((event) => event.type));
  for (const kind of kinds) assert.ok(FOLD[kind], kind);
});

test("events that were folded already are trimmed, a gap is told", () => {
  const [{ snapshot }, ...rest] = lines(names[0]);
  const events = rest.flatMap((line) => line.events ?? []);
  const first = snapshot.seq + 1;
  const store = new RoomStore("a");
  store.joined({ snapshot, you: {} });
  assert.equal(store.events({ first_seq: first, events: events.slice(0, 2) }), true);
  assert.equal(store.events({ first_seq: first, events: events.slice(0, 3) }), true);
  assert.equal(store.snapshot.seq, first + 2);
  assert.equal(store.events({ first_seq: first + 10, events: [] }), false);
});
