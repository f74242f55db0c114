// How segments are had of a server that is slow, silent, or not ready with the rendition yet.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { SEGMENT } from "../../httpapi/web/ahead.js";
import { Codec } from "../../httpapi/web/codec.js";
import { Segments } from "../../httpapi/web/segments.js";

const RENDITION = { opus_preroll_samples: 0 };
const context = {
  decodeAudioData: async () => ({ length: 3 * SEGMENT, numberOfChannels: 1, copyFromChannel() {} }),
};
let nowMs = 1_000_000;
mock.timers.enable({ apis: ["setTimeout"] });
mock.method(performance, "now", () => nowMs);

/** The server: `asked` are the paths in order, `answers` what is answered to a path; what has none hangs. */
function serve() {
  const asked = [];
  const answers = new Map();
  const hanging = new Map();
  globalThis.fetch = (url, { signal }) => new Promise((resolve, reject) => {
    const path = url.replace("/api/tracks/", "");
    asked.push(path);
    signal.addEventListener("abort", () => reject(signal.reason));
    const give = () => resolve(path.includes("/") ? new Response("sound") : Response.json(answers.get(path)));
    if (answers.has(path)) give();
    else hanging.set(path, give);
  });
  return { asked, answers, hanging };
}

async function settled() {
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
}

/** So much time passes. */
async function pass(ms) {
  nowMs += ms;
  mock.timers.tick(ms);
  await settled();
}

/** What the tape has: the keys of the blocks that were given to it and not dropped. */
function tapeOf(segments) {
  const has = new Set();
  segments.addEventListener("samples", ({ detail: { stream, first } }) => has.add(`${stream} ${first / SEGMENT}`));
  segments.addEventListener("drop", ({ detail: { stream, first } }) => {
    for (const key of has) if (key === `${stream} ${first / SEGMENT}` || (first === undefined && key.startsWith(`${stream} `))) has.delete(key);
  });
  return has;
}

const one = [{ trackId: "t", number: 0 }];

test("what does not come is given up and asked for again, in the smaller codec", async () => {
  const { asked, answers } = serve();
  answers.set("t", { rendition: RENDITION });
  const segments = new Segments(context);
  segments.keep(one);
  await settled();
  await pass(20_000);
  answers.set("t/segments/0?codec=opus", true);
  await pass(3_000);
  assert.deepEqual(asked, ["t", "t/segments/0?codec=flac", "t/segments/0?codec=opus"]);
  assert.ok(segments.has("t", 0));
});

test("who hears of a change plans the stream that the samples then go to", async () => {
  for (const rendition of [RENDITION, null]) {
    const { answers } = serve();
    answers.set("t", { rendition, duration_samples: SEGMENT }).set("t/audio", true).set("t/segments/0?codec=flac", true);
    const segments = new Segments(context);
    const tape = tapeOf(segments);
    let planned = segments.stream("t");
    segments.addEventListener("change", ({ detail }) => { planned = segments.stream(detail); });
    segments.keep(one);
    await settled();
    assert.deepEqual([...tape], [`${planned} 0`]);
    segments.keep([]);
  }
});

test("what hangs is asked for again on a new line, what was just asked goes on", async () => {
  const { asked, answers } = serve();
  answers.set("t", { rendition: RENDITION });
  const segments = new Segments(context);
  segments.keep(one);
  await settled();
  for (const [afterMs, times] of [[2_000, 1], [5_000, 2]]) {
    await pass(afterMs);
    segments.renewed();
    await settled();
    await pass(3_000);
    assert.deepEqual(asked.slice(1), Array(times).fill("t/segments/0?codec=flac"));
  }
});

test("a track that is let go and wanted again is looked after once", async () => {
  const { asked, answers } = serve();
  answers.set("t", { rendition: null, duration_samples: SEGMENT }).set("t/audio", true);
  const segments = new Segments(context);
  for (const wanted of [one, [], one]) {
    segments.keep(wanted);
    await settled();
  }
  asked.length = 0;
  for (let looks = 1; looks < 4; looks += 1) {
    await pass(5_000);
    assert.equal(asked.length, looks);
  }
});

test("nothing stays behind of a track that is let go while its rendition takes over", async () => {
  const { answers, hanging } = serve();
  answers.set("t", { rendition: null, duration_samples: 2 * SEGMENT }).set("t/audio", true);
  const segments = new Segments(context);
  const tape = tapeOf(segments);
  segments.keep([...one, { trackId: "t", number: 1 }]);
  await settled();
  assert.deepEqual([...tape], ["t/original 0", "t/original 1"]);
  answers.set("t", { rendition: RENDITION }).set("t/segments/0?codec=flac", true);
  await pass(5_000);
  assert.ok(tape.has("t/rendition 0"));
  segments.keep([]);
  hanging.get("t/segments/1?codec=flac")();
  await settled();
  assert.deepEqual([...tape], []);
});

test("a slow line gets the smaller codec, and the exact one again after a quick minute", () => {
  const codec = new Codec();
  const after = (...answers) => { for (const [name, ms] of answers) codec.took(name, ms); return codec.name; };
  const quick = ["opus", 100];
  assert.equal(after(["flac", 3_900]), "flac");
  assert.equal(after(["flac", 4_100], ["flac", 100], quick, quick, quick, quick, quick), "opus");
  assert.equal(after(["opus", 1_000], quick, quick, quick, quick, quick), "opus");
  assert.equal(after(quick), "flac");
  assert.equal(after(["flac", 4_100], quick, quick), "opus");
});
