// Curves over the bias share and over training steps.
function drawShares(id, key, title) {
  const holes = DATA.holes.filter((h) => h.share !== null);
  const traces = SERIES.map((series) => {
    const rows = SHARES.map((s) => DATA.points.find((p) => p.series === series && p.share === s));
    const at = rows.map((p) => (p ? valueOf(p, key) : [null, null, null]));
    const known = SHARES.map((s, i) => rows[i] || holes.some((h) => h.series === series && h.share === s));
    const kept = SHARES.map((_, i) => i).filter((i) => known[i]);  // a share that was not asked for is no hole
    return { x: kept, y: kept.map((i) => at[i][0]), error_y: bars(kept.map((i) => at[i]), colour(series)), type: "scatter",
      mode: "lines+markers", name: literal(shortened(series)), connectgaps: false, line: { color: colour(series), width: 2 },
      marker: { size: 9, symbol: kept.map((i) => symbol(SHARES[i])) },
      hoverinfo: "text", hovertext: kept.map((i) => (rows[i] ? hoverOf(rows[i]) : "")) };
  });
  const base = DATA.base ? valueOf(DATA.base, key)[0] : null;
  const values = DATA.points.map((p) => valueOf(p, key)).flat().concat(base).filter((v) => v !== null);
  byId(id).hidden = !values.length || !DATA.points.some((p) => valueOf(p, key)[0] !== null);
  if (byId(id).hidden) return;
  if (holes.length && values.length) traces.push({
    x: holes.map((h) => SHARES.indexOf(h.share)), y: holes.map(() => Math.min(...values)), type: "scatter", mode: "markers",
    name: "failed", marker: { symbol: "x-thin", size: 11, line: { width: 2, color: holes.map((h) => colour(h.series)) } },
    hoverinfo: "text", hovertext: holes.map((h) => `${literal(h.series)}, share ${h.share} failed<br>${wrapped(h.reason)}`) });
  draw(id, traces, {
    title: { text: title, font: { size: 14 }, x: 0.02, xanchor: "left" },
    xaxis: { title: { text: "bias share of the training examples", standoff: 6 }, tickvals: SHARES.map((_, i) => i), ticktext: SHARES.map(String) },
    shapes: base === null ? [] : [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: base, y1: base, line: { dash: "dash", width: 1.2, color: theme("--dim") } }],
    annotations: base === null ? [] : [{ xref: "paper", x: 1, xanchor: "right", y: base, yanchor: "bottom", text: "base", showarrow: false, font: { size: 11, color: theme("--dim") } }],
    legend: { orientation: "h", y: -0.27, yanchor: "top", x: 0, font: { size: 12 } }, margin: { l: 48, r: 10, t: 34, b: narrow() ? 110 : 90 },
  });
}

const configuration = (run) => `${run.series}${run.share === null ? "" : " at share " + run.share}`;

function setUpTraining() {
  if (!DATA.curves.length) return;
  byId("training").hidden = false;
  options(byId("curve-runs"), [...new Set(DATA.curves.map(configuration))].map((name) => [name, name]));
  byId("curve-runs").addEventListener("change", drawTraining);
  byId("curve-metric").addEventListener("change", drawTraining);
}

function drawTraining() {
  if (!DATA.curves.length) return;
  const runs = DATA.curves.filter((run) => configuration(run) === byId("curve-runs").value);
  const metrics = [...new Set(runs.flatMap((run) => Object.values(run.sources).flatMap(Object.keys)))].sort();
  const first = ["reward", "loss"].filter((name) => metrics.includes(name));
  options(byId("curve-metric"), [...new Set([...first, ...metrics])].map((name) => [name, name.replaceAll("_", " ")]));
  const metric = byId("curve-metric").value;
  const sources = [...new Set(runs.flatMap((run) => Object.keys(run.sources)))];
  const traces = runs.flatMap((run, number) => Object.entries(run.sources).filter(([, rows]) => rows[metric]).map(([source, rows]) => {
    const shade = source === "all" ? theme("--ink") : theme("--c" + (sources.indexOf(source) % 7));
    return { x: run.steps, y: rows[metric], type: "scatter", mode: run.steps.length < 3 ? "lines+markers" : "lines", connectgaps: true,
      name: `${literal(source)} <i>${literal(shortened(run.run, narrow() ? 24 : 40))}</i>`,
      line: { color: shade, width: 1.6, dash: ["solid", "dash", "dot", "dashdot"][number % 4] },
      hoverinfo: "text", hovertext: run.steps.map((step, i) => `${literal(source)}, step ${step}: ${figure(rows[metric][i])}<br>${wrapped(run.run)}`) };
  }));
  draw("curves", traces, {
    xaxis: { title: { text: "optimizer step", standoff: 6 } }, yaxis: { title: { text: literal(metric.replaceAll("_", " ")), standoff: 6 } },
    legend: narrow() ? { orientation: "h", y: -0.25, yanchor: "top", x: 0, font: { size: 10 } } : { font: { size: 11 } }, showlegend: true,
    margin: narrow() ? { l: 50, r: 8, t: 10, b: 60 } : { l: 56, r: 10, t: 10, b: 48 },
  });
}
