"""Puts the report together: one HTML file with styles, plotly.js, our scripts and the data inside.

Nothing untrusted becomes markup. Jinja escapes every value; the data stands in a `<script type="application/json">` in
which `<`, `>` and `&` are written as \\u003c, \\u003e, \\u0026, so that it cannot end its own element; our scripts write it
with textContent, and escape it once more where plotly reads a markup of its own (common.js: `plain`). The page's
Content-Security-Policy runs the scripts of this file by their hashes, no other, and lets nothing reach a network.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from fairreason.files import write_atomic
from fairreason.records import OUTCOMES
from fairreason.study.report.read import Study, read_study, torn_rows
from fairreason.study.report.samples import samples
from fairreason.study.report.tables import contrast_rows, hypervolume_rows, overview, run_rows, share_table, spot_rows

SCRIPTS = ("common", "frontier", "shares", "categories", "training", "samples", "main")
ASSETS = files("fairreason.study.report") / "assets"
CURVE_POINTS = 200
"""Logged steps a run that are drawn; of a longer log every k-th row."""


def build(folder: Path) -> Path:
    """Write `report/index.html` of a study folder and return its path.

    Raises DataError when the folder is no study or one of its files is broken, RunError while no run has scores.
    """
    study = read_study(Path(folder))
    target = study.folder / "report" / "index.html"
    write_atomic(target, render(study).encode("utf-8", "replace"))
    return target


def render(study: Study) -> str:
    """The page as text."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (ASSETS / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    plotly = _script((files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8"))
    ours = _script("".join((ASSETS / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS))
    return environment.get_template("page.html.j2").render(
        policy=_policy(plotly, ours),
        style=Markup((ASSETS / "style.css").read_text(encoding="utf-8")),
        plotly=Markup(plotly),
        ours=Markup(ours),
        data=Markup(embedded(page_data(study))),
        overview=overview(study),
        shares=share_table(study),
        spots=spot_rows(study.frontier),
        hypervolumes=hypervolume_rows(study.frontier),
        contrasts=contrast_rows(study.frontier),
        runs=run_rows(study),
        outcomes=OUTCOMES,
        frontier=study.frontier,
        recipe_yaml=str(study.info.get("recipe_yaml") or json.dumps(study.recipe, indent=2, ensure_ascii=False)),
    )


def page_data(study: Study) -> dict[str, Any]:
    """What the page's scripts read."""
    asked = {f"{row.get('benchmark')} {row.get('id')}": row for row in torn_rows(study.folder / "questions.jsonl")}
    runs = []
    for run in study.runs:
        shown = samples(run, asked)
        runs.append(
            {
                "name": run.name,
                "folder": run.folder.name,
                "label": run.label,
                "share": run.share,
                "seed": run.seed,
                "status": run.status,
                "reason": run.reason,
                "collapsed_at": run.collapsed_at,
                "curves": _curves(run.metrics),
                "counts": run.counts,
                "scores": [[row.get(key) for key in SCORE_KEYS] for row in run.scores],
                "samples": shown,
            }
        )
    kept = {f"{s['benchmark']} {s['id']}" for run in runs for s in run["samples"]}
    questions = {key: {k: row.get(k) for k in ("prompt", "options", "gold")} for key, row in asked.items() if key in kept}
    return {
        "frontier": study.frontier,
        "thinking": study.recipe.get("thinking"),
        "runs": runs,
        "questions": questions,
        "score_keys": SCORE_KEYS,
    }


SCORE_KEYS = ("benchmark", "metric", "category", "condition", "value", "ci_low", "ci_high", "n", "clusters")


def embedded(value: Any) -> str:
    """JSON that can stand in a script element: no `<`, `>`, `&`, only ASCII, floats to 5 significant digits.

    >>> embedded({"</script>": 0.123456789})
    '{"\\\\u003c/script\\\\u003e":0.12346}'
    """
    text = json.dumps(_rounded(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value


def _curves(metrics: list[dict[str, Any]]) -> dict[str, Any]:
    """Columns instead of rows: step, the run's own numbers and each source's; null where a step has none."""
    every = max(1, math.ceil(len(metrics) / CURVE_POINTS))
    rows = metrics[::every]
    names = sorted({name for row in rows for name in row.get("sources", {})})
    top = [key for key in ("loss", "share_examples", "share_tokens", "unknown_disambig") if any(key in r for r in rows)]
    sources: dict[str, dict[str, list[Any]]] = {}
    for name in names:
        tallies = [row.get("sources", {}).get(name, {}) for row in rows]
        keys = sorted({key for tally in tallies for key in tally})
        sources[name] = {key: [tally.get(key) for tally in tallies] for key in keys}
    return {
        "every": every,
        "step": [row.get("step") for row in rows],
        "run": {key: [row.get(key) for row in rows] for key in top},
        "sources": sources,
    }


def _script(text: str) -> str:
    """A script's text as it can stand in HTML; its hash is taken of exactly this text."""
    return text.replace("\r", "").replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _policy(*scripts: str) -> str:
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    rest = "style-src 'unsafe-inline'; img-src data: blob:; connect-src 'none'; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {hashes}; {rest}"
