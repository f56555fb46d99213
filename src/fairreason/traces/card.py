"""The card of a file of traces, written beside it (`bbq.jsonl`, `bbq.md`): what it is, what was asked, kept, dropped.

The hub reads its front matter (https://huggingface.co/docs/hub/datasets-cards) and shows the file as the data set. What
a teacher, a server or a data set says (a model's version, a category) is text that nobody vouches for: it stands in the
card with every sign of Markdown and HTML taken back.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fairreason import __version__, benchmarks
from fairreason.benchmarks import items
from fairreason.benchmarks.traced import Trace
from fairreason.files import write_atomic
from fairreason.records import Example
from fairreason.traces import balance

LICENCES: Mapping[str, str] = {
    "CC-BY-4.0": "cc-by-4.0",
    "CC-BY-SA-4.0": "cc-by-sa-4.0",
    "MIT": "mit",
    "Apache-2.0": "apache-2.0",
    "Open RAIL++-M": "openrail++",
}
"""The hub's names for the licences of our sources; what has none there is `other`, what was not read is `unknown`."""
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
LONGEST = 200
"""Characters of a foreign text that are shown."""
MARKDOWN: Mapping[str, str] = {
    **{sign: f"\\{sign}" for sign in "\\`*_{}[]()#+!|~$:@^"},
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
}
"""What a sign is written as, so that it is shown and nothing else."""


@dataclass(frozen=True)
class Collection:
    """What came of asking a teacher. `asked` are the questions, `traces` what was kept, `dropped` counts what was not
    by reason; `absent` names test splits that nothing could be compared with; `models` the versions that the server
    reported; tokens and cost (US dollars, None: unknown) are of all answers, the dropped ones too."""

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

    @property
    def sources(self) -> list[str]:
        return sorted({example.source for example in self.asked} | {trace.source for trace in self.traces})


def path_of(file: Path) -> Path:
    """The card beside a file of traces.

    >>> path_of(Path("out/bbq.jsonl")).name
    'bbq.md'
    """
    return file.with_suffix(".md")


def write(file: Path, collection: Collection) -> Path:
    """The card beside the file of traces; its path. Raises RunError when the disk does not take it."""
    write_atomic(path_of(file), text(file.name, collection))
    return path_of(file)


def text(name: str, collection: Collection) -> str:
    """The card of the file of this name."""
    front = yaml.safe_dump(_front(name, collection), sort_keys=False, allow_unicode=True)
    title = f"# Reasoning traces: {plain(', '.join(collection.sources))}"
    parts = [_what(collection), _teacher(collection), _counts(collection), _dropped(collection), _use(name, collection)]
    return f"---\n{front}---\n" + "\n\n".join([title, *parts]) + "\n"


def plain(foreign: object, most: int = LONGEST) -> str:
    r"""A foreign text on one line, cut to `most` characters, in which nothing is Markdown, HTML, link or control sign.

    >>> plain("<b>| [x](y)\n")
    '&lt;b&gt;\\| \\[x\\]\\(y\\)'
    """
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in str(foreign)).split())
    cut = line if len(line) <= most else f"{line[:most]}..."
    return re.sub(r"(?i)\bwww\.", r"www\\.", "".join(MARKDOWN.get(sign, sign) for sign in cut))


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


def _what(collection: Collection) -> str:
    questions = len({(trace.source, trace.id) for trace in collection.traces})
    unread = "not known to us: read it at the source"
    rows = [[source, licence or unread] for source, licence in _licences(collection).items()]
    return (
        f"{len(collection.traces):,} answers with reasoning to {questions:,} questions, made and filtered by "
        f"FairReason {__version__}, each right by the benchmark's own grading, of training splits alone.\n\n"
        "## Sources and licences\n\nThe questions are the sources' and stay under their licences; what a teacher's "
        f"provider asks of its outputs comes on top.\n\n{_table(['source', 'licence'], rows)}"
    )


def _teacher(collection: Collection) -> str:
    cost = "unknown" if collection.cost is None else f"{collection.cost:,.2f} US dollars"
    models = ", ".join(sorted(set(collection.models))) or "not reported"
    rows = [
        ["teacher", collection.teacher],
        ["version, as the server reported it", models],
        ["sampling", json.dumps(dict(collection.sampling), sort_keys=True, default=str)],
        ["prompt tokens, all answers", f"{collection.prompt_tokens:,}"],
        ["completion tokens, all answers", f"{collection.completion_tokens:,}"],
        ["cost, all answers", cost],
    ]
    return "## Teacher\n\n" + _table(["", ""], rows)


def _counts(collection: Collection) -> str:
    before = _cells((e.source, balance.category(e), balance.condition(e), e.id) for e in collection.asked)
    after = _cells((t.source, t.category or "", t.condition or "", t.id) for t in collection.traces)
    rows = [[*cell, f"{before[cell]:,}", f"{after[cell]:,}"] for cell in sorted({**before, **after})]
    table = _table(["source", "category", "condition", "questions asked", "with a kept trace"], rows)
    kept = {(trace.source, trace.id) for trace in collection.traces}
    shares = balance.imbalance(collection.asked, (e for e in collection.asked if (e.source, e.id) in kept))
    sides = [s for s in shares if s.by != "category"]
    shown = [[s.source, s.by, s.value, f"{s.asked:,}", f"{s.kept:,}", _ratio(s.ratio)] for s in sides]
    if not shown:
        return f"## Counts\n\n{table}"
    balanced = _table(["source", "by", "value", "asked", "kept", "ratio"], shown)
    return f"## Counts\n\n{table}\n\n### Balance\n\n{balanced}"


def _ratio(ratio: float) -> str:
    return "-" if math.isnan(ratio) else f"{ratio:.2f}"


def _cells(rows: Iterable[tuple[str, str, str, str]]) -> Counter[tuple[str, str, str]]:
    """Questions by source, category and condition; a question counts once."""
    return Counter((source, category, condition) for source, category, condition, _ in dict.fromkeys(rows))


def _dropped(collection: Collection) -> str:
    rows = [[reason, f"{n:,}"] for reason, n in sorted(collection.dropped.items())]
    whole = f"{sum(collection.dropped.values()):,} answers were dropped, {len(collection.traces):,} kept."
    table = f"\n\n{_table(['reason', 'answers'], rows)}" if rows else ""
    names = plain(", ".join(collection.absent), most=1_000)
    gap = f"\n\nNot compared with the test questions of {names}: their files were not at hand." if names else ""
    return f"## Filters\n\n{whole}{table}{gap}"


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


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head)]
    shown = [" | ".join(line) for line in lines] + [" | ".join(map(plain, row)) for row in rows]
    return "\n".join(f"| {line} |" for line in shown)
