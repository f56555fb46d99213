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
    sources = dict.fromkeys(
        f"{kind} {quantity.status}: {quantity.source}"
        for row in rows
        for kind, quantity in _quantities(row)
        if quantity.status != "exact"
    )
    print()
    for source in sources:
        print(source)


def _quantities(row: plan.Plan) -> list[tuple[str, Quantity]]:
    return [
        ("examples", total(row.examples.values())),
        ("steps", row.steps),
        ("prompt tokens", row.prompt_tokens),
        ("trained tokens", row.trained_tokens),
        ("sampled tokens", row.sampled_tokens),
        ("memory", row.memory),
        ("questions", total(row.questions.values())),
    ]


def _plan_row(row: plan.Plan) -> dict[str, str]:
    cells = {"run": row.run, "model": row.model}
    for kind, quantity in _quantities(row):
        cells[kind] = _quantity(quantity, kind == "memory")
    return cells


def _quantity(quantity: Quantity, memory: bool) -> str:
    if quantity.value is None:
        return "unknown"
    number = f"{quantity.value / 2**30:,.2f} GiB" if memory else f"{quantity.value:,.0f}"
    return {"exact": "", "estimated": "~", "at most": "<= "}[quantity.status] + number
