// While the room plays, the screen stays on, and the keys of the keyboard or the headset are ours.

const SKIP_S = 10; // where the keys say how far neither
const DRIFT_MS = 500;

export class Awake {
  #lock = null;
  #isAsking = false;
  #told = ""; // what the keys' display shows
  #place = null; // where the display believes that the music is: {durationMs, positionMs, atMs, isPlaying}
  #isWanted = false;
  #ending = new AbortController();

  constructor() {
    // The browser takes the lock away when the page is hidden.
    document.addEventListener("visibilitychange", () => this.#ask(), { signal: this.#ending.signal });
  }

  /**
   * Follow what plays: `track` or null, whether it moves, and `place`, {durationMs, positionMs}, or null.
   *
   * @param acts what this person may do: `play`, `pause`, `next`, `seek(positionMs)` with `positionMs()`
   */
  show(track, isPlaying, acts, place = null) {
    this.#isWanted = isPlaying;
    if (isPlaying) this.#ask();
    else this.#release();
    const keys = navigator.mediaSession;
    if (!keys) return;
    this.#tell(keys, track);
    keys.playbackState = !track ? "none" : isPlaying ? "playing" : "paused";
    keys.setActionHandler("play", acts?.play ?? null);
    keys.setActionHandler("pause", acts?.pause ?? null);
    keys.setActionHandler("nexttrack", acts?.next ?? null);
    const skip = (towards) => acts?.seek && (({ seekOffset }) => acts.seek(acts.positionMs() + towards * 1_000 * (seekOffset || SKIP_S)));
    keys.setActionHandler("seekto", acts?.seek ? ({ seekTime }) => acts.seek(seekTime * 1_000) : null);
    keys.setActionHandler("seekbackward", skip(-1) ?? null);
    keys.setActionHandler("seekforward", skip(1) ?? null);
    this.#tellPlace(keys, track && place, isPlaying);
  }

  end() {
    this.#ending.abort();
    this.show(null, false, null);
  }

  /** Only what is new: the system may draw it afresh, cover and all, each time. */
  #tell(keys, track) {
    const what = track ? JSON.stringify([track.track_id, track.title, track.artist, track.has_cover]) : "";
    if (what === this.#told) return;
    this.#told = what;
    keys.metadata = track && new MediaMetadata({
      title: track.title, artist: track.artist,
      artwork: track.has_cover ? [{ src: `/api/tracks/${track.track_id}/cover` }] : [],
    });
  }

  /** The display goes on by itself: it is told only what it does not expect. */
  #tellPlace(keys, place, isPlaying) {
    if (!place?.durationMs || !keys.setPositionState) {
      if (this.#place) keys.setPositionState();
      this.#place = null;
      return;
    }
    const atMs = performance.now();
    const { durationMs, positionMs } = place;
    const before = this.#place;
    const expectedMs = before && before.positionMs + (before.isPlaying ? atMs - before.atMs : 0);
    if (before?.durationMs === durationMs && before.isPlaying === isPlaying && Math.abs(positionMs - expectedMs) < DRIFT_MS) return;
    this.#place = { durationMs, positionMs, atMs, isPlaying };
    keys.setPositionState({ duration: durationMs / 1_000, position: positionMs / 1_000 });
  }

  async #ask() {
    if (!this.#isWanted || document.hidden || this.#lock || this.#isAsking) return;
    this.#isAsking = true;
    // A browser that has no such lock, or gives none on a low battery, dims the screen: no harm.
    const lock = await navigator.wakeLock?.request("screen").catch(() => null) ?? null;
    this.#isAsking = false;
    this.#lock = lock?.released ? null : lock;
    lock?.addEventListener("release", () => { if (this.#lock === lock) this.#lock = null; });
    if (!this.#isWanted) this.#release();
  }

  #release() {
    this.#lock?.release();
    this.#lock = null;
  }
}
