"""Prints the plans of a recipe's runs: a table with the sources of its estimates below, or JSON."""

from __future__ import annotations

from pathlib import Path

from fairreason import api
from fairreason.cli import console, plan
from fairreason.cli.console import Progress
from fairreason.cli.quantity import Quantity, total
from fairreason.recipe import Recipe


def show_plans(recipe: Recipe, data: Path | None, as_json: bool) -> None:
    """The plan of every run, as a table with the sources of its estimates below, or as JSON."""
    progress = Progress("plan")
    runs = plan.runs(recipe)
    rows = []
    for row in plan.plans(recipe, api.data_folder(data)):
        rows.append(row)
        progress(len(rows), len(runs))
    progress.close()
    if as_json:
        return console.show([row.to_json() for row in rows])
    console.table([_plan_row(row) for row in rows])
    sources = list(dict.fromkeys(source for row in rows for source in _sources(row)))
    if sources:
        print()
    for source in sources:
        print(source)
    for strategy, one in dict.fromkeys((row.strategy, one) for row in rows for one in row.left_out):
        print(f"left out by {strategy}: {one.source}: {one.rows:,} rows: {one.reason}")


def _columns(row: plan.Plan) -> dict[str, list[Quantity]]:
    return {
        "examples": list(row.examples.values()),
        "steps": [row.steps],
        "prompt tokens": [row.prompt_tokens],
        "trained tokens": [row.trained_tokens],
        "sampled tokens": [row.sampled_tokens],
        "memory": [row.memory],
        "questions": list(row.questions.values()),
    }


def _sources(row: plan.Plan) -> list[str]:
    """What the run's inexact numbers rest on, a line each."""
    columns = _columns(row).items()
    return [
        f"{kind} {part.status}: {part.source}" for kind, parts in columns for part in parts if part.status != "exact"
    ]


def _plan_row(row: plan.Plan) -> dict[str, str]:
    cells = {"run": row.run, "model": row.model}
    return cells | {kind: _shown(total(parts), kind == "memory") for kind, parts in _columns(row).items()}


def _shown(quantity: Quantity, memory: bool) -> str:
    if quantity.value is None:
        return "unknown"
    number = _bytes(quantity.value) if memory else f"{quantity.value:,.0f}"
    return {"exact": "", "estimated": "~", "at most": "<= "}[quantity.status] + number


def _bytes(count: float) -> str:
    return f"{count / 2**30:,.1f} GiB" if count >= 2**30 else f"{count / 2**20:,.1f} MiB"
