// Telling the server how far this page is: loaded what is waited for, and how well in tune.

const LOOK_EVERY_MS = 1_000;
/** As in protocol/tune.py; or at once, when the state is another. */
export const REPORT_EVERY_MS = 5_000;

export function report(connection, { store, player, clock }) {
  let toldReady = null;
  let toldTuning = null;
  let toldAtMs = -Infinity;
  const signal = (body) => connection.signal(store.roomId, body);
  const follow = () => {
    const { entry, status } = store.snapshot.playback;
    if (status !== "waiting") toldReady = null;
    else if (entry && toldReady !== entry.entry_id && player.isReady(entry.track.track_id)) {
      toldReady = entry.entry_id;
      signal({ type: "ready", entry_id: entry.entry_id });
    }
  };
  const timer = setInterval(() => {
    const { tuning, errorMs } = player;
    const nowMs = performance.now();
    if (tuning === toldTuning && nowMs - toldAtMs < REPORT_EVERY_MS) return;
    toldTuning = tuning;
    if (tuning === null || clock.rttMs === null) return;
    toldAtMs = nowMs;
    // An error is counted only of who is in tune or catching up; where nothing sounds there is none.
    signal({ type: "clock_report", rtt_ms: Math.round(clock.rttMs), error_ms: errorMs ?? 0, state: tuning });
  }, LOOK_EVERY_MS);
  return { follow, stop: () => clearInterval(timer) };
}
