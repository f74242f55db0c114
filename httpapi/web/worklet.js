// The tape on the audio thread: a busy page does not reach it. All it does is passing things on.

import { Tape } from "./tape.js";

const LOOK_EVERY_S = 0.021; // the page's own timers are slow in the background, this is not

registerProcessor("tape", class extends AudioWorkletProcessor {
  #tape = new Tape();
  #nextLook = 0;
  #isOver = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data.act === "close") this.#isOver = true;
      else this.#tape[data.act](...data.args);
      this.#release(); // also while nothing sounds
    };
  }

  #release() {
    const released = this.#tape.release();
    if (released.length) this.port.postMessage({ released }, released);
  }

  process(_, [[left, right]]) {
    this.#tape.process(currentFrame, left, right);
    if (currentFrame >= this.#nextLook) {
      this.#nextLook = currentFrame + LOOK_EVERY_S * sampleRate;
      this.port.postMessage(this.#tape.look(currentFrame + left.length));
      this.#release();
    }
    return !this.#isOver;
  }
});
