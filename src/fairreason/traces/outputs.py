"""The names of a collection's files, and that nothing of anybody else's is written over.

For `--out DIR/bbq.jsonl`: bbq.jsonl, bbq.dropped.jsonl and bbq.md are made anew each time, from bbq.answers.jsonl, the
journal. Where that is not there yet, such a file is somebody else's.
"""

from __future__ import annotations

from pathlib import Path

from fairreason.benchmarks import items
from fairreason.errors import UsageError
from fairreason.traces.journal import journal_path

OURS = (".answers", ".dropped", ".verdicts")
"""How the names of files end that stand beside a trace file."""


def made_anew(out: Path) -> tuple[Path, Path, Path]:
    """What each run writes over: traces, dropped answers, card.

    >>> [path.name for path in made_anew(Path("out/bbq.jsonl"))]
    ['bbq.jsonl', 'bbq.dropped.jsonl', 'bbq.md']
    """
    return out, out.with_name(f"{out.stem}.dropped.jsonl"), out.with_suffix(".md")


def check(out: Path, bench: str) -> None:
    """Raises UsageError where `out` is no trace file's name, or writing it would lose what is not ours."""
    if out.suffix != ".jsonl":
        raise UsageError(f"--out {out}: must be a file's name that ends in .jsonl")
    ending = Path(out.stem).suffix
    if ending in OURS:
        raise UsageError(f"--out {out}: names that end in {ending}.jsonl are for what stands beside a trace file")
    journal, source = journal_path(out), items.path_of(bench)
    for path in (*made_anew(out), journal):
        if source is not None and path.exists() and source.exists() and path.samefile(source):
            raise UsageError(f"--out {out}: would write over {path}, the questions themselves; give another name")
    for path in made_anew(out):
        if path.exists() and not journal.exists():
            raise UsageError(
                f"--out {out}: {path} is there already, without the answers ({journal.name}) that it would be made "
                "from; give another name or move it away"
            )
