r"""A trace: what a teacher answered to a question, and the file of them that `fairreason traces` writes.

One JSON object a line, in the field's `messages` form, so that TRL and others read it as it is; `images` (data URLs)
stands in every row where any row has a picture, and nowhere else. benchmarks/traced_source.py trains on it. A
source that is a file of a user's own stands in it as `portable` says: no row tells whose machine it was.

    {"id": "bbq/Age/12", "sample": 0, "source": "bbq", "cluster": "bbq/age-03", "category": "Age", "condition": "ambig",
     "messages": [{"role": "user", "content": "I saw a grandson ...\nA. Not known\n..."},
                  {"role": "assistant", "content": "<think>\nThe text does not say.\n</think>\n\n\\boxed{A}"}],
     "teacher": "deepseek-reasoner", "model": "DeepSeek-R1-0528", "sampling": {"temperature": 0.6},
     "prompt_hash": "9f2c41d07ab35e68", "prompt_tokens": 121, "completion_tokens": 388, "cost": 0.0009,
     "grade": {"outcome": "correct", "rule": "boxed"}}
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fairreason.benchmarks import items
from fairreason.benchmarks.base import prompt_text, question_hash
from fairreason.benchmarks.sources import rows
from fairreason.errors import DataError
from fairreason.files import write_atomic
from fairreason.pictures import data_url
from fairreason.pictures import read as read_picture
from fairreason.records import Completion, Example, Grade

TEXTS = ("cluster", "category", "condition", "teacher", "model")
NUMBERS = ("sample", "prompt_tokens", "completion_tokens", "cost")


@dataclass(frozen=True, slots=True)
class Trace:
    """A row. `prompt` is the question as it was put, `reply` the teacher's whole text, `images` what
    fairreason.pictures opens, `model` the version that the server reported, `prompt_hash` the `question_hash`, `cost`
    in US dollars (None: unknown), `outcome` and `rule` the benchmark's own grade."""

    id: str
    source: str
    prompt: str
    reply: str
    prompt_hash: str
    outcome: str
    rule: str = ""
    sample: int = 0
    cluster: str = ""
    category: str | None = None
    condition: str | None = None
    images: tuple[str, ...] = ()
    teacher: str = ""
    model: str = ""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None


def trace_of(
    example: Example,
    completion: Completion,
    grade: Grade,
    *,
    teacher: str,
    model: str = "",
    sample: int = 0,
    sampling: Mapping[str, Any] | None = None,
    cost: float | None = None,
) -> Trace:
    """The trace of one answer to a benchmark's question."""
    prompt = prompt_text(example)
    return Trace(
        id=example.id,
        source=example.source,
        prompt=prompt,
        reply=completion.text,
        prompt_hash=question_hash(prompt, example.images),
        outcome=grade.outcome,
        rule=grade.rule,
        sample=sample,
        cluster=example.cluster,
        category=example.metadata.get("category"),
        condition=example.metadata.get("condition"),
        images=example.images,
        teacher=teacher,
        model=model,
        sampling=dict(sampling or {}),
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
        cost=cost,
    )


def write(path: Path, traces: Sequence[Trace]) -> None:
    """The file, whole or not at all. Raises RunError when the disk does not take it, DataError for a lost picture."""
    pictures = any(trace.images for trace in traces)
    write_atomic(path, (_line(trace, pictures, path.parent) for trace in traces))


def portable(source: str, folder: Path) -> str:
    """The source as a file in `folder` names it: the path of a user's own file seen from the folder where it lies
    there or below, else from the working folder, else its bare name (it then belongs beside the trace file).

    >>> portable("bbq", Path("out")), portable("items:out/own.jsonl", Path("out"))
    ('bbq', 'items:own.jsonl')
    >>> portable("items:data/own.jsonl", Path("out")), portable("items:/home/me/own.jsonl", Path("out"))
    ('items:data/own.jsonl', 'items:own.jsonl')
    """
    own = items.path_of(source)
    if own is None:
        return source
    place = Path(os.path.abspath(own))  # a link is where it stands
    base = next((one for one in (Path(os.path.abspath(folder)), Path.cwd()) if place.is_relative_to(one)), place.parent)
    return f"{source.partition(':')[0]}:{place.relative_to(base).as_posix()}"


def located(source: str, folder: Path) -> str:
    """The source that a file in `folder` means, so that it can be loaded: the other way of `portable`."""
    own = items.path_of(source)
    beside = own and folder / own
    try:
        return f"{source.partition(':')[0]}:{beside}" if beside and beside.is_file() else source
    except (OSError, ValueError):  # a name that no file can have
        return source


def _line(trace: Trace, pictures: bool, folder: Path) -> bytes:
    row: dict[str, Any] = {"id": trace.id, "sample": trace.sample, "source": portable(trace.source, folder)}
    row |= {key: getattr(trace, key) for key in ("cluster", "category", "condition")}
    row["messages"] = [{"role": "user", "content": trace.prompt}, {"role": "assistant", "content": trace.reply}]
    if pictures:
        row["images"] = [_embedded(reference) for reference in trace.images]
    row |= {key: getattr(trace, key) for key in ("teacher", "model", "sampling", "prompt_hash")}
    row |= {key: getattr(trace, key) for key in ("prompt_tokens", "completion_tokens", "cost")}
    row["grade"] = {"outcome": trace.outcome, "rule": trace.rule}
    return (json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _embedded(reference: str) -> str:
    """A picture that travels with the file: a path would say nothing elsewhere, and tell whose machine it was."""
    return reference if reference.startswith("data:") else data_url(read_picture(reference))


def read(path: Path) -> Iterator[Trace]:
    """The rows of a file of traces. Raises DataError, naming file and line, for one that is none."""
    for line, row in rows(path):
        yield _trace(row, f"{path}:{line}: not a trace")


def _trace(row: Mapping[str, Any], where: str) -> Trace:
    prompt, reply = _turns(row.get("messages"), where)
    for key in ("id", "source", "prompt_hash"):
        if not row.get(key) or not isinstance(row[key], str):
            raise DataError(f"{where}, {key} must be a text")
    kinds: dict[str, tuple[type, ...]] = {key: (str,) for key in TEXTS} | {key: (int, float) for key in NUMBERS}
    kinds |= {"sampling": (dict,), "grade": (dict,), "images": (list,)}
    given = {key: row[key] for key in kinds if row.get(key) is not None}
    for key, value in given.items():
        if not isinstance(value, kinds[key]) or isinstance(value, bool):
            raise DataError(f"{where}, {key} is a {type(value).__name__}")
    images, grade = given.pop("images", []), given.pop("grade", {})
    return Trace(
        id=row["id"],
        source=row["source"],
        prompt=prompt,
        reply=reply,
        prompt_hash=row["prompt_hash"],
        outcome=str(grade.get("outcome", "")),
        rule=str(grade.get("rule", "")),
        images=tuple(map(str, images)),
        **given,
    )


def _turns(messages: Any, where: str) -> tuple[str, str]:
    turns = messages if isinstance(messages, list) and all(isinstance(turn, dict) for turn in messages) else []
    texts = [turn.get("content") for turn in turns]
    if [turn.get("role") for turn in turns] != ["user", "assistant"] or not all(isinstance(one, str) for one in texts):
        raise DataError(f"{where}, messages must be a user's and an assistant's, each with a text")
    return str(texts[0]), str(texts[1])
