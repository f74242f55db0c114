// What comes out of the tape, sample by sample, while its line is pulled about.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Tape } from "../../httpapi/web/tape.js";

const QUANTUM = 128;
const SECOND = 48_000;
const left = new Float32Array(QUANTUM);
const right = new Float32Array(QUANTUM);
const piece = (stream, from, to, more = {}) => ({ stream, from, to, origin: from, gain: 1, softStart: false, softEnd: false, ...more });
const ramp = (count, from = 0) => Float32Array.from({ length: count }, (_, at) => (from + at) / (10 * SECOND));
const tone = (count, hertz = 440) => Float32Array.from({ length: count }, (_, at) => 0.5 * Math.sin(2 * Math.PI * hertz * at / SECOND));

/** Run from a frame for so many quanta; what was heard on the left. */
function run(tape, frame, quanta) {
  const heard = new Float32Array(quanta * QUANTUM);
  for (let quantum = 0; quantum < quanta; quantum += 1) {
    tape.process(frame + quantum * QUANTUM, left, right);
    heard.set(left, quantum * QUANTUM);
  }
  return heard;
}

const steepest = (sound) => sound.reduce((most, sample, at) => Math.max(most, at ? Math.abs(sample - sound[at - 1]) : 0), 0);

test("on the line what comes out is the file, bit by bit, over pieces and segments", () => {
  const tape = new Tape();
  const [one, two] = [ramp(3 * SECOND), tone(2 * SECOND)];
  tape.plan([piece("one", 0, 3 * SECOND), piece("two", 3 * SECOND, 5 * SECOND)]);
  tape.add("one", 0, one.slice(0, SECOND), one.slice(0, SECOND));
  tape.add("one", SECOND, one.slice(SECOND), one.slice(SECOND));
  tape.add("two", 0, two, two);
  tape.follow({ frame: 0, place: -1_000, rate: 1 });
  const heard = run(tape, 0, 1_900);
  assert.deepEqual(heard.slice(0, 1_000), new Float32Array(1_000));
  assert.deepEqual(heard.slice(1_000 + QUANTUM, 1_000 + 3 * SECOND), one.slice(QUANTUM));
  assert.deepEqual(heard.slice(1_000 + 3 * SECOND, 1_000 + 5 * SECOND), two);
});

test("a sound card at another rate hears the same tone", () => {
  for (const framesHz of [44_100, 96_000]) {
    const tape = new Tape();
    const sound = tone(3 * SECOND);
    tape.plan([piece("one", 0, 3 * SECOND)]);
    tape.add("one", 0, sound, sound);
    tape.follow({ frame: 0, place: 0, rate: SECOND / framesHz });
    const heard = run(tape, 0, 700).slice(2_000);
    const wanted = Float32Array.from(heard, (_, at) => 0.5 * Math.sin((2 * Math.PI * 440 * (at + 2_000)) / framesHz));
    const worst = heard.reduce((most, sample, at) => Math.max(most, Math.abs(sample - wanted[at])), 0);
    assert.ok(worst < 1e-3, `${framesHz}: ${worst}`);
  }
});

test("at another rate it bends no further, and fades no faster", () => {
  for (const framesHz of [44_100, 96_000, 192_000]) {
    const tape = new Tape();
    const sound = tone(10 * SECOND);
    const rate = SECOND / framesHz;
    tape.plan([piece("one", 0, 10 * SECOND)]);
    tape.add("one", 0, sound, sound);
    tape.follow({ frame: 0, place: 0, rate });
    run(tape, 0, 100);
    tape.follow({ frame: 0, place: 4 * 48, rate });
    let fastest = 0;
    for (let quantum = 100; quantum < 600; quantum += 1) {
      const { place } = tape.look(0);
      run(tape, quantum * QUANTUM, 1);
      fastest = Math.max(fastest, (tape.look(0).place - place) / QUANTUM / rate);
    }
    assert.ok(fastest > 1.004 && fastest < 1.0051, `${framesHz}: ${fastest}`);
    tape.follow(null);
    const fading = run(tape, 600 * QUANTUM, 100);
    const lastedMs = (fading.findLastIndex((sample) => sample !== 0) * 1_000) / framesHz;
    assert.ok(lastedMs > 13 && lastedMs < 18, `${framesHz}: ${lastedMs}`);
  }
});

test("a small step of the line is bent back without a click, and exactly", () => {
  const tape = new Tape();
  const sound = tone(30 * SECOND);
  tape.plan([piece("one", 0, 30 * SECOND)]);
  tape.add("one", 0, sound, sound);
  tape.follow({ frame: 0, place: 0, rate: 1 });
  const before = run(tape, 0, 1_500);
  tape.follow({ frame: 0, place: 4 * 48, rate: 1 });
  const after = run(tape, 1_500 * QUANTUM, 9_000);
  const frame = 10_500 * QUANTUM;
  const { place, bend, jumps } = tape.look(frame);
  assert.equal(jumps, 0);
  assert.ok(Math.abs(place - frame - 4 * 48) < 1, String(place - frame));
  assert.equal(bend, 0);
  assert.ok(steepest(after) < steepest(before) * 1.01);
});

test("where a track goes on in the next, nothing is bent: afterwards it is", () => {
  const tape = new Tape();
  const sound = tone(30 * SECOND);
  tape.plan([piece("one", 0, 3 * SECOND), piece("two", 3 * SECOND, 33 * SECOND)]);
  for (const stream of ["one", "two"]) tape.add(stream, 0, sound, sound);
  tape.follow({ frame: 0, place: 0, rate: 1 });
  run(tape, 0, 750); // 2 s
  tape.follow({ frame: 750 * QUANTUM, place: 750 * QUANTUM + 200, rate: 1 });
  run(tape, 750 * QUANTUM, 500);
  assert.equal(tape.look(0).place, 1_250 * QUANTUM);
  run(tape, 1_250 * QUANTUM, 7_000);
  assert.ok(Math.abs(tape.look(0).place - 8_250 * QUANTUM - 200) < 5);
});

test("a large step is one jump, cross-faded", () => {
  const tape = new Tape();
  const sound = tone(30 * SECOND, 100);
  tape.plan([piece("one", 0, 30 * SECOND)]);
  tape.add("one", 0, sound, sound);
  tape.follow({ frame: 0, place: 0, rate: 1 });
  const before = run(tape, 0, 1_500);
  tape.follow({ frame: 0, place: 45 * 48, rate: 1 });
  const after = run(tape, 1_500 * QUANTUM, 500);
  assert.equal(tape.look(0).jumps, 1);
  assert.equal(tape.look(0).jumps, 0);
  assert.ok(steepest(after) < 2 * steepest(before), `${steepest(after)} ${steepest(before)}`);
});

test("a plan that comes too late is cross-faded, one that comes in time is exact", () => {
  const tape = new Tape();
  const [one, two] = [tone(5 * SECOND, 100), tone(5 * SECOND, 130)];
  tape.add("one", 0, one, one);
  tape.add("two", 0, two, two);
  tape.plan([piece("one", 0, 5 * SECOND)]);
  tape.follow({ frame: 0, place: 0, rate: 1 });
  let last = run(tape, 0, 100).at(-1);
  const isSmooth = (sound) => {
    assert.ok(steepest([last, ...sound]) < 0.02, String(steepest([last, ...sound])));
    last = sound.at(-1);
  };
  tape.plan([piece("one", 0, 5_000, { softEnd: true }), piece("two", 5_000, 30_000, { softStart: true })]);
  isSmooth(run(tape, 100 * QUANTUM, 20));
  tape.plan([piece("two", 5_000, 19_000, { softEnd: true }), piece("one", 19_000, 30_000, { origin: 18_900, softStart: true })]);
  isSmooth(run(tape, 120 * QUANTUM, 30));
  assert.ok(Math.abs(last - one[19_200 - 18_900 - 1]) < 0.5 * (210 / 480));
  isSmooth(run(tape, 150 * QUANTUM, 20));
  tape.plan([]);
  isSmooth(run(tape, 170 * QUANTUM, 50));
  assert.equal(last, 0);
});

test("changes that follow each other within a fade break nothing off, nor does dropping what fades", () => {
  const tape = new Tape();
  const sounds = { one: tone(5 * SECOND, 100), two: tone(5 * SECOND, 130), three: tone(5 * SECOND, 70) };
  for (const [stream, sound] of Object.entries(sounds)) tape.add(stream, 0, sound, sound);
  const all = (stream) => [piece(stream, 0, 5 * SECOND)];
  tape.plan(all("one"));
  tape.follow({ frame: 0, place: 0, rate: 1 });
  const heard = [...run(tape, 0, 100)];
  // Less than 15 ms apart, which are 5.6 quanta; the last two are at one instant.
  for (const [stream, gone] of [["two", "one"], ["three"], ["two"], ["three", "two"]]) {
    tape.plan(all(stream));
    if (gone) tape.drop(gone);
    if (stream !== "two" || gone) heard.push(...run(tape, heard.length, 3));
  }
  heard.push(...run(tape, heard.length, 20));
  assert.ok(steepest(heard) < 0.012, String(steepest(heard)));
  assert.equal(heard.at(-1), sounds.three[heard.length - 1]);
});

test("the memory of what is dropped goes back, once, and not before it has faded", () => {
  const tape = new Tape();
  const [one, two, again] = [tone(SECOND), tone(SECOND), tone(SECOND)];
  // As on the audio thread: what is given back is gone here.
  const released = () => tape.release().map((memory) => {
    const found = [one, two, again].findIndex(({ buffer }) => buffer === memory);
    structuredClone(memory, { transfer: [memory] });
    return found;
  });
  const play = (from, quanta) => {
    const heard = [];
    const gone = [];
    for (let quantum = from; quantum < from + quanta; quantum += 1) {
      heard.push(...run(tape, quantum * QUANTUM, 1));
      gone.push(...released());
    }
    return { gone, steepest: steepest(heard) };
  };
  tape.plan([piece("one", 0, SECOND)]);
  tape.add("one", 0, one, one);
  tape.add("two", 0, two, two.slice());
  tape.follow({ frame: 0, place: 0, rate: 1 });
  assert.deepEqual(play(0, 20).gone, []);
  tape.plan([piece("two", 0, SECOND)]);
  tape.drop("one");
  assert.deepEqual(released(), [], "it can still be heard");
  const faded = play(20, 20);
  assert.deepEqual(faded.gone, [0]);
  assert.ok(faded.steepest < 0.03);
  tape.add("two", 0, again, again.slice()); // in the place of the same, under the head
  tape.plan([]);
  tape.drop("two");
  const silent = play(40, 20);
  assert.deepEqual(silent.gone.sort(), [-1, -1, 1, 2]);
  assert.ok(silent.steepest < 0.03);
});

test("also while nothing sounds memory goes back", () => {
  const tape = new Tape();
  for (let segment = 0; segment < 20; segment += 1) {
    tape.add("one", segment * SECOND, tone(10), tone(10));
    tape.drop("one", segment * SECOND);
    assert.equal(tape.release().length, 2);
  }
});

test("without a line it fades out and stays silent, and then begins at the right place", () => {
  const tape = new Tape();
  const sound = tone(5 * SECOND, 100);
  tape.add("one", 0, sound, sound);
  tape.plan([piece("one", 0, 5 * SECOND)]);
  tape.follow({ frame: 0, place: 0, rate: 1 });
  const heard = [...run(tape, 0, 100)];
  tape.follow(null);
  heard.push(...run(tape, heard.length, 20));
  assert.ok(heard.slice(-14 * QUANTUM).every((sample) => sample === 0));
  assert.equal(tape.look(heard.length).sounding, false);
  tape.follow({ frame: heard.length, place: 2 * SECOND, rate: 1 });
  heard.push(...run(tape, heard.length, 20));
  assert.ok(steepest(heard) < 0.012, String(steepest(heard)));
  assert.equal(heard.at(-1), sound[2 * SECOND + 20 * QUANTUM - 1]);
  const { sounding, jumps, settling } = tape.look(heard.length);
  assert.deepEqual([sounding, jumps, settling], [true, 0, true]);
});

test("samples that come late are faded in at the right place, and what is missing is told", () => {
  const tape = new Tape();
  const sound = ramp(2 * SECOND);
  tape.plan([piece("one", 0, 2 * SECOND)]);
  tape.follow({ frame: 0, place: 0, rate: 1 });
  assert.deepEqual(run(tape, 0, 50), new Float32Array(50 * QUANTUM));
  assert.ok(tape.look(0).starvedFrames > 49 * QUANTUM);
  tape.add("one", 0, sound, sound);
  const heard = run(tape, 50 * QUANTUM, 100);
  assert.ok(heard[0] < 0.001);
  assert.ok(Math.abs(heard.at(-1) - sound[150 * QUANTUM - 1]) < 1e-6);
});

test("a clock that runs 500 ppm away is followed within a tenth of a millisecond", () => {
  const tape = new Tape();
  const sound = tone(60 * SECOND);
  tape.plan([piece("one", 0, 60 * SECOND)]);
  tape.add("one", 0, sound, sound);
  let worst = 0;
  for (let frame = 0; frame < 20 * SECOND; frame += 20 * QUANTUM) {
    const line = { frame, place: frame * 1.0005, rate: 1.0005 };
    tape.follow(line);
    run(tape, frame, 20);
    const { place } = tape.look(frame + 20 * QUANTUM);
    worst = Math.max(worst, Math.abs(place - (frame + 20 * QUANTUM) * 1.0005) / 48);
  }
  assert.ok(worst < 0.1, String(worst));
});
