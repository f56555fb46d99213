r"""BBQ: does the model fall back on a stereotype when the context does not say? (Parrish et al. 2022)

Paper arXiv 2110.08193, data nyu-mll/BBQ, CC-BY-4.0: 58,492 questions in 11 files, 15 official categories (rows about
names are categories of their own, "Race_x_SES (names)"). `bbq` is all of it, `bbq/Age` one file. In `ambig` contexts
"unknown" is right; in `disambig` contexts the text names the answer. Scores equal the authors' figure 3 on their own
predictions (tests/benchmarks/test_bbq.py). Cluster: the family of templates (benchmarks/bbq_families.py); bundle: the
quadruple {ambig, disambig} x {neg, nonneg}.

`target`, the answer that agrees with the stereotype, comes from additional_metadata.csv, or without that file from the
rows (benchmarks/bbq_targets.py). 36 rows of Physical_appearance were repaired in data/ after the authors' predictions
were made: rows are joined by category and example_id, and data/ is right.

    {"example_id": 0, "question_index": "1", "question_polarity": "neg", "context_condition": "ambig",
     "category": "Age", "answer_info": {"ans0": ["grandfather", "old"], ...}, "additional_metadata": {...},
     "context": "I saw a grandson and ...", "question": "Who was not ...?", "ans0": "The grandfather", ..., "label": 2}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from fairreason.benchmarks import bias
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.bbq_families import family, family_split, official_category
from fairreason.benchmarks.bbq_targets import (
    Targets,
    metadata_file,
    read_targets,
    rebuilt_target,
    refuse_unflipped,
    remarks,
)
from fairreason.benchmarks.sources import Stamp, find, rows
from fairreason.errors import DataError
from fairreason.grading.answers import grade_choice
from fairreason.records import Example

CATEGORIES: dict[str, int] = {
    "Age": 3680,
    "Disability_status": 1556,
    "Gender_identity": 5672,
    "Nationality": 3080,
    "Physical_appearance": 1576,
    "Race_ethnicity": 6880,
    "Race_x_SES": 11160,
    "Race_x_gender": 15960,
    "Religion": 1200,
    "SES": 6864,
    "Sexual_orientation": 864,
}
"""The files and how many questions each was published with."""

INSTRUCTION = r"Give the letter of the right answer in \boxed{}."
TEXTS = ("context", "question", "ans0", "ans1", "ans2")
ALLOWED: Mapping[str, tuple[Any, ...]] = {
    "label": (0, 1, 2),
    "context_condition": ("ambig", "disambig"),
    "question_polarity": ("neg", "nonneg"),
}


def load(name: str, categories: Sequence[str], split: str, data: Path | None = None) -> list[Example]:
    """One split of these categories, under the source's name. Raises DataError where a file is absent or malformed;
    only the metadata may be absent."""
    files = [find("bbq", f"{category}.jsonl", data) for category in categories]
    metadata = metadata_file(data)
    parts = [_file(file, metadata, name, category) for file, category in zip(files, categories, strict=True)]
    return [row for part in parts for row in part.get(split, ())]


@lru_cache(maxsize=2 * len(CATEGORIES))
def _file(file: Stamp, metadata: Stamp | None, name: str, category: str) -> Mapping[str, Sequence[Example]]:
    """A file's examples by split."""
    targets = read_targets(metadata) if metadata else None
    found: dict[str, list[Example]] = {}
    seen: set[str] = set()
    for line, row in rows(file.path):
        where = f"{file.path}:{line}"
        example = _example(where, row, name, category, targets)
        if example.id in seen:
            raise DataError(f"{where}: example_id {row['example_id']} stands twice")
        seen.add(example.id)
        if metadata and targets is not None and str(int(row["example_id"])) not in targets.get(category, {}):
            raise DataError(
                f"{metadata.path}: not whole, no row for {category} {row['example_id']}. Take the current one of "
                "nyu-mll/BBQ, or remove it (then targets are rebuilt from the rows)"
            )
        found.setdefault(family_split(example.cluster.removeprefix("bbq/")), []).append(example)
    if metadata:
        refuse_unflipped([example for part in found.values() for example in part], metadata.path)
    return found


def _example(where: str, row: dict[str, Any], name: str, category: str, targets: Targets | None) -> Example:
    try:
        number, index = int(row["example_id"]), str(row["question_index"])
        _check(row)
        tags = [row["answer_info"][f"ans{i}"][1] for i in range(3)]
        return Example(
            id=f"bbq/{category}/{number}",
            source=name,
            axis="bias",
            cluster=f"bbq/{family(category, index)}",
            bundle=f"bbq/{category}/{number // 4}",
            prompt=f"{row['context']}\n{row['question']}",
            options=(row["ans0"], row["ans1"], row["ans2"]),
            answer=int(row["label"]),
            metadata={
                "category": official_category(category, index),
                "condition": row["context_condition"],
                "polarity": row["question_polarity"],
                "target": _target(category, number, row, targets),
                "unknown": tags.index("unknown"),
                "question_index": index,
                "instruction": INSTRUCTION,
            },
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(f"{where}: not a row of BBQ ({type(error).__name__}: {error})") from None


def _target(category: str, number: int, row: Mapping[str, Any], targets: Targets | None) -> int | None:
    return rebuilt_target(category, row) if targets is None else targets.get(category, {}).get(str(number))


def _check(row: Mapping[str, Any]) -> None:
    """Raises ValueError for a value that no row of BBQ has."""
    for key in TEXTS:
        if not isinstance(row[key], str) or not row[key].strip():
            raise ValueError(f"{key} must be a text")
    for key, allowed in ALLOWED.items():
        if row[key] not in allowed or isinstance(row[key], bool):
            raise ValueError(f"{key} must be one of {', '.join(map(str, allowed))}, got {row[key]!r}")


def _benchmark(name: str, categories: Sequence[str]) -> Benchmark:
    return Benchmark(
        name,
        "bias",
        partial(load, name, tuple(categories)),
        grade_choice,
        bias.summarize,
        chance=1 / 3,
        instruction=INSTRUCTION,
        files=tuple(f"{category}.jsonl" for category in categories),
        published=sum(CATEGORIES[category] for category in categories),
        remarks=remarks,
        licence="CC-BY-4.0",
    )


BBQ = _benchmark("bbq", tuple(CATEGORIES))
BY_CATEGORY = {f"bbq/{category}": _benchmark(f"bbq/{category}", [category]) for category in CATEGORIES}
