"""The card of a file of traces, written beside it (`bbq.jsonl`, `bbq.md`): what it is, what was asked, kept, dropped.

The hub reads its front matter (https://huggingface.co/docs/hub/datasets-cards) and shows the file as the data set. What
a teacher, a server or a data set says (a model's version, a category) is text that nobody vouches for: it stands in the
card with every sign of Markdown and HTML taken back.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fairreason import __version__, benchmarks
from fairreason.benchmarks import items
from fairreason.benchmarks.traced import Trace, portable
from fairreason.files import write_atomic
from fairreason.records import Example
from fairreason.traces import balance
from fairreason.traces.markdown import near, plain, table

LICENCES: Mapping[str, str] = {
    "CC-BY-4.0": "cc-by-4.0",
    "CC-BY-SA-4.0": "cc-by-sa-4.0",
    "MIT": "mit",
    "Apache-2.0": "apache-2.0",
    "Open RAIL++-M": "openrail++",
}
"""The hub's names for the licences of our sources; what has none there is `other`, what was not read is `unknown`."""
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
Shown = Callable[[str], str]
"""A source as the card names it."""


@dataclass(frozen=True)
class Collection:
    """What came of asking a teacher the questions of `source`. `asked` are those with an answer, `traces` what was
    kept, `dropped` counts what was not by reason; `failed` the requests that came to nothing, `left_out` rows of the
    split that nobody is asked, by reason; `absent` names test splits that nothing could be compared with, `broken` says
    why others could not be read; `model` is the model as it was named, `models` the versions that the server reported,
    `judge` the judge's name; tokens and cost (US dollars, None: unknown) are of all answers, the dropped ones too, but
    cost knows nothing of `unpriced` many."""

    asked: Sequence[Example]
    traces: Sequence[Trace]
    dropped: Mapping[str, int]
    teacher: str
    absent: Sequence[str] = ()
    models: Sequence[str] = ()
    sampling: Mapping[str, Any] = field(default_factory=dict)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    unpriced: int = 0
    broken: Mapping[str, str] = field(default_factory=dict)
    failed: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    model: str = ""
    judge: str = ""
    source: str = ""

    @property
    def sources(self) -> list[str]:
        named = {example.source for example in self.asked} | {trace.source for trace in self.traces}
        return sorted((named | {self.source}) - {""})


def path_of(file: Path) -> Path:
    """The card beside a file of traces.

    >>> path_of(Path("out/bbq.jsonl")).name
    'bbq.md'
    """
    return file.with_suffix(".md")


def write(file: Path, collection: Collection) -> Path:
    """The card beside the file of traces; its path. Raises RunError when the disk does not take it."""
    write_atomic(path_of(file), text(file.name, collection, file.parent))
    return path_of(file)


def text(name: str, collection: Collection, folder: Path = Path()) -> str:
    """The card of the file of this name in this folder."""
    front = yaml.safe_dump(_front(name, collection), sort_keys=False, allow_unicode=True)

    def shown(source: str) -> str:
        return portable(source, folder)

    title = f"# Reasoning traces: {plain(', '.join(map(shown, collection.sources)))}"
    parts = [
        _what(collection, shown),
        _teacher(collection),
        _counts(collection, shown),
        _dropped(collection),
        _use(name, collection),
    ]
    return f"---\n{front}---\n" + "\n\n".join([title, *parts]) + "\n"


def _front(name: str, collection: Collection) -> dict[str, Any]:
    licences = sorted({LICENCES.get(one, "other") if one else "unknown" for one in _licences(collection).values()})
    named = sorted({one for one in _licences(collection).values() if one and one not in LICENCES})
    size = next((label for most, label in SIZES if len(collection.traces) < most), "n>1M")
    pictures = any(trace.images for trace in collection.traces)
    axes = sorted({benchmarks.get(source).axis for source in collection.sources})
    return {
        "license": licences if len(licences) > 1 else licences[0],
        **({"license_name": "; ".join(named)} if licences == ["other"] else {}),
        **({} if any(map(items.path_of, collection.sources)) else {"language": ["en"]}),
        "task_categories": ["visual-question-answering" if pictures else "question-answering"],
        "tags": ["fairreason", "reasoning-traces", "distillation", *axes],
        "size_categories": [size],
        "configs": [{"config_name": "default", "data_files": name}],
    }


def _licences(collection: Collection) -> dict[str, str]:
    return {source: benchmarks.get(source).licence for source in collection.sources}


def _what(collection: Collection, shown: Shown) -> str:
    questions = len({(trace.source, trace.id) for trace in collection.traces})
    unread = "not known to us: read it at the source"
    rows = [[shown(source), licence or unread] for source, licence in _licences(collection).items()]
    return (
        f"{len(collection.traces):,} answers with reasoning to {questions:,} questions, collected and filtered by "
        f"FairReason {__version__}, each right by the benchmark's own grading, of training splits alone.\n\n"
        "## Sources and licences\n\nThe questions are the sources' and stay under their licences; what a teacher's "
        f"provider asks of its outputs comes on top.\n\n{table(['source', 'licence'], rows)}"
    )


def _teacher(collection: Collection) -> str:
    cost = "unknown" if collection.cost is None else f"{collection.cost:,.2f} US dollars"
    if collection.cost is not None and collection.unpriced:
        cost += f", and unknown of {collection.unpriced:,} answers"
    models = ", ".join(sorted(set(collection.models))) or "not reported"
    rows = [
        ["teacher", collection.teacher],
        ["model, as it was named", model_name(collection.model) or "-"],
        ["version, as the server reported it", models],
        ["sampling", json.dumps(dict(collection.sampling), sort_keys=True, default=str)],
        ["prompt tokens, all answers", f"{collection.prompt_tokens:,}"],
        ["completion tokens, all answers", f"{collection.completion_tokens:,}"],
        ["cost, all answers", cost],
    ]
    return "## Teacher\n\n" + table(["", ""], rows)


def _counts(collection: Collection, shown: Shown) -> str:
    before = _cells((e.source, balance.category(e), balance.condition(e), e.id) for e in collection.asked)
    after = _cells((t.source, t.category or "", t.condition or "", t.id) for t in collection.traces)
    rows = [
        [shown(cell[0]), *cell[1:], f"{before[cell]:,}", f"{after[cell]:,}"] for cell in sorted({**before, **after})
    ]
    whole = table(["source", "category", "condition", "questions answered", "with a kept trace"], rows)
    kept = {(trace.source, trace.id) for trace in collection.traces}
    shares = balance.imbalance(collection.asked, (e for e in collection.asked if (e.source, e.id) in kept))
    sides = [s for s in shares if s.by != "category"]
    rows = [[shown(s.source), s.by, s.value, f"{s.asked:,}", f"{s.kept:,}", _ratio(s.ratio)] for s in sides]
    if not rows:
        return f"## Counts\n\n{whole}"
    balanced = table(["source", "by", "value", "answered", "kept", "ratio"], rows)
    return f"## Counts\n\n{whole}\n\n### Balance\n\n{balanced}"


def _ratio(ratio: float) -> str:
    return "-" if math.isnan(ratio) else f"{ratio:.2f}"


def _cells(rows: Iterable[tuple[str, str, str, str]]) -> Counter[tuple[str, str, str]]:
    """Questions by source, category and condition; a question counts once."""
    return Counter((source, category, condition) for source, category, condition, _ in dict.fromkeys(rows))


def _dropped(collection: Collection) -> str:
    rows = [[reason, f"{n:,}"] for reason, n in sorted(collection.dropped.items())]
    whole = f"{sum(collection.dropped.values()):,} answers were dropped, {len(collection.traces):,} kept."
    reasons = f"\n\n{table(['reason', 'answers'], rows)}" if rows else ""
    names = plain(", ".join(collection.absent), most=1_000)
    more = [f"Not compared with the test questions of {names}: their files were not at hand."] if names else []
    for broken, why in collection.broken.items():
        more.append(
            f"Not compared with the test questions of {plain(broken)}, which cannot be read: {plain(near(why))}."
        )
    if collection.failed:
        more.append(f"{collection.failed:,} requests failed and left no answer; the same command asks them again.")
    more += [f"{n:,} questions were left out: {plain(reason)}." for reason, n in collection.left_out.items()]
    if collection.judge:
        more.append(f"Judge of the reasoning, after the rules: {plain(collection.judge)}.")
    return "\n\n".join([f"## Filters\n\n{whole}{reasons}", *more])


def model_name(named: str) -> str:
    """A model's name as it was given; of a folder here its own name alone, which says nothing of whose machine it was.

    >>> model_name("Qwen/Qwen3-8B"), model_name("")
    ('Qwen/Qwen3-8B', '')
    """
    folder = os.path.expanduser(named)  # neither this nor isdir minds a name that no folder can have
    return Path(folder).resolve().name if os.path.isdir(folder) else named


def _use(name: str, collection: Collection) -> str:
    axis = benchmarks.get(collection.sources[0]).axis
    file = json.dumps(name)
    return f"""## Use

```python
from datasets import load_dataset

rows = load_dataset("json", data_files={file}, split="train")   # messages: TRL's SFTTrainer takes it as it is
```

In a recipe of FairReason, beside the source's own data:

```yaml
mixture: {{{axis}: {{{json.dumps("traces:" + name)}: 1}}}}
strategy: {{type: kd}}
```

## Limits

A right final answer does not make every step right. Reasoning that names a stereotype was looked for by rule (and by a
judge, where the filters above name one), which finds some and not all. What is kept leans toward what the teacher finds
easy: see the balance above. A teacher's wording, its refusals and its own biases are in the text. Options stand in the
order in which FairReason shows them, and the letters in the traces belong to that order."""
