// How well this page is in tune: its last minutes, and how late the loudspeaker is.

import { MOST_OFFSET_MS } from "../device.js";
import { el } from "../dom.js";
import { SPREAD_MS } from "../tune.js";

const [WIDTH, HEIGHT] = [300, 60];
const EDGE_MS = 5; // the upper and the lower edge of the graph
const DRAWN_EVERY_MS = 1_000;
const CLICKS_FOR_MS = 20_000;
const WORDS = { in_tune: "in tune", catching_up: "catching up", loading: "loading", silent: "silent there", away: "away" };

const svg = (tag, attributes) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};

/** What is said behind a person's name. */
export function listenerText(listening) {
  if (!listening) return "";
  const { state, error_ms: errorMs, rtt_ms: rttMs } = listening;
  return state === "in_tune" || state === "catching_up"
    ? `${WORDS[state]}, ${Math.abs(errorMs).toFixed(1)} ms · ${rttMs} ms to the server` : WORDS[state];
}

/** The same for a crowd: how many are within how many ms. */
export function spreadText({ errors, ...others }) {
  const within = SPREAD_MS.map((ms, index) => (errors[index] ? `${errors[index]} within ${ms} ms` : null));
  const beyond = errors.at(-1) ? `${errors.at(-1)} further off` : null;
  const unheard = ["loading", "silent", "away"].map((state) => (others[state] ? `${others[state]} ${WORDS[state]}` : null));
  return [...within, beyond, ...unheard].filter(Boolean).join(", ");
}

export function tunePanel({ player, standing, clicks }) {
  const line = svg("polyline", { fill: "none", stroke: "currentcolor", "stroke-width": "1.5", "vector-effect": "non-scaling-stroke" });
  const graph = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": "Distance from the schedule in the last three minutes" });
  graph.append(svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2, stroke: "currentcolor", "stroke-opacity": ".3", "vector-effect": "non-scaling-stroke" }), line);
  const said = el("p", { class: "quiet", id: "tune-said" });
  const offset = el("input", { type: "number", id: "offset", min: -MOST_OFFSET_MS, max: MOST_OFFSET_MS, step: 1 });
  const click = el("button", { type: "button", id: "click-track", onclick: () => clicks(CLICKS_FOR_MS) }, "Let the room click");
  offset.onchange = () => player.device.setOffset(Number(offset.value) || 0);
  const node = el("details", { id: "tune" }, el("summary", {}, "In tune here"), graph, said,
    el("label", {}, "This loudspeaker is late by (ms)", offset),
    el("p", { class: "quiet" }, "Wireless headphones and televisions are late without saying so. ",
      "Let the room click and turn this until the clicks of two devices fall together."), click);

  function draw() {
    if (!node.open) return;
    const { points } = player.minutes;
    line.setAttribute("points", player.minutes.line(performance.now(), WIDTH, HEIGHT, EDGE_MS));
    const worstMs = points.reduce((most, { errorMs }) => Math.max(most, Math.abs(errorMs)), 0);
    said.textContent = points.length ? `The last three minutes: at most ${worstMs.toFixed(1)} ms off. The edges are ${EDGE_MS} ms.` : "Nothing has sounded yet.";
    if (document.activeElement !== offset) offset.value = player.device.offsetMs;
    click.hidden = !standing.may("control");
  }

  node.addEventListener("toggle", draw);
  player.device.addEventListener("change", draw);
  const timer = setInterval(draw, DRAWN_EVERY_MS);
  return {
    node,
    close() {
      clearInterval(timer);
      player.device.removeEventListener("change", draw);
    },
  };
}
