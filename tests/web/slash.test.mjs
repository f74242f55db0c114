// `/name` in messages: found while it is typed, among what the bots of the room offer.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FOLD } from "../../httpapi/web/fold.js";
import { offered, typedSlash } from "../../httpapi/web/slash.js";

const bot = (id) => ({ user_id: id, display_name: `Bot ${id}`, kind: "bot" });
const command = (name) => ({ name, description: `What ${name} does`, hint: "" });
const slash = {
  a: { bot: bot("a"), commands: ["skip", "add"].map(command) },
  b: { bot: bot("b"), commands: ["shuffle-all"].map(command) },
};
const names = (start) => offered(slash, start).map(({ name, bot: { user_id: by } }) => `${name} of ${by}`);

test("a command is being typed where a message begins with / and nothing else stands before the caret", () => {
  assert.deepEqual(typedSlash("/", 1), { start: "" });
  assert.deepEqual(typedSlash("/sk", 3), { start: "sk" });
  assert.deepEqual(typedSlash("/shuffle-all now", 5), { start: "shuf" });
  for (const text of ["", "hi /sk", " /sk", "/skip ", "/skip 1", "/Skip", "//", `/${"x".repeat(33)}`]) {
    assert.equal(typedSlash(text, text.length), null, text);
  }
});

test("commands are found by the start of their name, whosever they are, in the order of the alphabet", () => {
  assert.deepEqual(names(""), ["add of a", "shuffle-all of b", "skip of a"]);
  assert.deepEqual(names("s"), ["shuffle-all of b", "skip of a"]);
  assert.deepEqual(names("kip"), []);
  assert.equal(offered(slash, "skip")[0].description, "What skip does");
  assert.deepEqual(offered({}, ""), []);
});

test("no more than eight are offered at once", () => {
  const many = { a: { bot: bot("a"), commands: [..."abcdefghij"].map(command) } };
  assert.equal(offered(many, "").length, 8);
});

test("what a bot registers is offered at once, and gone with the bot", () => {
  const snapshot = { slash: {}, members: {}, bans: {} };
  FOLD["slash.registered"](snapshot, { bot: bot("c"), commands: [command("dice")] });
  assert.deepEqual(offered(snapshot.slash, "d").map(({ name }) => name), ["dice"]);
  FOLD["member.kicked"](snapshot, { person: bot("c") });
  assert.deepEqual(offered(snapshot.slash, ""), []);
});
