// Mutes and bans end by themselves, without an event: draw anew at that instant.

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Says `change` on the store whenever a mute or ban has ended. @returns a function that stops it */
export function watchEnds(store, clock) {
  let timer = 0;
  function set() {
    clearTimeout(timer);
    if (!store.snapshot || !clock.ready) return;
    const { members, bans } = store.snapshot;
    const nowMs = clock.nowMs();
    const ends = [...Object.values(members).map(({ mute }) => mute?.until_ms), ...Object.values(bans).map((ban) => ban.until_ms)]
      .filter((untilMs) => untilMs != null && untilMs > nowMs);
    if (!ends.length) return;
    const inMs = Math.min(Math.min(...ends) - nowMs + 1, LONGEST_TIMER_MS);
    timer = setTimeout(() => store.dispatchEvent(new CustomEvent("change", { detail: [] })), inMs);
  }
  store.addEventListener("change", set);
  clock.addEventListener("ready", set);
  set();
  return () => {
    clearTimeout(timer);
    store.removeEventListener("change", set);
    clock.removeEventListener("ready", set);
  };
}
