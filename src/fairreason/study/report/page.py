"""The page itself: template, styles, scripts and data joined into one file that needs and may reach nothing else.

The Content-Security-Policy allows no network, and only those scripts whose sha256 stands in it: plotly.js and ours. The
data is JSON in a block that no browser runs, with < as \\u003c so that no text can end it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fairreason import __version__
from fairreason.files import write_atomic
from fairreason.study.report import tables
from fairreason.study.report.charts import COSTS, charts
from fairreason.study.report.read import read_study
from fairreason.study.report.samples import samples

SCRIPTS = ("common.js", "frontier.js", "curves.js", "page.js")
POLICY = (
    "default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def build(study_folder: Path) -> Path:
    """Writes report/index.html in the study folder and returns its path. Raises DataError when nothing has run."""
    study = read_study(Path(study_folder))
    scripts = [_plotly(), "\n".join(_file(name) for name in SCRIPTS)]
    page = _environment().get_template("page.html.jinja")
    html = page.render(
        version=__version__,
        policy=POLICY.format(hashes=" ".join(_hash(script) for script in scripts)),
        style=Markup(_file("page.css")),
        scripts=[Markup(script) for script in scripts],
        data=Markup(as_data(charts(study))),
        frontier=study.frontier,
        recipe=study.recipe,
        recipe_yaml=study.info.get("recipe_yaml") or json.dumps(study.recipe, indent=1, ensure_ascii=False),
        runs=study.runs,
        columns=tables.COLUMNS,
        costs=COSTS,
        points=tables.points(study),
        over_shares=tables.over_shares(study),
        areas=tables.hypervolumes(study),
        settings=tables.settings(study),
        contrasts=tables.contrasts(study),
        area_contrasts=tables.area_contrasts(study),
        spots=tables.sweet_spots(study),
        categories=tables.categories(study),
        status=tables.status(study),
        samples=[(run, samples(run, study.questions)) for run in study.runs if run.scores],
    )
    path = study.folder / "report" / "index.html"
    write_atomic(path, html.encode("utf-8", "replace"))
    return path


def as_data(value: Any) -> str:
    """JSON that stands safely inside a script element of HTML; a number that is not finite becomes null."""
    return json.dumps(_finite(value), ensure_ascii=True, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def number(value: Any, digits: int = 3) -> str:
    """A number as the tables show it; – where there is none.

    >>> number(-0.12345), number(None), number(310000.0, 0)
    ('−0.123', '–', '310,000')
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return "–"
    return f"{value:,.{digits}f}".replace("-", "−")


def interval(estimate: Any) -> str:
    """An estimate's interval as the tables show it, "" where it has none."""
    if not isinstance(estimate, dict) or estimate.get("ci_low") is None or estimate.get("ci_high") is None:
        return ""
    return f"[{number(estimate['ci_low'])}, {number(estimate['ci_high'])}]"


def _environment() -> Environment:
    loader = PackageLoader("fairreason.study.report", ".")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": number, "interval": interval}
    return environment


def _file(name: str) -> str:
    return resources.files("fairreason.study.report").joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    return resources.files("plotly").joinpath("package_data/plotly.min.js").read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
