"""`fairreason traces`: call the public functions and print what comes back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from fairreason import api
from fairreason.cli import console
from fairreason.traces.gather import Gathered, Request, gather

REASONS = 3
"""How many kinds of failure are named."""


def run_traces(request: Request, data: Path | None, as_json: bool) -> None:
    counts = summary(collect_answers(request, data))
    console.show(counts) if as_json else console.table([counts])


def collect_answers(request: Request, data: Path | None) -> Gathered:
    """Asks with progress on stderr, and says there what is missing and why."""
    progress = console.Progress(request.bench)
    before: int | None = None

    def seen(done: int, of: int, cost: float | None) -> None:
        nonlocal before
        before = done if before is None else before
        progress(done, of, "" if cost is None else _money(cost, done - before, of - done))

    with console.resumable():
        try:
            found = gather(request, api.data_folder(data), seen, tell)
        finally:
            progress.close()
    asked = found.asked
    if found.source.uncheckable:
        tell(f"{found.source.uncheckable:,} questions were left out: no rule can check their answer")
    for reason, count in asked.reasons.most_common(REASONS):
        tell(f"{count:,} failed: {reason}")
    if asked.failed:
        tell(f"{asked.failed:,} answers failed in all; the same command asks for them again")
    if asked.stopped:
        tell(f"stopped: {asked.stopped}; the same command with a higher one goes on")
    return found


def summary(found: Gathered) -> dict[str, Any]:
    """What became of the answers that were wanted, tokens and cost (US dollars) of this run."""
    asked = found.asked
    return {
        "benchmark": found.source.benchmark.name,
        "teacher": found.settings["teacher"],
        "wanted": asked.wanted,
        "before": asked.before,
        "answered": asked.answered,
        "failed": asked.failed,
        "left": asked.wanted - asked.before - asked.answered - asked.failed,
        "prompt_tokens": asked.prompt_tokens,
        "completion_tokens": asked.completion_tokens,
        "cost": asked.cost,
        "journal": str(found.journal),
    }


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _money(cost: float, done: int, left: int) -> str:
    ahead = f", about ${cost / done * left:,.2f} to go" if done and left else ""
    return f", ${cost:,.2f} spent{ahead}"
