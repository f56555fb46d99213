// Draws everything, and again when the theme, the width class or the medium changes.
function drawAll() {
  if (DATA.points.length || DATA.base) {
    if (byId("axis").options.length && byId("height").options.length) drawFrontier();
    else byId("frontier").textContent = "No point has numbers for two axes yet.";
    drawShares("share-F", "F", "F (fairness)");
    drawShares("share-R", "R", "R (reasoning kept, base = 1)");
  }
  drawTraining();
}

if (byId("frontier")) setUpFrontier();
setUpTraining();
drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
matchMedia("(max-width: 700px)").addEventListener("change", drawAll);
addEventListener("beforeprint", () => { document.documentElement.dataset.theme = "light"; drawAll(); });
addEventListener("afterprint", () => { delete document.documentElement.dataset.theme; drawAll(); });
document.documentElement.dataset.drawn = "yes";
