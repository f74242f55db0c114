// Files on their way to the server: sent two at a time, then watched until they are analysed.
//
// They belong to the page, not to a view: going somewhere else does not stop them.

import { get, Problem, upload } from "./api.js";

const AT_ONCE = 2;
const MEBIBYTE_BYTES = 2 ** 20;
const ASK_EVERY_MS = 1_500; // 40 questions a minute, whatever the number of jobs; 60 are allowed

/**
 * Events: `change` (something is further). An item: {name, state, share, problem, track}; its states
 * are `queued`, `sending`, `checking` (the server is opening it), `analysing` (its track can be
 * played by now), `done`, `failed`.
 */
export class Uploads extends EventTarget {
  items = [];
  #added = 0; // so many, ever
  #timer = 0;
  #config = null; // what the server says of itself, once it was asked

  constructor() {
    super();
    addEventListener("beforeunload", (event) => this.#isSending && event.preventDefault());
  }

  get #isSending() {
    return this.items.some(({ state }) => state === "queued" || state === "sending" || state === "checking");
  }

  /** Send files; `then(track)` is called for each that has arrived. */
  add(files, then = () => {}) {
    for (const file of files) {
      this.items.push({ key: this.#added++, file, name: file.name, then, state: "queued", share: 0, stop: null });
    }
    this.#next();
  }

  /** Try a failed one again. */
  again(item) {
    Object.assign(item, { state: "queued", share: 0, problem: undefined });
    this.#next();
  }

  /** Take one out of the list; what is still being sent is not sent any further. */
  drop(item) {
    item.stop?.abort();
    this.items = this.items.filter((other) => other !== item);
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  #next() {
    const sending = this.items.filter(({ state }) => state === "sending" || state === "checking").length;
    const queued = this.items.filter(({ state }) => state === "queued").slice(0, Math.max(0, AT_ONCE - sending));
    for (const item of queued) this.#send(item);
    this.#changed();
  }

  async #send(item) {
    item.state = "sending";
    item.stop = new AbortController();
    try {
      await this.#checkSize(item.file);
      item.track = await upload(item.file, (share) => {
        item.share = share;
        item.state = share < 1 ? "sending" : "checking";
        this.#changed();
      }, item.stop.signal);
      Object.assign(item, { state: "analysing", share: 0 });
      item.then(item.track);
      this.#watch();
    } catch (problem) {
      this.#failed(item, problem);
    }
    this.#next();
  }

  /** What the server would refuse at its end is not sent to it in vain. */
  async #checkSize({ size }) {
    this.#config ??= await get("/auth/config");
    const most = this.#config.upload_max_bytes;
    if (size > most) throw new Problem(413, { title: `The file is larger than ${Math.floor(most / MEBIBYTE_BYTES)} MiB, the most that is taken here.` });
  }

  #failed(item, problem) {
    Object.assign(item, { state: "failed", problem });
    // So many files at once are no mistake of the person: they wait for their turn.
    if (problem.status === 429) setTimeout(() => item.state === "failed" && this.again(item), problem.retryAfterMs ?? ASK_EVERY_MS);
  }

  #watch() {
    if (!this.#timer) this.#timer = setTimeout(() => this.#ask(), ASK_EVERY_MS);
  }

  /** Ask for one job, the one not asked for the longest. */
  async #ask() {
    const watched = this.items.filter(({ state }) => state === "analysing");
    const [item] = watched.sort((one, other) => (one.askedAt ?? 0) - (other.askedAt ?? 0));
    this.#timer = 0;
    if (!item) return;
    item.askedAt = performance.now();
    try {
      const job = await get(`/jobs/${item.track.job_id}`);
      item.share = job.progress;
      if (job.state === "done") item.state = "done";
      if (job.state === "failed") this.#failed(item, new Error(job.error));
    } catch (problem) {
      if (problem.status === 404) this.drop(item); // the track was deleted
      // Anything else passes: it is asked again.
    }
    this.#changed();
    this.#watch();
  }
}
