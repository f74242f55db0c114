// One sounding piece of one track: an AudioBufferSourceNode, and where in its track it is when.

const SAMPLE_RATE_HZ = 48_000;
const FADE_S = 0.015;
const RENDERED_AHEAD_S = 0.003; // one render quantum: what is nearer than that has been rendered

const onGrid = (seconds) => Math.round(seconds * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ;

export class Voice {
  #source;
  #gain;
  #anchor; // at audio time `contextS` the track is at `positionMs`
  rate = 1;
  stopping = false;

  /**
   * Let `cue.positionMs` of a buffer sound at the audio time `whenS`; both are put on whole samples
   * so that nothing is interpolated. With `fade` it comes in softly: it begins amid the music.
   */
  constructor(output, { cue, buffer, whenS, positionMs, fade, onEnded }) {
    const context = output.context;
    this.cue = cue;
    this.startS = onGrid(whenS);
    const offsetS = onGrid(positionMs / 1_000 + (this.startS - whenS));
    this.#anchor = { contextS: this.startS, positionMs: offsetS * 1_000 };
    this.#source = new AudioBufferSourceNode(context, { buffer });
    this.#gain = new GainNode(context, { gain: fade ? 0 : 1 });
    this.#source.connect(this.#gain).connect(output);
    if (fade) {
      this.#gain.gain.setValueAtTime(0, this.startS).linearRampToValueAtTime(1, this.startS + FADE_S);
    }
    const lengthS = cue.endMs - cue.atMs + cue.positionMs;
    this.#source.start(this.startS, offsetS, Math.max(0, onGrid(lengthS / 1_000) - offsetS));
    this.#source.onended = () => {
      this.#gain.disconnect();
      onEnded(this);
    };
  }

  /** Where in the track, in ms, the sample of an audio time is. */
  positionMs(contextS) {
    return this.#anchor.positionMs + (contextS - this.#anchor.contextS) * 1_000 * this.rate;
  }

  /** The audio time at which the cue's last sample has sounded. */
  get endS() {
    const lengthMs = this.cue.endMs - this.cue.atMs + this.cue.positionMs;
    return this.#anchor.contextS + (lengthMs - this.#anchor.positionMs) / 1_000 / this.rate;
  }

  /** Play a little faster or slower from here on. */
  bend(rate, contextS) {
    if (rate === this.rate || contextS < this.startS) return;
    this.#anchor = { contextS, positionMs: this.positionMs(contextS) };
    this.rate = rate;
    this.#source.playbackRate.setValueAtTime(rate, contextS);
  }

  /** Fade out at an audio time; what has not begun by then never sounds. */
  stop(whenS, nowS) {
    this.stopping = true;
    const at = Math.max(whenS, nowS + RENDERED_AHEAD_S);
    if (at <= this.startS) {
      this.#source.stop();
      this.#gain.disconnect();
      return;
    }
    const { gain } = this.#gain;
    gain.cancelScheduledValues(at);
    gain.setValueAtTime(1, at).linearRampToValueAtTime(0, at + FADE_S);
    this.#source.stop(at + FADE_S);
  }
}
