// What this page remembers of the device that it sounds on: its volume, and how late it is.
//
// Browsers tell loudspeakers and headphones apart only if they may; where they do not, all are one.

const VOLUME_KEY = "unisono.volume";
const OFFSET_KEY = "unisono.offset";
export const MOST_OFFSET_MS = 500;

const stored = (key) => {
  const value = localStorage.getItem(key);
  return value === null || !Number.isFinite(Number(value)) ? null : Number(value);
};

/** Events: `change` (another device, or another offset). */
export class Device extends EventTarget {
  #key = "";
  /** 0 (mute) to 1. */
  volume = stored(VOLUME_KEY) ?? 1;
  /** So much later than the browser believes what it plays is heard here, ms. */
  offsetMs = 0;

  constructor() {
    super();
    this.#take("");
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.look());
    this.look();
  }

  /** Which device is it? The default one may be another now. */
  async look() {
    const known = await navigator.mediaDevices?.enumerateDevices?.().catch(() => []) ?? [];
    const outputs = known.filter(({ kind }) => kind === "audiooutput");
    const one = outputs.find(({ deviceId }) => deviceId === "default") ?? outputs[0];
    const key = one?.label || one?.groupId || "";
    if (key !== this.#key) this.#take(key);
  }

  setVolume(volume) {
    this.volume = volume;
    localStorage.setItem(VOLUME_KEY, String(volume));
  }

  setOffset(offsetMs) {
    this.offsetMs = Math.max(-MOST_OFFSET_MS, Math.min(MOST_OFFSET_MS, offsetMs));
    localStorage.setItem(this.#name, String(this.offsetMs));
    this.dispatchEvent(new Event("change"));
  }

  get #name() {
    return this.#key ? `${OFFSET_KEY}.${this.#key}` : OFFSET_KEY;
  }

  #take(key) {
    this.#key = key;
    this.offsetMs = stored(this.#name) ?? 0;
    this.dispatchEvent(new Event("change"));
  }
}
