// `@name` in messages: found while it is typed, when it is sent, and when it is shown.

import assert from "node:assert/strict";
import { test } from "node:test";

import { candidates, mentioned, pieces, typed } from "../../httpapi/web/mentions.js";

const people = ["Ann", "Ann Lee", "Bo", "علی"].map((text) => ({ user_id: `id ${text}`, display_name: text }));

test("a name is being typed behind an @ that begins a word", () => {
  assert.deepEqual(typed("hi @an", 6), { from: 3, start: "an" });
  assert.deepEqual(typed("@", 1), { from: 0, start: "" });
  assert.equal(typed("a@b", 3), null);
  assert.equal(typed("hi @an", 2), null);
});

test("people are found by the start of any word of their name, without case", () => {
  assert.deepEqual(candidates(people, "AN").map((each) => each.display_name), ["Ann", "Ann Lee"]);
  assert.deepEqual(candidates(people, "le").map((each) => each.display_name), ["Ann Lee"]);
  assert.deepEqual(candidates(people, "zz"), []);
});

test("the longest name that stands there is meant, each person once", () => {
  assert.deepEqual(mentioned("@Ann Lee and @Bo and @Bo", people), ["id Ann Lee", "id Bo"]);
  assert.deepEqual(mentioned("سلام @علی", people), ["id علی"]);
  assert.deepEqual(mentioned("nobody", people), []);
});

test("only what the message itself counts as a mention is shown as one; no letter is lost", () => {
  const content = "@Bo, ask @Ann";
  const parts = pieces({ content, mentions: ["id Bo"] }, people);
  assert.deepEqual(parts.map(({ userId }) => userId), ["id Bo", undefined]);
  assert.equal(parts.map(({ text }) => text).join(""), content);
});
