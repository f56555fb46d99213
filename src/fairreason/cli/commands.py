"""What the commands do, apart from reading their options: call the public functions and print what comes back."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from fairreason import api
from fairreason.cli import console
from fairreason.cli.console import Progress
from fairreason.cli.show_plan import show_plans
from fairreason.errors import UsageError
from fairreason.recipe import Recipe
from fairreason.study import resolution


def shipped_recipe(name: str) -> Path:
    """A recipe that comes with FairReason: in the installed package, or beside its sources."""
    package = Path(__file__).parents[1]
    for folder in (package / "recipes", package.parents[1] / "recipes"):
        if (folder / name).is_file():
            return folder / name
    raise UsageError(f"{name}: this installation has no recipes; give the path of one")


def run_study(
    path: Path, sets: Sequence[str], out: Path, workers: int, data: Path | None, dry_run: bool, as_json: bool
) -> None:
    recipe = Recipe.load(path, sets)
    if dry_run:
        return show_plans(recipe, data, as_json)
    if recipe.study is None:
        raise UsageError(f"{path}: has no study; add study.grid, or use `fairreason train` for a single run")
    with console.resumable():
        outcome = api.study(recipe, out, workers, data)
        page = api.report(out)
    print(resolution.sentence(api.frontier(out)["resolution"]), file=sys.stderr)
    failed = [run for run in outcome["runs"] if run["status"] != "finished"]
    if as_json:
        console.show({"study": str(out), "report": str(page), "runs": outcome["runs"]})
    else:
        print(page)
    for run in failed:
        print(f"{run['name']}: {run['status']}: {run.get('reason') or 'no reason'}", file=sys.stderr)
    if failed:
        print(
            f"Error: {len(failed)} of {len(outcome['runs'])} runs failed; the same command retries them",
            file=sys.stderr,
        )
        raise typer.Exit(1)


def run_train(
    path: Path, sets: Sequence[str], out: Path | None, data: Path | None, dry_run: bool, as_json: bool
) -> None:
    recipe = Recipe.load(path, sets)
    if dry_run:
        return show_plans(recipe, data, as_json)
    if recipe.study is not None:
        raise UsageError(
            f"{path}: has a study, which is many runs: use `fairreason study`, or --set study=null for one run"
        )
    progress = Progress("train")
    try:
        with console.resumable():
            folder = api.train(recipe, out, data, progress)
    finally:
        progress.close()
    console.show({"run": str(folder)}) if as_json else print(folder)


def run_mix(path: Path, sets: Sequence[str], data: Path | None, examples: int, as_json: bool) -> None:
    recipe = Recipe.load(path, sets)
    recipe = recipe.model_copy(update={"study": None})
    if recipe.strategy.type == "none":
        raise UsageError(f"{path}: strategy none trains on nothing, so there is no mixture to show")
    api.check_names(recipe)
    from fairreason.cli.plan_model import reader
    from fairreason.data import mixture as mixtures

    built = mixtures.build(recipe, api.data_folder(data))
    rows = [
        dataclasses.asdict(row) if dataclasses.is_dataclass(row) else row._asdict() for row in mixtures.counts(built)
    ]
    loaded = reader(recipe)
    shown: list[dict[str, Any]] = []
    if loaded is not None:
        from fairreason.training import preview
        from fairreason.training.batches import Rows

        tokens = Rows(loaded, built.examples, recipe.thinking, keep=1)
        counted = {(c.axis, c.source): c for c in preview.count_tokens(tokens, recipe.strategy, built.rows())}
        for row in rows:
            count = counted.get((row["axis"], row["source"]))
            row |= {
                "prompt_tokens": count.prompt if count else 0,
                "trained_tokens": count.trained if count else 0,
                "trained_share": count.share if count else None,
            }
        shown = [row._asdict() for row in preview.render(built, tokens, recipe.strategy, examples)] if examples else []
    if as_json:
        left_out = [row._asdict() for row in built.left_out]
        return console.show({"counts": rows, "left_out": left_out, "examples": shown, "marks": list(built.marks)})
    console.table([{**row, "source": row["source"] or "(all)"} for row in rows])
    for one in built.left_out:
        print(f"left out: {one.source}: {one.rows:,} rows: {one.reason}")
    if loaded is None:
        print(f"\ntokens unknown: the tokenizer of {recipe.model} is not on this machine")
    for row in shown:
        print(f"\n--- {row['source']}  {row['id']}\n{row['prompt']}{row['completion'] or '(sampled)'}")


def run_lab_build(out: Path, which: str, seed: int) -> None:
    from fairreason.lab import base

    for name in ("lab", "lab-teacher") if which == "both" else (which,):
        progress = Progress(name)
        try:
            folder = base.build(name, out, seed, progress)
        finally:
            progress.close()
        print(folder)
