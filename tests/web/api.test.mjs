// What the page makes of a server that answers half.

import assert from "node:assert/strict";
import { test } from "node:test";

import { get } from "../../httpapi/web/api.js";

/** An answer whose body breaks off. */
const broken = (status) => new Response(new ReadableStream({ pull(body) { body.error(new Error("broken off")); } }), { status });

test("an answer that breaks off is no answer, and a refusal stays one; each look has an end", async () => {
  let given = null;
  globalThis.fetch = async (_, { signal }) => {
    assert.ok(signal instanceof AbortSignal);
    return given;
  };
  given = broken(200);
  await assert.rejects(get("/tracks"), { status: 0 });
  given = broken(404);
  await assert.rejects(get("/tracks"), { status: 404 });
  given = Response.json({ items: [] });
  assert.deepEqual(await get("/tracks"), { items: [] });
});
