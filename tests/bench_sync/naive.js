// The naive peer: a listener that schedules each start and never looks again, as rivals do.
//
// It measures the clock once, by eight probes of which the three quickest count, and lets a buffer
// start at `currentTime + wait - outputLatency`. When it comes back from being offline it starts
// again if the music is elsewhere by then. Run inside a page of the server's origin.

const [roomId] = arguments;
const context = new AudioContext({ sampleRate: 48_000, latencyHint: "playback" });
const clientId = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const buffers = new Map();
const tracks = new Map(); // entry id -> track id
const probes = [];
let offsetMs = null;
let sounding = null;
let scheduled = ""; // the anchor that was scheduled last
let playback = null;

const nowMs = () => performance.timeOrigin + performance.now() + offsetMs;

function load(trackId) {
  if (!buffers.has(trackId)) {
    buffers.set(trackId, fetch(`/api/tracks/${trackId}/audio`).then((answer) => answer.arrayBuffer())
      .then((bytes) => context.decodeAudioData(bytes)));
  }
  return buffers.get(trackId);
}

async function schedule() {
  if (offsetMs === null || !playback) return;
  const { status, entryId, startedAtMs, positionMs } = playback;
  const anchor = JSON.stringify(playback);
  if (anchor === scheduled) return;
  scheduled = anchor;
  const buffer = await load(tracks.get(entryId));
  if (anchor !== scheduled) return;
  const waitS = (startedAtMs - nowMs()) / 1_000;
  const atS = context.currentTime + Math.max(0, waitS - context.outputLatency);
  sounding?.stop(atS);
  sounding = null;
  if (status !== "playing") return;
  sounding = new AudioBufferSourceNode(context, { buffer });
  sounding.connect(context.destination);
  const lateS = Math.max(0, context.outputLatency - waitS);
  sounding.start(atS, positionMs / 1_000 + lateS);
}

function take({ status, entry, started_at_ms: startedAtMs, position_ms: positionMs }, queue) {
  for (const one of [entry, ...queue].filter(Boolean)) tracks.set(one.entry_id, one.track.track_id);
  playback = entry && { status, entryId: entry.entry_id, startedAtMs, positionMs };
  for (const trackId of tracks.values()) load(trackId);
}

function fold(event) {
  const { type, entry_id: entryId, started_at_ms: startedAtMs, position_ms: positionMs } = event;
  if (type === "playback.started") playback = { status: "playing", entryId, startedAtMs, positionMs };
  else if (type === "playback.seeked") playback = { ...playback, startedAtMs, positionMs };
  else if (type === "playback.paused") playback = { status: "paused", entryId, startedAtMs: event.paused_at_ms, positionMs };
}

function measured({ t0, t1, t2 }) {
  const t3 = performance.timeOrigin + performance.now();
  probes.push({ rttMs: t3 - t0 - (t2 - t1), offsetMs: (t1 - t0 + (t2 - t3)) / 2 });
  if (probes.length < 8) return ask();
  const best = probes.sort((one, other) => one.rttMs - other.rttMs).slice(0, 3);
  offsetMs = best.reduce((sum, probe) => sum + probe.offsetMs, 0) / best.length;
  return schedule();
}

let socket;
const send = (frame) => socket.send(JSON.stringify(frame));
const ask = () => send({ type: "probe", t0: performance.timeOrigin + performance.now() });

function open() {
  socket = new WebSocket(`ws://${location.host}/ws`, "unisono.v1.json");
  socket.onopen = () => send({ type: "hello", client_id: clientId });
  socket.onclose = () => setTimeout(open, 500);
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.type === "welcome") send({ type: "join", id: Date.now(), room: roomId });
    else if (frame.type === "probed") measured(frame);
    else if (frame.type === "joined") {
      take(frame.snapshot.playback, frame.snapshot.queue);
      if (offsetMs === null) ask();
      else schedule();
    } else if (frame.type === "events") {
      frame.events.forEach(fold);
      schedule();
    }
  };
}
open();
