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
    for line, row in rows(file.path):
        example = _example(f"{file.path}:{line}", row, name, category, targets)
        found.setdefault(family_split(example.cluster.removeprefix("bbq/")), []).append(example)
    if metadata:
        refuse_unflipped([example for part in found.values() for example in part], metadata.path)
    return found


def _example(where: str, row: dict[str, Any], name: str, category: str, targets: Targets | None) -> Example:
    try:
        number, index = int(row["example_id"]), str(row["question_index"])
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
                "target": targets[category][str(number)] if targets else rebuilt_target(category, row),
                "unknown": tags.index("unknown"),
                "question_index": index,
                "instruction": INSTRUCTION,
            },
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(f"{where}: not a row of BBQ ({type(error).__name__}: {error})") from None


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
    )


BBQ = _benchmark("bbq", tuple(CATEGORIES))
BY_CATEGORY = {f"bbq/{category}": _benchmark(f"bbq/{category}", [category]) for category in CATEGORIES}
