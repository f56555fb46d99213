// The frontier: one number up, another across; what the marks mean stands in the text below the chart.
function hoverOf(point) {
  const lines = [`<b>${literal(point.name)}</b>`];
  lines.push(literal(point.series || point.label) + (point.share === null ? "" : `, bias share ${point.share}`) +
    (point.seeds.length ? `, ${point.seeds.length} seeds` : ""));
  for (const [key, text] of [["F", "F"], ["R", "R"], ["R0", "R₀"]]) lines.push(`${text} ${estimateText(point.values[key])}`);
  for (const [key, text] of DATA.axes.slice(1)) lines.push(`${literal(text)}: ${estimateText(point.values[key])}`);
  for (const [key, text] of DATA.costs) if (point.cost[key] != null) lines.push(`${text}: ${figure(point.cost[key], 0)}`);
  if (point.probability.F !== null && point.seeds.length) lines.push(`on the frontier in ${figure(100 * point.probability.F, 0)} % of draws`);
  if (point.hollow) lines.push("disambiguated accuracy surely below the base's: hollow and out of the frontier against |s_AMB|");
  for (const one of point.collapsed) lines.push(`collapsed at step ${one.step}: ${literal(shortened(one.run))}`);
  return lines.join("<br>");
}

function runHover(point, one, across, up) {
  const name = DATA.names[one.run] ?? one.run;
  const value = (key) => `${literal(key.replace("cost:", ""))} ${figure(valueOf(one, key)[0])}`;
  return `one run of ${literal(point.name)}<br>${wrapped(name)}<br>${value(across)}<br>${value(up)}`;
}

function singles(points, series, across, up) {
  const rows = points.flatMap((p) => p.singles.map((one) => [p, one]));
  return {
    x: rows.map(([, one]) => valueOf(one, across)[0]), y: rows.map(([, one]) => valueOf(one, up)[0]),
    type: "scatter", mode: "markers", legendgroup: series, showlegend: false, meta: "runs", opacity: 0.4,
    marker: { size: 5, color: colour(series), symbol: rows.map(([p]) => symbol(dial(p))) },
    hoverinfo: "text", hovertext: rows.map(([p, one]) => runHover(p, one, across, up)),
  };
}

function means(points, series, across, up) {
  const shade = colour(series);
  const x = points.map((p) => valueOf(p, across)), y = points.map((p) => valueOf(p, up));
  return {
    x: x.map((e) => e[0]), y: y.map((e) => e[0]), error_x: bars(x, shade), error_y: bars(y, shade),
    type: "scatter", mode: "markers", legendgroup: series, showlegend: false, meta: "points",
    marker: { size: 12, color: points.map((p) => (p.hollow && across === "s_amb_abs" ? theme("--paper") : shade)),
      line: { width: 2, color: shade }, symbol: points.map((p) => symbol(dial(p))) },
    hoverinfo: "text", hovertext: points.map(hoverOf),
  };
}

function baseTrace(across, up) {
  const x = valueOf(DATA.base, across), y = valueOf(DATA.base, up);
  return { x: [x[0]], y: [y[0]], error_x: bars([x], theme("--ink")), error_y: bars([y], theme("--ink")), type: "scatter",
    mode: "markers", name: "base", marker: { symbol: "star", size: 17, color: theme("--ink") },
    hoverinfo: "text", hovertext: [hoverOf(DATA.base)] };
}

// The edge of what the points of the frontier dominate: higher is better up, across it depends on the axis.
function edge(across, up) {
  if (up !== "R" || !(across === "F" || across === "s_amb_abs")) return [];
  const on = DATA.points.filter((p) => p.frontier[across] && valueOf(p, across)[0] !== null && valueOf(p, up)[0] !== null);
  on.sort((a, b) => valueOf(a, across)[0] - valueOf(b, across)[0]);
  if (!on.length) return [];
  return [{ x: on.map((p) => valueOf(p, across)[0]), y: on.map((p) => valueOf(p, up)[0]), type: "scatter", mode: "lines",
    line: { color: theme("--dim"), dash: "dot", width: 1.6, shape: across === "F" ? "vh" : "hv" }, name: "frontier",
    hoverinfo: "skip", meta: "edge" }];
}

function legendOf() {
  const dummy = { x: [null], y: [null], type: "scatter", mode: "markers", hoverinfo: "skip" };
  const strategies = SERIES.map((s) => ({ ...dummy, name: literal(shortened(s)), legendgroup: s,
    marker: { color: colour(s), size: 11 } }));
  const dials = [...SHARES, ...DIALS.filter((at) => at in SHARELESS)].map((at) => ({ ...dummy, legend: "legend2",
    name: at in SHARELESS ? at : "share " + at, marker: { color: theme("--dim"), symbol: symbol(at), size: 10 } }));
  return [...strategies, ...dials];
}

function drawFrontier() {
  const across = byId("axis").value, up = byId("height").value;
  const of = (series) => DATA.points.filter((p) => p.series === series);
  const traces = [...edge(across, up), ...SERIES.map((s) => singles(of(s), s, across, up)),
    ...SERIES.map((s) => means(of(s), s, across, up)), ...(DATA.base ? [baseTrace(across, up)] : []), ...legendOf()];
  const small = narrow();
  const title = (select) => literal(select.selectedOptions[0].textContent);
  const across2 = { orientation: "h", x: 0, xanchor: "left", yanchor: "top", font: { size: 12 } };
  draw("frontier", traces, {
    xaxis: { title: { text: title(byId("axis")), standoff: 8 } }, yaxis: { title: { text: title(byId("height")), standoff: 6 } },
    legend: small ? { ...across2, y: -0.17 } : { x: 1.01, y: 1, title: { text: "strategy" } },
    legend2: small ? { ...across2, y: -0.42, itemclick: false, itemdoubleclick: false }
      : { x: 1.01, y: 0, yanchor: "bottom", title: { text: "bias share" }, itemclick: false, itemdoubleclick: false },
    margin: small ? { l: 50, r: 8, t: 10, b: 200 } : { l: 56, r: 150, t: 14, b: 48 },
  });
}

function setUpFrontier(redraw) {
  const axes = [...DATA.axes, ...DATA.costs.map(([key, text]) => ["cost:" + key, text])];
  options(byId("axis"), axes.filter(([key]) => DATA.points.some((p) => valueOf(p, key)[0] !== null)));
  const heights = DATA.heights.filter(([key]) => DATA.points.some((p) => valueOf(p, key)[0] !== null));
  options(byId("height"), heights);
  for (const id of ["axis", "height"]) byId(id).addEventListener("change", redraw);
}
