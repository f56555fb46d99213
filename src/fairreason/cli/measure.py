"""The commands that score answers made elsewhere and compare what was measured; cli/scores.py does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairreason.cli.app import Data, Json, Split, app

Side = "a run's folder, an evaluation's folder, or a file of predictions (then --bench)"
Bench = Annotated[
    str | None, typer.Option("--bench", help="Benchmarks, separated by commas; default: all that both sides hold.")
]


@app.command()
def score(
    bench: Annotated[str, typer.Argument(metavar="BENCH", help="The benchmark.", show_default=False)],
    predictions: Annotated[
        Path,
        typer.Argument(
            metavar="PREDICTIONS",
            show_default=False,
            help="JSON lines, plain or .gz, with id and choice (0-based, published order, or null) or response (text).",
        ),
    ],
    split: Annotated[Split | None, typer.Option(help="Which questions were asked; default: all.")] = None,
    grades: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one JSON line an answer: how it was read.")
    ] = None,
    data: Data = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the scores as CSV.")] = False,
    json: Json = False,
) -> None:
    """Score predictions made elsewhere; prints scores with errors, and what became of every answer."""
    from fairreason.cli.scores import run_score

    run_score(bench, predictions, split, grades, data, csv, json)


@app.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help=f"The first: {Side}.", show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="The second, which is judged.", show_default=False)],
    bench: Bench = None,
    margin: Annotated[float, typer.Option(min=0, max=1, help="A difference surely inside +- margin is a tie.")] = 0.02,
    by_category: Annotated[bool, typer.Option("--by-category", help="Every category, not only their means.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """What changed from A to B on the same questions: paired, clustered differences with a verdict for every metric."""
    from fairreason.cli.scores import run_compare

    run_compare(Path(a), Path(b), bench, margin, by_category, data, json)
