// What the two choices above the frontier rule: the frontier itself and the same numbers over the bias share.
function drawChosen() {
  drawFrontier();
  for (const [id, select] of [["share-across", byId("axis")], ["share-up", byId("height")]])
    drawShares(id, select.value, literal(select.selectedOptions[0].textContent));
}

// Draws everything, and again when the theme, the width class or the medium changes.
function drawAll() {
  if (DATA.points.length || DATA.base) {
    if (byId("axis").options.length && byId("height").options.length) drawChosen();
    else byId("frontier").textContent = "No point has numbers for two axes yet.";
  }
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
