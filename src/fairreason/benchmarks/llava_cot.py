r"""LLaVA-CoT-100k: questions about pictures, answered in four written stages; a source for training (Xu et al. 2024).

Paper arXiv 2411.10440, data Xkev/LLaVA-CoT-100k (Hugging Face), about 100,000 records; its licence is to be read there.
Files as published: `llava-cot/train.jsonl`, and the pictures as `image.zip.part-aa` ... `-ap` (read where they lie),
joined to `image.zip`, or unpacked into `images/` or the folder itself. The original has not been read yet.

`trace` is SUMMARY, CAPTION and REASONING without their tags, `solution` the CONCLUSION. `answer` is what a rule can
check: the option that the conclusion names where the question lists options, else a number or at most three words;
where it is more, it is the conclusion itself, `checkable` is False and grpo does not draw the row. The literal
`<image>` of a question is a picture's place, not text, and is taken out. Of several turns the first is asked.
Options are shown in the published order, because the trace may name letters. Cluster: the picture, or where there is
none the question.

    {"id": "sqa_1", "image": "sqa/train/1/image.png", "conversations": [
      {"from": "human", "value": "<image>\nWhich one is iron? Options: A. 4, B. 8"},
      {"from": "gpt", "value": "<SUMMARY> ... </SUMMARY>\n\n<CAPTION> ... </CAPTION>\n\n<REASONING> ... </REASONING>\n\n
       <CONCLUSION> **B** </CONCLUSION>"}]}
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from fairreason.benchmarks import reasoning
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.choices import choices
from fairreason.benchmarks.folders import folder_of
from fairreason.benchmarks.mixture_of_thoughts import CHOOSE, WRITE, fold
from fairreason.benchmarks.sources import Stamp, find, rows
from fairreason.draws import PUBLISHED, SPLITS, split_of
from fairreason.errors import DataError
from fairreason.grading.answers import grade_choice, grade_text, number
from fairreason.pictures import Pictures
from fairreason.records import Completion, Example, Grade

NAME, FILE = "llava-cot", "train.jsonl"
STAGES = ("SUMMARY", "CAPTION", "REASONING", "CONCLUSION")
NO_STAGES = "not the four stages"
IMAGE = "<image>"
PLACES = ("images", "image.zip.part-aa", "image.zip", ".")
"""Where pictures are looked for, in this order."""
MOST_WORDS = 3
_STAGE = re.compile(r"<(SUMMARY|CAPTION|REASONING|CONCLUSION)>(.*?)</\1>", re.DOTALL)
_EDGES = " \t\r\n*_`\"'."


class Found(NamedTuple):
    """Examples, and counts of what was left out by reason, both by split."""

    examples: dict[str, list[Example]]
    left_out: dict[str, Counter[str]]


def load(split: str, data: Path | None = None) -> list[Example]:
    """One split. Raises DataError where the file is absent, a record malformed, or a picture outside the folder; one
    that is not there is found out by its own example."""
    return list(_found(data).examples.get(split, ()))


def left_out(split: str, data: Path | None = None) -> Mapping[str, int]:
    """Records of the split that `load` does not give, by reason."""
    return _found(data).left_out.get(split, Counter())


def grade(example: Example, completion: Completion) -> Grade:
    """By option, number or short text; a row that no rule can check is `unparsed`, whatever the reply."""
    if not example.metadata["checkable"]:
        return Grade("unparsed", rule="no rule checks this row")
    return grade_choice(example, completion) if example.options else grade_text(example, completion)


def _found(data: Path | None) -> Found:
    file = find(NAME, FILE, data)
    folder = folder_of(NAME, data)
    return _read(file, next(folder / place for place in PLACES if (folder / place).exists()))


@lru_cache(maxsize=2)
def _read(file: Stamp, place: Path) -> Found:
    pictures = Pictures(place)
    examples: dict[str, list[Example]] = {split: [] for split in SPLITS}
    dropped: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
    for index, (line, row) in enumerate(rows(file.path)):
        where = f"{file.path}:{line}"
        asked, said = _turns(row, where)
        image = row.get("image")
        cluster = f"{NAME}/{image}" if image else f"{NAME}/{fold(asked)}"
        split = split_of(cluster)
        stages = {match[1]: match[2].strip() for match in _STAGE.finditer(said)}
        if not all(stages.get(stage) for stage in STAGES):
            dropped[split][NO_STAGES] += 1
            continue
        try:
            images = (pictures.reference(image),) if image else ()
        except DataError as error:
            raise DataError(f"{where}: {error}") from None
        examples[split].append(_example(f"{NAME}/{index}", cluster, asked, stages, images))
    return Found(examples, dropped)


def _example(id: str, cluster: str, asked: str, stages: Mapping[str, str], images: tuple[str, ...]) -> Example:
    stem, options = choices(asked)
    final = stages["CONCLUSION"]
    answer = _checkable(id, options, final)
    chosen = isinstance(answer, int)
    meta: dict[str, Any] = {"instruction": CHOOSE if chosen else WRITE, "checkable": True}
    if answer is None:
        meta = {"instruction": "", "checkable": False, "form": "plain"}
    return Example(
        id=id,
        source=NAME,
        axis="reasoning",
        cluster=cluster,
        bundle=id,
        prompt=stem if chosen else asked,
        answer=final if answer is None else answer,
        options=options if chosen else (),
        images=images,
        solution=None if answer is None else final,
        trace="\n\n".join(stages[stage] for stage in STAGES[:3]),
        metadata={**meta, "order": PUBLISHED} if chosen else meta,
    )


def _checkable(id: str, options: tuple[str, ...], final: str) -> int | str | None:
    """What a rule can check: the option that the conclusion names, a number, or a few words; None for more."""
    if options:
        asked = Example(id, NAME, "reasoning", "", "", 0, options, metadata={"order": PUBLISHED})
        return grade_choice(asked, Completion(final)).choice
    plain = final.strip(_EDGES)
    value = number(plain)
    if value is not None:
        return value
    words = plain.split()
    return plain if 0 < len(words) <= MOST_WORDS and not re.search(r"[,;:.\\{}]", plain) else None


def _turns(row: Mapping[str, Any], where: str) -> tuple[str, str]:
    """The first question, without the picture's place, and its answer."""
    turns = row.get("conversations")
    image = row.get("image")
    if image is not None and not isinstance(image, str):
        raise DataError(f"{where}: image must be a path")
    other = f"{where}: not a record of LLaVA-CoT-100k"
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise DataError(f"{other} (conversations must be a list of turns)")
    texts = [turn.get("value") for turn in turns[:2]]
    if [turn.get("from") for turn in turns[:2]] != ["human", "gpt"] or not all(isinstance(t, str) for t in texts):
        raise DataError(f"{other} (the first turns must be human and gpt, with a value)")
    asked = str(texts[0]).replace(IMAGE, "").strip()
    if not asked:
        raise DataError(f"{where}: the question is empty")
    return asked, str(texts[1])


LLAVA_COT = Benchmark(
    NAME,
    "reasoning",
    load,
    grade,
    reasoning.summarize,
    files=(FILE,),
    left_out=left_out,
)
