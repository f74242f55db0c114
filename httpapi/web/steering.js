// What to do about sound that is not where it should be: leave it, bend it back unheard, or jump.

const DEADBAND_MS = 0.1; // bending begins above it ...
const BENT_BACK_MS = 0.01; // ... and ends below it
const SETTLING_MS = 3_000;
const JUMP_ABOVE_MS = { settling: 10, settled: 30 };
const RATE_LIMIT = { settling: 0.005, settled: 0.001 }; // the second is below what is heard as pitch
const GONE_WITHIN_MS = { settling: 250, settled: 3_000 }; // a small error is gone by about 63 % then.
// What is believed of the sound card moves by a ms or two for some seconds: not each of these is to be heard.
const RATE_STEP_A_MS = 2e-5; // the rate itself never jumps either: 0.1 % takes 50 ms
// Settled, and off for longer than a second: a break that nobody saw, or where it is heard became known only now.
const UNSEEN_ABOVE_MS = 3; // it begins above it ...
const UNSEEN_BELOW_MS = 1; // ... and ends below it
const UNSEEN_FOR_MS = 1_000;

export class Steering {
  #bend = 0;
  #bending = false;
  #settlingMs = SETTLING_MS;
  #offForMs = 0;
  #isUnseen = false; // what is settled now

  /** How much faster than the schedule the sound goes: 0.001 is 0.1 %. */
  get bend() {
    return this.#bend;
  }

  /** True in the first 3 s after a start or a break, and until what stayed off is put right: then more is allowed. */
  get settling() {
    return this.#settlingMs > 0;
  }

  /** The sound begins, or broke off: what is off now may be put right quickly. */
  settle() {
    this.#settlingMs = SETTLING_MS;
    this.#isUnseen = false;
  }

  /** It is where it should be: nothing is bent any more. */
  rest() {
    this.#bend = 0;
    this.#bending = false;
    this.#endUnseen();
  }

  #endUnseen() {
    this.#offForMs = 0;
    if (this.#isUnseen) this.#settlingMs = 0;
    this.#isUnseen = false;
  }

  #seeUnseen(distanceMs, stepMs, isJoining) {
    const isOver = this.#isUnseen ? !this.settling || distanceMs < DEADBAND_MS : distanceMs < UNSEEN_BELOW_MS;
    if (isJoining || isOver) this.#endUnseen();
    else if (this.#offForMs > 0 || distanceMs > UNSEEN_ABOVE_MS) this.#offForMs += stepMs;
    if (this.settling || this.#offForMs < UNSEEN_FOR_MS) return;
    this.settle();
    this.#isUnseen = true;
  }

  /**
   * `errorMs` is how much too early (positive) or too late the sound is, `stepMs` for how long the
   * answer holds; nothing is bent while it `isJoining` one track to the next. True if it must jump;
   * else `bend` tells the rate.
   */
  jumps(errorMs, stepMs, isJoining = false) {
    const distanceMs = Math.abs(errorMs);
    this.#seeUnseen(distanceMs, stepMs, isJoining);
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
