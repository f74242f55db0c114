// What was asked stays until it is answered, and goes out again in the right order.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Outbox, Rejected } from "../../httpapi/web/outbox.js";

const join = (id, room = "r") => ({ type: "join", id, room });
const command = (id, room = "r") => ({ type: "cmd", id, room, cmd: {} });
const ids = (frames) => frames.map(({ id }) => id);

test("a frame is sent once on a connection, and again after it was lost", () => {
  const outbox = new Outbox();
  outbox.ask(join(1));
  outbox.ask(command(2));
  outbox.ask(command(3, "other"));
  outbox.ask(command(4));
  assert.deepEqual(ids(outbox.joins()), [1]);
  assert.deepEqual(ids(outbox.commands("r")), [2, 4]);
  assert.deepEqual(ids(outbox.commands("r")), []);
  outbox.lost();
  assert.deepEqual(ids(outbox.joins()), [1]);
  assert.deepEqual(ids(outbox.commands("r")), [2, 4]);
});

test("an answer ends the waiting, once", async () => {
  const outbox = new Outbox();
  const answer = outbox.ask(command(1));
  outbox.resolve(1, { seq: 7 });
  outbox.reject(1, { code: "not_allowed" });
  outbox.resolve(99, {});
  assert.deepEqual(await answer, { seq: 7 });
  outbox.lost();
  assert.deepEqual(outbox.commands("r"), []);
});

test("a refusal tells what the server said", async () => {
  const outbox = new Outbox();
  const answer = outbox.ask(command(1));
  outbox.reject(1, { code: "rate_limited", temporary: true, message: "Slowly.", retry_after_ms: 900 });
  await assert.rejects(answer, (problem) => {
    assert.ok(problem instanceof Rejected);
    assert.deepEqual([problem.code, problem.temporary, problem.message, problem.retryAfterMs],
      ["rate_limited", true, "Slowly.", 900]);
    return true;
  });
});

test("a room that is left takes what was asked of it along", async () => {
  const outbox = new Outbox();
  outbox.ask(join(1));
  outbox.ask(command(2));
  const told = outbox.ask(command(3, "shut"));
  assert.equal(outbox.isJoining("r"), true);
  outbox.forget("r");
  assert.equal(outbox.isJoining("r"), false);
  assert.deepEqual(outbox.commands("r"), []);
  outbox.forget("shut", new Rejected({ code: "room_closed" }));
  await assert.rejects(told, { code: "room_closed" });
});
