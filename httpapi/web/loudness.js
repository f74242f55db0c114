// How loud a track is played, so that all tracks are about equally loud. Pure.

const TARGET_LUFS = -14;
const PEAK_DB = -1; // no true peak is lifted above it
const MOST_DB = 12; // what is quieter than that is meant to be quiet

/** What to multiply the samples of a track by; 1 while nothing is known of it, or it is silence. */
export function gainOf(rendition) {
  const { integrated_lufs: loudness, true_peak_db: peakDb } = rendition ?? {};
  if (loudness == null || peakDb == null) return 1;
  // A track that is loud as it is, is only made quieter; one that has no room is not lifted.
  const wantedDb = Math.min(TARGET_LUFS - loudness, MOST_DB);
  const roomDb = Math.max(0, PEAK_DB - peakDb);
  return 10 ** (Math.min(wantedDb, roomDb) / 20);
}
