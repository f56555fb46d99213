"""The commands that plan, train and show studies; cli/commands.py does the work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from fairreason.cli.options import AllowCode, Data, DryRun, Json, RecipeFile, Sets, Workers, app

lab = typer.Typer(help="The small world with its own tiny model.", rich_markup_mode=None)
app.add_typer(lab, name="lab")

CORES = min(2, os.cpu_count() or 1)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="The study's folder.")] = Path("out/demo"),
    workers: Workers = CORES,
    set_: Sets = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """The lab study, offline and in minutes: base, sft, kd and grpo at a few bias shares. Prints the report's path."""
    from fairreason.cli.commands import run_study, shipped_recipe

    run_study(shipped_recipe("lab/demo.yaml"), set_ or [], out, workers, None, dry_run, json)


@app.command()
def study(
    recipe: RecipeFile,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The study's folder; default: out/<name of RECIPE>.")
    ] = None,
    workers: Workers = 1,
    set_: Sets = None,
    data: Data = None,
    allow_code_execution: AllowCode = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Run the recipe's grid, base first; prints the report's path. Run it again to go on where it stopped."""
    from fairreason.cli.commands import run_study

    run_study(recipe, set_ or [], out or Path("out") / recipe.stem, workers, data, dry_run, json)


@app.command()
def train(
    recipe: RecipeFile,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run's folder; default: runs/<name>-<fingerprint>.")
    ] = None,
    set_: Sets = None,
    data: Data = None,
    allow_code_execution: AllowCode = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Train and evaluate one run; prints its folder. Run it again to go on where it stopped."""
    from fairreason.cli.commands import run_train

    run_train(recipe, set_ or [], out, data, dry_run, json)


@app.command()
def mix(
    recipe: RecipeFile,
    set_: Sets = None,
    data: Data = None,
    examples: Annotated[int, typer.Option(min=0, help="Rendered examples of each source.")] = 1,
    json: Json = False,
) -> None:
    """What a run would be trained on: counts in examples and in tokens, and some examples as the model reads them."""
    from fairreason.cli.commands import run_mix

    run_mix(recipe, set_ or [], data, examples, json)


@app.command()
def report(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The folder of a study.", show_default=False)],
) -> None:
    """Write a study's HTML report again; prints its path."""
    from fairreason import api

    print(api.report(study))


@lab.command("build")
def lab_build(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the model folders go.")] = Path("out/lab"),
    which: Annotated[
        Literal["lab", "lab-teacher", "both"], typer.Option(help="The base, the teacher, or both.")
    ] = "both",
    seed: Annotated[int, typer.Option(min=0, help="Seed of lessons and training.")] = 0,
) -> None:
    """Train the lab's base and teacher from nothing; prints their folders."""
    from fairreason.cli.commands import run_lab_build

    run_lab_build(out, which, seed)
