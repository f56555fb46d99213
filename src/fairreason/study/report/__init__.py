"""The report of a study: one HTML file made from the files of the study folder alone, readable without a network.

`build(folder)` reads `study.json`, `frontier.json` and `runs/*`, and writes `report/index.html` with everything inside:
styles, plotly.js from the plotly package, our scripts and the data. It computes no statistic; every number in it stands
in a file of the folder already. Text from models, data and users is shown as text, never as HTML (page.py, common.js).
"""

from fairreason.study.report.page import build

__all__ = ["build"]
