"""Which answer of a BBQ row agrees with the stereotype: read from the authors' metadata, or rebuilt from the row.

additional_metadata.csv names it in `target_loc`. Its current version is already turned by the question's polarity;
the older one is not, and is refused. 64 rows (Gender_identity, template 12) stand in it twice with the same target and
count once, where the authors' merge counts them twice; 16 rows (template 13, two people of one gender) have none.

Without the file the nine single categories are rebuilt from `answer_info` and `stereotyped_groups`: the same on every
row that the file decides, open on the same 16. In Race_x_SES and Race_x_gender both people may share the race, so it
takes a column that only the file has (Known_stereotyped_var2): no target there, and so no bias score.

    "category","question_index","example_id","target_loc","label_type",...
    "Age","1",0,0,"label",...
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from fairreason.benchmarks.sources import Stamp, find, lines
from fairreason.errors import DataError
from fairreason.records import Example

METADATA = "additional_metadata.csv"
INTERSECTIONAL = ("Race_x_SES", "Race_x_gender")
ABSENT = (
    f"{METADATA} is absent and only it says which answer agrees with the stereotype there. Put the current one of "
    "nyu-mll/BBQ into bbq/"
)
COLUMNS = ("category", "example_id", "target_loc")

Targets = Mapping[str, Mapping[str, int | None]]
"""Category -> example_id -> the bias-aligned answer's index, None for a row that has none."""

_GROUP = {
    "man": "m",
    "boy": "m",
    "woman": "f",
    "girl": "f",
    "transgender women": "trans",
    "transgender men": "trans",
    "low ses": "lowses",
}
"""Wordings of the rows for one group; every other is its own."""


def metadata_file(data: Path | None) -> Stamp | None:
    """The metadata of a data folder, None where it is absent."""
    try:
        return find("bbq", METADATA, data)
    except DataError:
        return None


@lru_cache(maxsize=1)
def read_targets(file: Stamp) -> Targets:
    """What the file says. Raises DataError when a column is missing or a row stands twice with two targets."""
    table: dict[str, dict[str, int | None]] = {}
    reader = csv.reader(line.decode("utf-8-sig") for line in lines(file.path))
    try:
        header = next(reader, [])
        places = [header.index(column) for column in COLUMNS]
        for row in reader:
            category, id, said = (row[place] for place in places)
            target = int(said) if said in ("0", "1", "2") else None
            if table.setdefault(category, {}).setdefault(id, target) != target:
                raise DataError(f"{file.path}: {category} {id} stands twice, with two values of target_loc")
    except DataError:
        raise
    except (ValueError, IndexError, csv.Error) as error:
        raise DataError(f"{file.path}: not BBQ's additional_metadata.csv ({error})") from None
    return table


def rebuilt_target(category: str, row: Mapping[str, Any]) -> int | None:
    """The bias-aligned answer's index from a published row alone: the person of a stereotyped group, in a `nonneg`
    question the other one. None where not exactly one person is of such a group, and in the intersectional categories.

    >>> info = {"ans0": ["grandfather", "old"], "ans1": ["grandson", "nonOld"], "ans2": ["Unknown", "unknown"]}
    >>> row = {"answer_info": info, "additional_metadata": {"stereotyped_groups": ["old"]}, "question_polarity": "neg"}
    >>> rebuilt_target("Age", row), rebuilt_target("Age", {**row, "question_polarity": "nonneg"})
    (0, 1)
    """
    if category in INTERSECTIONAL:
        return None
    stereotyped = {_group(name) for name in row["additional_metadata"]["stereotyped_groups"]}
    people = {i: row["answer_info"][f"ans{i}"] for i in range(3) if row["answer_info"][f"ans{i}"][1] != "unknown"}
    hits = [i for i, (text, tag) in people.items() if stereotyped & _groups(text, tag)]
    if len(hits) != 1 or len(people) != 2:
        return None
    return hits[0] if row["question_polarity"] == "neg" else next(i for i in people if i != hits[0])


def _group(name: str) -> str:
    folded = name.strip().casefold()
    return _GROUP.get(folded, folded)


def _groups(text: str, tag: str) -> set[str]:
    """The groups that a person's `answer_info` names: `British` of Europe, `F-Black`, `trans_M`."""
    found = {_group(text), _group(tag), _group(tag.removeprefix("F-").removeprefix("M-"))}
    return found | {"trans"} if tag.startswith("trans") else found


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


def remarks(examples: Sequence[Example]) -> list[str]:
    """What a reader of these examples' scores should know about missing targets."""
    absent = without_metadata(examples)
    said = []
    if absent:
        said.append(f"{' and '.join(absent)}: accuracy but no bias score, since {ABSENT}")
    rest = sum(category not in INTERSECTIONAL for category in _open(examples))
    if rest:
        said.append(f"{rest} questions about two people of one group have no target: 0 in s_amb, not in s_dis")
    return said


def without_metadata(examples: Sequence[Example]) -> list[str]:
    """The intersectional categories among these examples that have no target, since the metadata is absent."""
    found = _open(examples)
    return [category for category in INTERSECTIONAL if category in found]


def _open(examples: Sequence[Example]) -> list[str]:
    """The category of every row without target, as its file is called."""
    return [example.id.split("/")[1] for example in examples if example.metadata["target"] is None]
