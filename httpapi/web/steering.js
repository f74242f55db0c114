// What to do about sound that is not where it should be: leave it, bend it back unheard, or jump.

const DEADBAND_MS = 0.1; // bending begins above it ...
const BENT_BACK_MS = 0.01; // ... and ends below it
const SETTLING_MS = 3_000;
const JUMP_ABOVE_MS = { settling: 10, settled: 30 };
const RATE_LIMIT = { settling: 0.005, settled: 0.001 }; // the second is below what is heard as pitch
const GONE_WITHIN_MS = { settling: 250, settled: 3_000 }; // a small error is gone by about 63 % then.
// What is believed of the sound card moves by a ms or two for some seconds: not each of these is to be heard.
const RATE_STEP_A_MS = 2e-5; // the rate itself never jumps either: 0.1 % takes 50 ms
// Settled, and off by more than this for longer: a break that nobody saw, or where it is heard became known only now.
const UNSEEN_MS = 3;
const UNSEEN_FOR_MS = 1_000;

export class Steering {
  #bend = 0;
  #bending = false;
  #settlingMs = SETTLING_MS;
  #offForMs = 0; // longer than UNSEEN_MS

  /** How much faster than the schedule the sound goes: 0.001 is 0.1 %. */
  get bend() {
    return this.#bend;
  }

  /** True in the first 3 s after a start or a break, or after it stayed off: then more is allowed. */
  get settling() {
    return this.#settlingMs > 0;
  }

  /** The sound begins, or broke off: what is off now may be put right quickly. */
  settle() {
    this.#settlingMs = SETTLING_MS;
  }

  /** It is where it should be: nothing is bent any more. */
  rest() {
    this.#bend = 0;
    this.#bending = false;
  }

  /**
   * `errorMs` is how much too early (positive) or too late the sound is, `stepMs` for how long the
   * answer holds; nothing is bent while it `isJoining` one track to the next. True if it must jump;
   * else `bend` tells the rate.
   */
  jumps(errorMs, stepMs, isJoining = false) {
    const distanceMs = Math.abs(errorMs);
    this.#offForMs = distanceMs > UNSEEN_MS && !isJoining ? this.#offForMs + stepMs : 0;
    if (!this.settling && this.#offForMs > UNSEEN_FOR_MS) this.settle();
    const phase = this.settling ? "settling" : "settled";
    this.#settlingMs -= stepMs;
    if (distanceMs > JUMP_ABOVE_MS[phase]) return true;
    if (distanceMs > DEADBAND_MS) this.#bending = true;
    else if (distanceMs < BENT_BACK_MS) this.#bending = false;
    const limit = RATE_LIMIT[phase];
    const wanted = this.#bending && !isJoining ? Math.max(-limit, Math.min(limit, -errorMs / GONE_WITHIN_MS[phase])) : 0;
    const most = RATE_STEP_A_MS * stepMs;
    this.#bend += Math.max(-most, Math.min(most, wanted - this.#bend));
    return false;
  }
}
