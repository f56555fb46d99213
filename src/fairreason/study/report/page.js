// What the two choices above the frontier rule: the frontier itself and the same numbers over the bias share.
function drawChosen() {
  const across = byId("axis"), up = byId("height");
  if (across.options.length && up.options.length) drawFrontier();
  else byId("frontier").textContent = "No point has numbers for two axes yet.";
  for (const [id, select] of [["share-across", across], ["share-up", up]]) {
    byId(id).hidden = !select.options.length;
    if (select.options.length) drawShares(id, select.value, literal(select.selectedOptions[0].textContent));
  }
}

// Draws everything, and again when the theme, the width class or the medium changes.
function drawAll() {
  if (DATA.points.length || DATA.base) drawChosen();
  drawTraining();
}

if (byId("frontier")) setUpFrontier(drawChosen);
setUpTraining();
drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
matchMedia("(max-width: 700px)").addEventListener("change", drawAll);
addEventListener("beforeprint", () => { document.documentElement.dataset.theme = "light"; drawAll(); });
addEventListener("afterprint", () => { delete document.documentElement.dataset.theme; drawAll(); });
document.documentElement.dataset.drawn = "yes";
