"""The program and the options that several commands share.

Data on stdout, progress with the time left on stderr; an error is one line and an exit code: 0 done, 1 failed, 2 wrong
use, 130 interrupted, and for `check` 3 and 4. Nothing heavy is imported before a command runs, so every `--help`
answers at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from fairreason import __version__

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

app = typer.Typer(
    help="Measure, train and chart the trade-off between fairness and reasoning.",
    epilog="RECIPE is a YAML file; recipes/ has some. Errors are one line; exit codes: 0 done, 1 failed, 2 wrong use.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe, a YAML file.", show_default=False)]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a key of the recipe, e.g. mixture.bias_share=0.1; repeatable."
    ),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Folder of the public data sets; default: FAIRREASON_DATA."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Workers = Annotated[int, typer.Option(min=1, help="Runs at a time, each in a process of its own.")]
Split = Literal["train", "dev", "test"]


def _allow_code(given: bool) -> bool:
    """Throws the switch that worker processes inherit. No recipe can: recipes come from strangers."""
    if given:
        from fairreason.grading import sandbox

        sandbox.allow()
    return given


AllowCode = Annotated[
    bool,
    typer.Option(
        "--allow-code-execution", callback=_allow_code, help="Let programs that a model wrote run, in a sandbox."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan (examples, steps, tokens, memory) and stop.")]


@app.callback(invoke_without_command=True)
def _program(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        print(f"fairreason {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(2)
