"""The commands that score answers made elsewhere and compare what was measured; cli/scores.py does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairreason.cli.app import AllowCode, Data, Json, Split, app

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
    official: Annotated[
        bool, typer.Option("--official", help="bbq: as its authors score, without unparsed answers.")
    ] = False,
    grades: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one JSON line an answer: how it was read.")
    ] = None,
    allow_code_execution: AllowCode = False,
    data: Data = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the scores as CSV.")] = False,
    json: Json = False,
) -> None:
    """Score predictions made elsewhere; prints scores with errors, and what became of every answer."""
    from fairreason.cli.scores import run_score

    run_score(bench, predictions, split, official, grades, data, csv, json)


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


@app.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's or an evaluation's folder.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the logs go.")] = Path("out/inspect"),
    bench: Annotated[str | None, typer.Option("--bench", help="Benchmarks, separated by commas; default: all.")] = None,
    data: Data = None,
) -> None:
    """Write an evaluation as logs that Inspect opens (inspect view --log-dir DIR); prints their paths."""
    from fairreason.cli.scores import run_export

    run_export(run, out, bench, data)


@app.command()
def check(
    new: Annotated[str, typer.Argument(metavar="NEW", help=f"What is to be released: {Side}.", show_default=False)],
    against: Annotated[str, typer.Option("--against", metavar="BASE", help="What it must not be worse than.")],
    margin: Annotated[
        list[str] | None,
        typer.Option(
            "--margin",
            metavar="AXIS=SIZE",
            help="An axis that is judged and what is no loss on it, e.g. F=.02, R=.02, s_amb_abs=.01, F/bbq=.02; "
            "repeatable. Default: F=.02 and R=.02.",
        ),
    ] = None,
    bench: Bench = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the verdicts as JUnit XML.")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Release gate: is NEW not worse than BASE on every axis? Exit 0 yes, 3 no, 4 cannot tell with so few examples."""
    from fairreason.cli.scores import run_check

    run_check(Path(new), Path(against), margin or [], bench, junit, data, json)
