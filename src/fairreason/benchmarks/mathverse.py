r"""MathVerse: does a model solve a problem from its diagram, or from the text? (Zhang et al. 2024)

Paper arXiv 2403.14624, data AI4Math/MathVerse (code ZrrSkywalker/MathVerse, MIT): 788 problems, each asked in five
versions that move what is known from the text into the picture, 3,940 questions; `mathverse-text-only` has the 788
without a picture. Cluster: the problem, over all versions. Evaluation alone: there is a `test` split and nothing else.

The published scoring extracts and judges answers with a language model. Ours grades by rule, offline: multiple choice
by letter or choice text in the question's own order, free answers by value (grading/maths.py), so our numbers are not
the leaderboard's. Gold answers are cleaned first (benchmarks/mathverse_answers.py).

    {"sample_index": "1", "problem_index": "1", "problem_version": "Text Dominant",
     "question": "...\nChoices:\nA:40°...", "image": "images_version_1-4/image_1.png", "answer": "D",
     "question_type": "multi-choice",
     "metadata": {"split": "testmini", "source": "GeoQA", "subject": "Plane Geometry", "subfield": "Angle"}, ...}

`mathverse-site` is the sample on the project's site, 121 problems in six versions with other fields (`pid`, `choices`,
`metadata.subjects`): another layout, never one number with the others. It names no problem; the n-th question of each
version is the n-th problem (their answers say so too, apart from one that was corrected in two versions).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from fairreason.benchmarks import reasoning
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.folders import pictures_of
from fairreason.benchmarks.json_lists import records
from fairreason.benchmarks.mathverse_answers import choices_of, clean_gold, gold_letters, grade_letters
from fairreason.benchmarks.sources import Stamp, find
from fairreason.errors import DataError
from fairreason.grading.maths import grade_math
from fairreason.pictures import Pictures
from fairreason.records import Completion, Example, Grade, Measure

VERSIONS = ("Text Dominant", "Text Lite", "Vision Intensive", "Vision Dominant", "Vision Only")
TEXT_ONLY = "Text Only"
FILE, TEXT_FILE, SITE_FILE = "testmini.json", "testmini_text_only.json", "site_public_sample.json"
PROBLEMS = 788
CHOOSE, WRITE = r"Give the letter of the right choice in \boxed{}.", r"Give the final answer in \boxed{}."
_KINDS = {"multi-choice": True, "multi_choice": True, "free-form": False, "free_form": False}


def load(name: str, file: str, versions: Sequence[str], split: str, data: Path | None = None) -> list[Example]:
    """All questions of these versions, whatever the split. Raises DataError when a file is absent or malformed."""
    found = find("mathverse", file, data)
    needs_pictures = any(version != TEXT_ONLY for version in versions)
    pictures = pictures_of("mathverse", data, ("images.zip", "images"), ("images.zip", "")) if needs_pictures else None
    return [row for row in _everything(found, name, file, pictures) if row.metadata["category"] in versions]


@lru_cache(maxsize=8)
def _everything(found: Stamp, name: str, file: str, pictures: Pictures | None) -> tuple[Example, ...]:
    rows = records(found)
    if file == SITE_FILE:
        rows = as_published(rows, str(found.path))
    choices: dict[str, dict[str, str]] = {}
    for row in rows:
        mine = choices_of(str(row.get("question") or ""))
        if mine:
            choices.setdefault(str(row.get("problem_index")), mine)
    examples: dict[str, Example] = {}
    for number, row in enumerate(rows):
        where = f"{found.path}, record {number}"
        example = _example(row, name, choices.get(str(row.get("problem_index")), {}), pictures, where)
        if example.id in examples:
            raise DataError(f"{where}: sample_index {row['sample_index']} stands twice")
        examples[example.id] = example
    return tuple(examples.values())


def _example(row: dict[str, Any], name: str, choices: dict[str, str], pictures: Pictures | None, where: str) -> Example:
    try:
        is_choice, meta = _KINDS[row["question_type"]], row["metadata"]
        answer, question, image = row["answer"], row["question"], row["image"]
        version, subject = row["problem_version"], meta["subject"]
        if not isinstance(answer, str) or not isinstance(question, str) or version not in (*VERSIONS, TEXT_ONLY):
            raise ValueError("question and answer must be texts, problem_version one of the six")
        images: tuple[str, ...] = ()
        if version != TEXT_ONLY and pictures is not None:
            images = (pictures.reference(image),)
        source = name.partition("/")[0]
        gold = gold_letters(answer, choices, where) if is_choice else clean_gold(answer)
        return Example(
            id=f"{source}/{row['sample_index']}",
            source=name,
            axis="reasoning",
            cluster=f"{'mathverse-site' if source == 'mathverse-site' else 'mathverse'}/{row['problem_index']}",
            bundle=f"{source}/{row['sample_index']}",
            prompt=question.strip() or "Solve the problem in the picture.",
            answer=gold,
            images=images,
            metadata={
                "category": version,
                "subject": subject,
                "subfield": meta.get("subfield"),
                "choices": choices if is_choice else None,
                "others": [rf"\boxed{{{letter}}}" for letter in choices if letter not in gold] if is_choice else [],
                "published_answer": answer,
                "instruction": CHOOSE if is_choice else WRITE,
            },
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, DataError) and str(error).startswith(where):
            raise
        reason = f"no {error}" if isinstance(error, KeyError) else error
        raise DataError(f"{where}: not a record of MathVerse ({reason})") from None


def as_published(rows: Sequence[dict[str, Any]], where: str) -> list[dict[str, Any]]:
    """The site's records with testmini's fields. Raises DataError where not every version has as many questions."""
    seen: Counter[str] = Counter()
    found = []
    for number, row in enumerate(rows):
        try:
            meta, choices = row["metadata"], row["choices"] or []
            version = meta["problem_version"]
            seen[version] += 1
            found.append({
                **row,
                "sample_index": row["pid"],
                "problem_index": str(seen[version]),
                "problem_version": version,
                "question": "\n".join([row["question"].strip(), *(["Choices:", *choices] if choices else [])]),
                "metadata": {"subject": meta["subjects"], "subfield": meta.get("subfields")},
            })  # fmt: skip
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            reason = f"no {error}" if isinstance(error, KeyError) else error
            raise DataError(f"{where}, record {number}: not a record of MathVerse's site ({reason})") from None
    if len(set(seen.values())) > 1:
        counts = ", ".join(f"{version} {number}" for version, number in seen.items())
        raise DataError(f"{where}: every version must ask every problem once, but their counts are {counts}")
    return found


def grade(example: Example, completion: Completion) -> Grade:
    """By letter or choice text where there are choices, else by value."""
    is_choice = example.metadata["choices"] is not None
    return grade_letters(example, completion) if is_choice else grade_math(example, completion)


def summarize(examples: Sequence[Example], grades: Sequence[Grade]) -> list[Measure]:
    """`accuracy` overall, by version, by subject (where there are several)."""
    by_subject = [replace(row, metadata={**row.metadata, "category": row.metadata["subject"]}) for row in examples]
    return [*reasoning.summarize(examples, grades), *reasoning.summarize(by_subject, grades)[1:]]


def remarks(examples: Sequence[Example]) -> list[str]:
    """That this is not the leaderboard's number."""
    return ["graded by rule; the published scores come from a language model as judge and are not comparable"]


def _benchmark(name: str, file: str, versions: Sequence[str], published: int, licence: str = "MIT") -> Benchmark:
    return Benchmark(
        name,
        "reasoning",
        partial(load, name, file, tuple(versions)),
        grade,
        summarize,
        files=(file,),
        published=published,
        splits=("test",),
        trains=False,
        remarks=remarks,
        licence=licence,
    )


MATHVERSE = _benchmark("mathverse", FILE, VERSIONS, len(VERSIONS) * PROBLEMS)
MATHVERSE_TEXT_ONLY = _benchmark("mathverse-text-only", TEXT_FILE, [TEXT_ONLY], PROBLEMS)
MATHVERSE_SITE = _benchmark("mathverse-site", SITE_FILE, [*VERSIONS, TEXT_ONLY], 726, "CC-BY-SA-4.0")
BY_VERSION = {
    name: _benchmark(name, FILE, [version], PROBLEMS)
    for version in VERSIONS
    for name in [f"mathverse/{version.lower().replace(' ', '-')}"]
}
