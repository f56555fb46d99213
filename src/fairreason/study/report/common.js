"use strict";
// What every chart needs: the data, colours of the theme, and text that stays text.
const DATA = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "pentagon", "cross", "triangle-down", "hexagon", "bowtie"];
// Where a point stands on the dial: its share, or in words why it has none.
const dial = (p) => p.share ?? (p.trained ? "schedule" : "evaluated only");
const DIALS = [...new Set([...DATA.points, ...DATA.holes].map(dial))];
const SHARES = DIALS.filter(Number.isFinite).sort((a, b) => a - b);
const SHARELESS = { schedule: "hourglass", "evaluated only": "hexagram" };
const FIRST = ["sft", "kd", "grpo"];
const SERIES = [...new Set([...DATA.points, ...DATA.holes].map((p) => p.series))].sort(
  (a, b) => (FIRST.indexOf(a) + 99) % 99 - (FIRST.indexOf(b) + 99) % 99);

// Plotly reads a little HTML in its texts: entities keep ours literal, isolates keep a stray direction mark inside.
const literal = (text) => "\u2068" + String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")
  .replace(/[\r\n]+/g, " ") + "\u2069";
const shortened = (text, most = 60) => (String(text).length > most ? String(text).slice(0, most - 1) + "…" : String(text));
const wrapped = (text, width = 48) => (String(text).match(new RegExp(`[^]{1,${width}}`, "gu")) || [""]).map(literal).join("<br>");

const theme = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colour = (series) => theme("--c" + Math.min(SERIES.indexOf(series), 6));
const symbol = (at) => SHARELESS[at] ?? SYMBOLS[SHARES.indexOf(at) % SYMBOLS.length];
const narrow = () => window.innerWidth < 700;

function figure(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  const text = Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : value.toFixed(digits);
  return text.replace("-", "−");
}

function estimateText(estimate) {
  if (!estimate || estimate[0] === null) return "–";
  const ends = estimate[1] === null ? "" : ` [${figure(estimate[1])}, ${figure(estimate[2])}]`;
  return figure(estimate[0]) + ends;
}

// A point's or a single run's number on an axis: [value, low, high], without an interval where there is none.
function valueOf(row, key) {
  if (key.startsWith("cost:")) return [row.cost[key.slice(5)] ?? null, null, null];
  const value = row.values[key];
  return Array.isArray(value) ? value : [value ?? null, null, null];
}

function options(select, pairs) {
  const kept = select.value;
  select.replaceChildren(...pairs.map(([value, text]) => new Option(text, value)));
  if (pairs.some(([value]) => value === kept)) select.value = kept;
}

function bars(estimates, shade) {
  const known = estimates.map((e) => e[0] !== null && e[1] !== null);
  return {
    type: "data", symmetric: false, color: shade, thickness: 1.2, width: 3,
    array: estimates.map((e, i) => (known[i] ? e[2] - e[0] : 0)),
    arrayminus: estimates.map((e, i) => (known[i] ? e[0] - e[1] : 0)),
    visible: known.some(Boolean),
  };
}

function layout(more) {
  const axis = { gridcolor: theme("--rule"), linecolor: theme("--dim"), zeroline: false, automargin: true, ticks: "outside",
    tickcolor: theme("--dim") };
  const { xaxis, yaxis, ...rest } = more;
  return {
    paper_bgcolor: theme("--paper"), plot_bgcolor: theme("--paper"), margin: { l: 56, r: 16, t: 28, b: 48 },
    font: { color: theme("--ink"), family: "system-ui, sans-serif", size: 13 }, hovermode: "closest",
    hoverlabel: { bgcolor: theme("--soft"), bordercolor: theme("--dim"), font: { color: theme("--ink") }, align: "left" },
    xaxis: { ...axis, ...xaxis }, yaxis: { ...axis, ...yaxis }, ...rest,
  };
}

const draw = (id, traces, look) => Plotly.react(id, traces, layout(look), { displayModeBar: false, responsive: true });
