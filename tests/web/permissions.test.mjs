// The page reads a room's table of permissions as the server does.

import assert from "node:assert/strict";
import { test } from "node:test";

import { givenBy, GRADES, grade, may, mayQueue, muteOf, outranks } from "../../httpapi/web/permissions.js";

const person = (userId, kind = "person") => ({ user_id: userId, display_name: userId, kind });
const room = (members = {}, permissions = {}, queueMode = "open") => ({
  members,
  room: { settings: { queue_mode: queueMode, permissions: { add: "guest", skip: "dj", ...permissions } } },
});

test("a role is the grade; without one an account makes the difference", () => {
  const snapshot = room({ a: { role: "dj" }, b: { role: "listener", mute: null } });
  assert.equal(grade(snapshot, person("a")), "dj");
  assert.equal(grade(snapshot, person("a", "guest")), "dj");
  assert.equal(grade(snapshot, person("b", "guest")), "guest");
  assert.equal(grade(snapshot, person("c")), "listener");
});

test("who has the grade of the table or a higher one may", () => {
  for (const [index, takes] of GRADES.entries()) {
    for (const [rank, mine] of GRADES.entries()) {
      const me = person("a", mine === "guest" ? "guest" : "person");
      const snapshot = room({ a: { role: mine === "guest" ? "listener" : mine } }, { skip: takes });
      assert.equal(may(snapshot, me, "skip"), rank >= index, `${mine} where it takes ${takes}`);
    }
  }
});

test("where djs choose the music, nobody below adds, and the table can ask for more", () => {
  const members = { a: { role: "dj" } };
  assert.equal(mayQueue(room(members), person("b")), true);
  assert.equal(mayQueue(room(members, {}, "djs"), person("b")), false);
  assert.equal(mayQueue(room(members, {}, "djs"), person("a")), true);
  assert.equal(mayQueue(room(members, { add: "owner" }, "djs"), person("a")), false);
});

test("where djs choose the music, who has queued something before can take it out", () => {
  assert.equal(may(room({}, {}, "djs"), person("b"), "add"), true);
});

test("one gives only roles below one's own, to people of a lower grade", () => {
  assert.deepEqual(givenBy("owner"), ["listener", "dj", "moderator"]);
  assert.deepEqual(givenBy("dj"), ["listener"]);
  assert.deepEqual(givenBy("guest"), []);
  const snapshot = room({ a: { role: "moderator" }, b: { role: "moderator" } });
  assert.equal(outranks(snapshot, person("a"), person("b")), false);
  assert.equal(outranks(snapshot, person("a"), person("c")), true);
});

test("a mute holds until its end", () => {
  const snapshot = room({ a: { role: "listener", mute: { until_ms: 100, reason: "" } }, b: { role: "dj", mute: { until_ms: null, reason: "" } } });
  assert.ok(muteOf(snapshot, "a", 99));
  assert.equal(muteOf(snapshot, "a", 100), null);
  assert.ok(muteOf(snapshot, "b", 1e15));
  assert.equal(muteOf(snapshot, "c", 0), null);
});
