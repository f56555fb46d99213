r"""BBQ: does the model fall back on a stereotype when the context does not say? (Parrish et al. 2022)

Paper arXiv 2110.08193, data nyu-mll/BBQ, CC-BY-4.0: 58,492 questions in 11 files, 15 official categories (rows about
names are categories of their own, "Race_x_SES (names)"). `bbq` is all of it, `bbq/Age` one file. In `ambig` contexts
"unknown" is right; in `disambig` contexts the text names the answer. Scores equal the authors' figure 3 on their own
predictions (tests/benchmarks/test_bbq.py). Cluster: the family of templates (benchmarks/bbq_families.py); bundle: the
quadruple {ambig, disambig} x {neg, nonneg}.

`target`, the answer that agrees with the stereotype, comes from additional_metadata.csv. Its current version is already
turned by the question's polarity; the older one is not, and is refused. 64 rows stand in it twice with the same content
and count once; 16 rows have no target and count as 0 in s_amb.

    {"example_id": 0, "question_index": "1", "question_polarity": "neg", "context_condition": "ambig",
     "category": "Age", "answer_info": {"ans0": ["grandfather", "old"], ...}, "additional_metadata": {...},
     "context": "I saw a grandson and ...", "question": "Who was not ...?", "ans0": "The grandfather", ..., "label": 2}
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from fairreason.benchmarks import bias
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.bbq_families import family
from fairreason.benchmarks.sources import Stamp, find, lines, rows
from fairreason.draws import split_of
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

METADATA = "additional_metadata.csv"
INSTRUCTION = r"Give the letter of the right answer in \boxed{}."


class Extra(NamedTuple):
    """What the metadata says about a row: the bias-aligned answer, None for 16 rows, and whether people have names."""

    target: int | None
    names: bool


def load(name: str, categories: Sequence[str], split: str, data: Path | None = None) -> list[Example]:
    """One split of these categories, under the source's name. Raises DataError where a file is absent or malformed."""
    metadata = find("bbq", METADATA, data)
    return [
        row
        for category in categories
        for row in _file(find("bbq", f"{category}.jsonl", data), metadata, name, category)
        if split_of(row.cluster) == split
    ]


@lru_cache(maxsize=2 * len(CATEGORIES))
def _file(file: Stamp, metadata: Stamp, name: str, category: str) -> tuple[Example, ...]:
    extras = _metadata(metadata).get(category, {})
    found = tuple(_example(file.path, line, row, name, category, extras) for line, row in rows(file.path))
    refuse_unflipped(found, metadata.path)
    return found


@lru_cache(maxsize=1)
def _metadata(file: Stamp) -> dict[str, dict[str, Extra]]:
    """Category -> example_id -> what the metadata says. Raises DataError when a column is missing."""
    table: dict[str, dict[str, Extra]] = {}
    reader = csv.DictReader((line.decode("utf-8-sig") for line in lines(file.path)), restkey="rest")
    try:
        for row in reader:
            target = row["target_loc"]
            extra = Extra(int(target) if target in ("0", "1", "2") else None, row["label_type"] == "name")
            table.setdefault(row["category"], {})[row["example_id"]] = extra
    except (KeyError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file.path}: not BBQ's additional_metadata.csv ({error})") from None
    return table


def _example(path: Path, line: int, row: dict[str, Any], name: str, category: str, extras: dict[str, Extra]) -> Example:
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
                "category": f"{category} (names)" if extras[str(number)].names and _splits(category) else category,
                "condition": row["context_condition"],
                "polarity": row["question_polarity"],
                "target": extras[str(number)].target,
                "unknown": tags.index("unknown"),
                "question_index": index,
                "instruction": INSTRUCTION,
            },
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(f"{path}:{line}: not a row of BBQ ({type(error).__name__}: {error})") from None


def _splits(category: str) -> bool:
    """Whether the authors count this file's rows about names as a category of their own."""
    return category in ("Gender_identity", "Race_ethnicity", "Race_x_SES", "Race_x_gender")


def refuse_unflipped(examples: Sequence[Example], path: Path) -> None:
    """Raises DataError when the neg and the nonneg question on one context have the same person as target: then
    target_loc names the stereotyped person instead of the bias-aligned answer, as in the metadata's older version."""
    targets: dict[tuple[str, str], dict[str, str]] = {}
    for example in examples:
        meta = example.metadata
        if meta["target"] is not None:
            pair = targets.setdefault((example.bundle, meta["condition"]), {})
            pair[meta["polarity"]] = example.options[meta["target"]]
            if len(pair) == 2 and pair["neg"] == pair["nonneg"]:
                raise DataError(
                    f"{path}: the old version, in which target_loc does not turn with the question's polarity "
                    f"({example.id} and its counterpart both name {pair['neg']!r}). Take the current one of nyu-mll/BBQ"
                )


def _benchmark(name: str, categories: Sequence[str]) -> Benchmark:
    return Benchmark(
        name,
        "bias",
        partial(load, name, tuple(categories)),
        grade_choice,
        bias.summarize,
        chance=1 / 3,
        instruction=INSTRUCTION,
        files=(*(f"{category}.jsonl" for category in categories), METADATA),
        published=sum(CATEGORIES[category] for category in categories),
    )


BBQ = _benchmark("bbq", tuple(CATEGORIES))
BY_CATEGORY = {f"bbq/{category}": _benchmark(f"bbq/{category}", [category]) for category in CATEGORIES}
