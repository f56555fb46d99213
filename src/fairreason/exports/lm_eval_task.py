r"""A benchmark's split as a task of lm-evaluation-harness: the same prompts, byte by byte, as `fairreason eval` asks.

    DIR/fairreason_bbq_age.yaml     the task: lm_eval --include_path DIR --tasks fairreason_bbq_age
    DIR/fairreason_bbq_age.jsonl    a row a question: id, prompt, choices (letters), target, images
    DIR/fairreason_task.py          reads the rows and opens pictures, wherever DIR lies
    DIR/images/                     pictures, named by their content

Questions with options and no picture are `multiple_choice` over the letters. All others are `generate_until`: the last
\boxed{} is compared as text, which is stricter than our readers; code is not run there. The harness reports plain
accuracy: bias scores come from `fairreason score` on the answers that it logs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from fairreason.benchmarks.base import Benchmark, answer_text, letters, prompt_text
from fairreason.draws import shown_order
from fairreason.errors import DataError
from fairreason.files import write_atomic
from fairreason.pictures import open_image
from fairreason.records import Example

BOXED = r"\\boxed\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
LONGEST = 1024
HELPER = '''"""Rows and pictures of the tasks in this folder."""

import json
from pathlib import Path

FOLDER = Path(__file__).parent


def rows(file, **_):
    from datasets import Dataset

    lines = (FOLDER / file).read_text(encoding="utf-8").strip("\\n").split("\\n")
    return {"test": Dataset.from_list([json.loads(line) for line in lines])}


def pictures(doc):
    from PIL import Image

    return [Image.open(FOLDER / name).convert("RGB") for name in doc["images"]]
'''


class Task(NamedTuple):
    """A task's YAML file, how many questions it asks, and by id why others are left out (a picture that cannot be
    opened: the harness would stop at it)."""

    path: Path
    questions: int
    left_out: dict[str, str]


def write(benchmark: Benchmark, examples: Sequence[Example], folder: Path) -> Task:
    """Writes the task. Raises DataError where there are no questions, or none whose pictures can be opened."""
    if not examples:
        raise DataError(f"{benchmark.name}: no questions to export")
    name = task_name(benchmark.name)
    rows, left_out = [], {}
    for example in examples:
        try:
            rows.append(_row(example, folder))
        except DataError as error:
            left_out[example.id] = str(error)
    if not rows:
        raise DataError(f"{benchmark.name}: none of its questions can be exported; {next(iter(left_out.values()))}")
    write_atomic(folder / f"{name}.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    write_atomic(folder / "fairreason_task.py", HELPER)
    head = (
        f"# {benchmark.name}: {len(rows):,} questions, written by FairReason. Plain accuracy; see `fairreason score`.\n"
    )
    if any(map(_is_code, examples)):
        head += "# Add --log_samples: programs are not run there, so lm_eval has nothing else to report and stops.\n"
    if left_out:
        head += f"# Left out, since a picture cannot be opened: {', '.join(left_out)}\n"
    body = yaml.dump(_task(name, examples), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    write_atomic(folder / f"{name}.yaml", head + body)
    return Task(folder / f"{name}.yaml", len(rows), left_out)


def task_name(benchmark: str) -> str:
    """
    >>> task_name("bbq/Age")
    'fairreason_bbq_age'
    """
    return "fairreason_" + re.sub(r"\W+", "_", benchmark).strip("_").lower()


class _Function(str):
    """A function of the helper file, as the harness' YAML names it."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Function, lambda dumper, name: dumper.represent_scalar("!function", f"fairreason_task.{name}"))


def _task(name: str, examples: Sequence[Example]) -> dict[str, Any]:
    pictures = any(example.images for example in examples)
    choosing = all(example.options for example in examples) and not pictures
    task: dict[str, Any] = {
        "task": name,
        "custom_dataset": _Function("rows"),
        "dataset_kwargs": {"file": f"{name}.jsonl"},
        "test_split": "test",
        "output_type": "multiple_choice" if choosing else "generate_until",
        "doc_to_text": "{{prompt}}",
    }
    if pictures:
        task["doc_to_image"] = _Function("pictures")
    if choosing:
        task |= {"doc_to_choice": "choices", "doc_to_target": "target", "metric_list": [{"metric": "acc"}]}
    else:
        is_code = any(map(_is_code, examples))
        task |= {
            "doc_to_target": "{{target}}",
            "generation_kwargs": {"until": [], "max_gen_toks": LONGEST, "do_sample": False},
            "metric_list": [{"metric": "bypass" if is_code else "exact_match"}],
        }
        if not is_code:
            last = [{"function": "regex", "regex_pattern": BOXED, "group_select": -1}, {"function": "take_first"}]
            task["filter_list"] = [{"name": "boxed", "filter": last}]
    return {**task, "metadata": {"version": 1.0}}


def _is_code(example: Example) -> bool:
    return example.metadata.get("form") == "code"


def _row(example: Example, folder: Path) -> dict[str, Any]:
    gold = answer_text(example)
    boxed = re.fullmatch(BOXED, gold)
    has_choice = bool(example.options) and isinstance(example.answer, int) and not example.images
    return {
        "id": example.id,
        "prompt": prompt_text(example),
        "choices": list(letters(example)),
        "target": shown_order(example).index(int(example.answer)) if has_choice else boxed[1] if boxed else gold,
        "images": [_picture(reference, folder) for reference in example.images],
        "category": example.metadata.get("category"),
        "condition": example.metadata.get("condition"),
    }


def _picture(reference: str, folder: Path) -> str:
    """The picture's name in the folder, where it is written if it is not there yet."""
    buffer = BytesIO()
    open_image(reference).save(buffer, "PNG")
    name = f"images/{hashlib.sha256(buffer.getvalue()).hexdigest()[:16]}.png"
    if not (folder / name).exists():
        write_atomic(folder / name, buffer.getvalue())
    return name
