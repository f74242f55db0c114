// Where a tape runs: on the audio thread, or on the page's own where the browser offers no other.

import { Tape } from "./tape.js";

const BLOCK_FRAMES = 2_048;
const AHEAD_S = 0.17; // less 0.04 that are taken at once, so long the page may be busy
const SOONEST_S = 0.02;

/** Events: `look` (detail: what Tape.look tells), every 20 to 45 ms while the sound runs. */
export class Deck extends EventTarget {
  #send;

  constructor(node, send) {
    super();
    this.node = node;
    this.#send = send;
  }

  /** Call a method of the tape; the memory of `given` goes there. */
  do(act, args, given = []) {
    this.#send(act, args, given);
  }

  told(detail) {
    this.dispatchEvent(new CustomEvent("look", { detail }));
  }
}

/** @param {AudioContext} context */
export async function openDeck(context) {
  // Without TLS browsers keep worklets from all pages but those of the same machine.
  if (!context.audioWorklet) return ownThread(context);
  await context.audioWorklet.addModule(new URL("./worklet.js", import.meta.url));
  const node = new AudioWorkletNode(context, "tape", { numberOfInputs: 0, outputChannelCount: [2] });
  const deck = new Deck(node, (act, args, given) => node.port.postMessage({ act, args }, given));
  node.port.onmessage = ({ data }) => {
    if (!data.released) deck.told(data); // else it is memory, which is collected here
  };
  return deck;
}

// Blocks that are begun each at its exact frame: a ScriptProcessor is told only to 20 ms when its own will sound.
function ownThread(context) {
  const tape = new Tape();
  const node = new GainNode(context);
  const deck = new Deck(node, (act, args) => {
    tape[act](...args);
    tape.release();
  });
  const { sampleRate } = context;
  let frame = 0; // the next to be made
  function make() {
    if (context.state !== "running") return;
    const now = Math.ceil(context.currentTime * sampleRate);
    // A page that was too busy left a hole: it goes on behind it.
    frame = Math.max(frame, now + Math.ceil(SOONEST_S * sampleRate));
    for (; frame < now + AHEAD_S * sampleRate; frame += BLOCK_FRAMES) {
      const buffer = new AudioBuffer({ length: BLOCK_FRAMES, numberOfChannels: 2, sampleRate });
      tape.process(frame, buffer.getChannelData(0), buffer.getChannelData(1));
      const block = new AudioBufferSourceNode(context, { buffer });
      block.connect(node);
      block.onended = make; // the page's own timers are slow in the background, this is not
      block.start(frame / sampleRate);
    }
    deck.told(tape.look(frame));
    tape.release();
  }
  context.addEventListener("statechange", make);
  make();
  return deck;
}
