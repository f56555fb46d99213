"""What a study writes about all its runs: results.csv (one row a run and score), frontier.json, and questions.jsonl,
what was asked (once: every run of a study is asked the same).

    {"benchmark": "lab-math", "id": "lab-math/6", "prompt": "Dan has 61 ...", "images": [], "gold": "\\boxed{61}"}
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fairreason import benchmarks
from fairreason.benchmarks.base import Benchmark, answer_text, prompt_text, split_examples
from fairreason.errors import DataError
from fairreason.evaluation.axes import part_of
from fairreason.evaluation.folder import read_grades, read_measures, read_result
from fairreason.files import write_atomic, write_json
from fairreason.recipe import Recipe
from fairreason.records import Axis, Example, to_json
from fairreason.study.points import Evaluated
from fairreason.study.run import read_recipe, read_state
from fairreason.study.summary import summary

COLUMNS = ("run", "model", "strategy", "bias_share", "seed", "thinking", "split", "marks")
COSTS = ("steps", "prompt_tokens", "trained_tokens", "sampled_tokens")
"""What a run cost; seconds stand in frontier.json, since the same work is to give the same bytes here."""
SCORES = ("benchmark", "metric", "category", "condition", "value", "stderr", "ci_low", "ci_high", "n", "clusters")


def write_results(out: Path, folders: Sequence[Path], marks: Sequence[str] = ()) -> None:
    """results.csv over these finished run folders, in their order; `marks` of the study stand before each run's own."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *SCORES, *COSTS])
    for folder in folders:
        recipe = read_recipe(folder)
        run = Evaluated(folder.name, recipe, {})
        place = [folder.name, recipe.model, run.label, run.share, recipe.seed, recipe.thinking, recipe.evaluation.split]
        place.append("; ".join(dict.fromkeys((*marks, *recipe.marks))))
        cost = read_state(folder).get("cost") or {}
        spent = [cost.get(key) for key in COSTS]
        for name in recipe.evaluation.benchmarks:
            for score in read_result(folder / "evaluation", name).scores:
                row = to_json(score)
                writer.writerow([*place, *(row[column] for column in SCORES), *spent])
    write_atomic(out / "results.csv", text.getvalue())


def write_questions(out: Path, base: Path, examples: Mapping[str, Sequence[Example]]) -> None:
    """questions.jsonl: what the base was asked, as it read it, with the pictures and the gold answer."""
    lines = []
    for name, rows in examples.items():
        asked = {grade["id"] for grade in read_grades(base / "evaluation", name)}
        for example in rows:
            if example.id in asked:
                asking = {"prompt": prompt_text(example), "images": example.images, "gold": answer_text(example)}
                row = {"benchmark": name, "id": example.id, **asking}
                lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    write_atomic(out / "questions.jsonl", "".join(lines))


def load_examples(recipe: Recipe, data: Path | None) -> dict[str, list[Example]]:
    """The questions of the recipe's evaluation, by benchmark."""
    known = [benchmarks.get(name) for name in recipe.evaluation.benchmarks]
    cut = recipe.mixture.split
    return {one.name: split_examples(one, recipe.evaluation.split, data, cut) for one in known}


def write_frontier(
    out: Path,
    recipe: Recipe,
    base: Path,
    folders: Sequence[Path],
    failed: Sequence[Mapping[str, Any]],
    examples: Mapping[str, Sequence[Example]],
    names: Mapping[str, str],
) -> dict[str, Any]:
    """frontier.json from the base's and these finished run folders, points named by `names`; returns its content."""
    assert recipe.study is not None
    known = [benchmarks.get(name) for name in examples]
    found = summary(
        evaluated(base, examples),
        [evaluated(folder, examples) for folder in folders],
        counted_axes(known),
        {one.name: one.chance for one in known},
        margin=recipe.study.margin,
        retention=recipe.study.retention,
        failed=failed,
        marks=recipe.marks,
        names=names,
    )
    write_json(out / "frontier.json", found)
    return found


def counted_axes(known: Iterable[Benchmark]) -> dict[str, Axis]:
    """The axis of each benchmark that F, R and their kin are made of; a second view of another's questions, and a part
    of a benchmark that is here itself, stand in results.csv alone."""
    axes = {one.name: one.axis for one in known if not one.beside}
    return {name: axis for name, axis in axes.items() if part_of(name, axes) is None}


def evaluated(folder: Path, examples: Mapping[str, Sequence[Example]]) -> Evaluated:
    """A finished run folder, read. Raises DataError when it was asked other questions than the study's."""
    recipe, state = read_recipe(folder), read_state(folder)
    missing = [name for name in examples if name not in recipe.evaluation.benchmarks]
    if missing:
        raise DataError(f"{folder}: was not evaluated on {missing[0]}; all runs of a study need the same evaluation")
    measures = {
        name: read_measures(folder / "evaluation", benchmarks.get(name), rows) for name, rows in examples.items()
    }
    return Evaluated(folder.name, recipe, measures, state.get("cost") or {}, state.get("collapsed_at"))
