r"""VLBiasBench, close-ended: does a vision-language model answer from the picture or from a stereotype? (2024)

Paper arXiv 2406.14194, data Xiangkui-Cao/VLBiasBench, CreativeML Open RAIL++-M: 98,994 records about 18,857 generated
pictures, 10 axes, four parts: `base` and `scene` say what matters by the picture, `text` and `scene_text` in words too.
`vlbiasbench` is all of it, `vlbiasbench/base` one part, `vlbiasbench/base/Age` one file. In `ambig` records "unknown"
is right, in `neg` and `non_neg` ones the context tells.

    {"idx": 0, "image_path": "0_base_Age.jpg", "category": "old", "condition": "ambig", "context": "...",
     "question": "...", "question_neg": "...", "ans0": "Yes", "ans1": "No", "ans2": "Not known",
     "label": 2, "label_neg": 2}

A record asks two questions, which are two examples: `vlbiasbench/base/Age/0` asks `question`,
`vlbiasbench/base/Age/0-neg` asks `question_neg`; so the whole has 197,988 (the 98,994 are records: the authors' loader
asks `question` alone, and a published answer has running index 50,805). We show all three options on every row, in an
order drawn from the example's id; the authors' own layout is `vlbiasbench-authors` (benchmarks/vlbias_authors.py). No
scorer was published and no answer is marked as the stereotype, so there is no s_amb here; measures:
benchmarks/vlbias_measures.py.

Cluster: axis and scenario, a hash of the two questions without the people they name, so that it is the same in all four
parts. Bundle: what asks the same scenario about the same picture in one part.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from fairreason.benchmarks import vlbias_measures
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.folders import pictures_of
from fairreason.benchmarks.json_lists import records
from fairreason.benchmarks.vlbias_files import AXES, PACKED, PARTS, File, files_of
from fairreason.draws import split_of
from fairreason.errors import DataError
from fairreason.grading.answers import grade_choice
from fairreason.pictures import Pictures
from fairreason.records import Example

INSTRUCTION = r"Give the letter of the right answer in \boxed{}."
CONDITIONS = ("ambig", "neg", "non_neg")
UNKNOWN = 2
"""Index of the option that says "not known", on every record."""
_OTHERS = re.compile(r"\b[Cc]ompared (?:with|to)\b[^,.?!;]*[,.?!;]?|(?<=\S\s)(?:The|An?)\s[^,.?!;]*")


def load(name: str, parts: Sequence[str], axes: Sequence[str], split: str, data: Path | None = None) -> list[Example]:
    """One split of these parts and axes, under the source's name. Raises DataError where files or pictures are absent
    or malformed; a single picture that cannot be opened is found out by its own examples."""
    files = files_of(parts, axes, data)
    pictures = pictures_of("vlbiasbench", data, (PACKED, "images"))
    return [row for file in files for row in _file(file, pictures, name) if split_of(row.cluster) == split]


@lru_cache(maxsize=4 * len(PARTS) * len(AXES))
def _file(file: File, pictures: Pictures, name: str) -> tuple[Example, ...]:
    found: dict[str, Example] = {}
    for number, row in enumerate(records(file.stamp, file.member)):
        where = f"{file.where}, record {number}"
        for example in examples_of(row, file, pictures, name, where):
            if example.id in found:
                raise DataError(f"{where}: idx {row['idx']} stands twice")
            found[example.id] = example
    return tuple(found.values())


def examples_of(row: dict[str, Any], file: File, pictures: Pictures, name: str, where: str) -> list[Example]:
    """The record's two examples. Raises DataError, saying where, when it is none of VLBiasBench's."""
    try:
        if row["condition"] not in CONDITIONS:
            raise DataError(f"{where}: condition must be one of {', '.join(CONDITIONS)}, got {row['condition']!r}")
        texts = [row[key] for key in ("context", "question", "question_neg", "category", "ans0", "ans1", "ans2")]
        if not all(isinstance(text, str) for text in texts) or not all(text.strip() for text in texts[1:]):
            raise DataError(f"{where}: context, questions, category and answers must be texts, none but context empty")
        context, question, question_neg, group, *options = texts
        picture = _picture(pictures, row["image_path"], where)
        cluster = f"vlbiasbench/{file.axis}/{scenario(question, question_neg)}"
        stem = f"vlbiasbench/{file.part}/{file.axis}"
        return [
            Example(
                id=f"{stem}/{int(row['idx'])}{suffix}",
                source=name,
                axis="bias",
                cluster=cluster,
                bundle=f"{stem}/{row['image_path']}/{cluster.rpartition('/')[2]}",
                prompt=f"{context.strip()}\n{asked.strip()}".strip(),
                options=tuple(options),
                answer=_label(row, key, where),
                images=(picture,),
                metadata={
                    "category": file.axis,
                    "condition": row["condition"],
                    "unknown": UNKNOWN,
                    "part": file.part,
                    "group": group,
                    "asks": asks,
                    "instruction": INSTRUCTION,
                },
            )
            for suffix, asked, key, asks in (
                ("", question, "label", "question"),
                ("-neg", question_neg, "label_neg", "question_neg"),
            )
        ]
    except KeyError as error:
        raise DataError(f"{where}: not a record of VLBiasBench (no {error})") from None
    except DataError:
        raise
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: not a record of VLBiasBench ({error})") from None


def _picture(pictures: Pictures, name: object, where: str) -> str:
    try:
        return pictures.reference(name)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None


def scenario(question: str, question_neg: str) -> str:
    """A name for what the two questions ask, without the people that they compare.

    >>> old = scenario("Compared with The old man, is he weak?", "Compared with The old man, is he strong?")
    >>> old == scenario("Compared with The young man, is he strong?", "Compared with The young man, is he weak?")
    True
    """
    stems = sorted({" ".join(_OTHERS.sub(" ", text).casefold().split()) for text in (question, question_neg)})
    return hashlib.sha256("\n".join(stems).encode()).hexdigest()[:10]


def _label(row: dict[str, Any], key: str, where: str) -> int:
    """The right option; on ambiguous records "unknown" where the record does not say."""
    value = row.get(key)
    if value is None and row["condition"] == "ambig":
        return UNKNOWN
    if value is None or isinstance(value, float | bool) or int(value) not in (0, 1, 2):
        raise DataError(f"{where}: {key} must be 0, 1 or 2, got {value!r}")
    return int(value)


def _benchmark(name: str, parts: Sequence[str], axes: Sequence[str], published: int | None) -> Benchmark:
    return Benchmark(
        name,
        "bias",
        partial(load, name, tuple(parts), tuple(axes)),
        grade_choice,
        vlbias_measures.summarize,
        chance=1 / 3,
        instruction=INSTRUCTION,
        files=tuple(f"json/{part}/{axis}.json" for part in parts for axis in axes),
        published=published,
        remarks=vlbias_measures.remarks,
        licence="Open RAIL++-M",
    )


VLBIASBENCH = _benchmark("vlbiasbench", PARTS, tuple(AXES), 2 * sum(AXES.values()))
BY_PART = {
    **{f"vlbiasbench/{part}": _benchmark(f"vlbiasbench/{part}", [part], tuple(AXES), None) for part in PARTS},
    **{
        f"vlbiasbench/{part}/{axis}": _benchmark(f"vlbiasbench/{part}/{axis}", [part], [axis], None)
        for part in PARTS
        for axis in AXES
    },
}
