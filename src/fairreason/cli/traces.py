"""`fairreason traces ...`: call the public functions and print what comes back."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

from fairreason import api
from fairreason.cli import console
from fairreason.errors import UsageError
from fairreason.models.backends import BACKENDS, Backend
from fairreason.traces import agreement, balance, labelled
from fairreason.traces.collect import Choice, Collected, collect
from fairreason.traces.filters import Keep
from fairreason.traces.gather import Request
from fairreason.traces.push import push

REASONS = 3
"""How many kinds of failure are named."""


def run_traces(
    request: Request,
    keep: Keep,
    balanced: bool,
    judge: str | None,
    judge_url: str | None,
    data: Path | None,
    as_json: bool,
) -> None:
    found = _collect(request, Choice(keep, balanced, _judge(judge, judge_url)), data)
    _tell_missing(found)
    if as_json:
        console.show(summary(found))
        return
    for reason, count in found.dropped.items():
        if count:
            tell(f"{count:,} dropped: {reason}")
    nested = ("left_out", "dropped", "balance", "files")
    console.table([{key: value for key, value in summary(found).items() if key not in nested}])
    console.table(_balance(found))
    print(found.file)
    print(found.card)


def run_push(file: Path, repo: str, private: bool, as_json: bool) -> None:
    """Sends a file of traces and its card to the hub and prints the commit's address."""
    commit = push(file, repo, private)
    console.show({"commit": commit}) if as_json else print(commit)


def run_agreement(
    steps: int | None,
    seed: int,
    labels: Path | None,
    judge: str | None,
    judge_url: str | None,
    verdicts: Path,
    data: Path | None,
) -> None:
    """Prints the table of agreement, or steps for a person to label."""
    folder = api.data_folder(data)
    if steps is None:
        more = {"person": labelled.given_labels(labels, folder)} if labels else None
        print(agreement.report(folder, more, _judge(judge, judge_url), verdicts))
        return
    for row in labelled.to_label(steps, seed, folder):
        print(json.dumps(row, ensure_ascii=False))


def _judge(model: str | None, url: str | None) -> Backend | None:
    if url is not None and model is None:
        raise UsageError("--judge-url: names the judge's server; name the model with --judge")
    return BACKENDS["openai"](model, base_url=url) if model else None


def _collect(request: Request, choice: Choice, data: Path | None) -> Collected:
    """Collects with progress on stderr."""
    progress = console.Progress(request.bench)
    before: int | None = None

    def seen(done: int, of: int, cost: float | None) -> None:
        nonlocal before
        before = done if before is None else before
        progress(done, of, "" if cost is None else _money(cost, done - before, of - done))

    with console.resumable():
        try:
            return collect(request, choice, api.data_folder(data), seen, tell)
        finally:
            progress.close()


def _tell_missing(found: Collected) -> None:
    """Says on stderr what is missing and why."""
    asked = found.gathered.asked
    for reason, count in found.gathered.source.left_out.items():
        tell(f"{count:,} questions were left out: {reason}")
    for reason, count in asked.reasons.most_common(REASONS):
        tell(f"{count:,} failed: {reason}")
    if asked.failed:
        tell(f"{asked.failed:,} answers failed in all; the same command asks for them again")
    if asked.stopped:
        tell(f"stopped: {asked.stopped}; the same command with a higher one goes on")
    if found.absent:
        tell(f"not compared with the test questions of {', '.join(found.absent)}: not at hand")
    for name, why in found.broken.items():
        tell(f"not compared with the test questions of {name}, which cannot be read: {why}")


def summary(found: Collected) -> dict[str, Any]:
    """The rows of the split that nobody is asked, by reason; what became of the answers that were wanted; tokens and
    cost (US dollars) of this run; what was kept of all; `imbalance` is how far the kept shares of conditions, or of
    polarities, lie apart at most (0: balanced)."""
    asked = found.gathered.asked
    return {
        "benchmark": found.gathered.source.benchmark.name,
        "teacher": found.gathered.settings["teacher"],
        "left_out": dict(found.gathered.source.left_out),
        "wanted": asked.wanted,
        "before": asked.before,
        "answered": asked.answered,
        "failed": asked.failed,
        "left": asked.wanted - asked.before - asked.answered - asked.failed,
        "prompt_tokens": asked.prompt_tokens,
        "completion_tokens": asked.completion_tokens,
        "cost": asked.cost,
        "kept": found.kept,
        "dropped": found.dropped,
        "imbalance": round(balance.worst(found.balance), 4),
        "balance": _balance(found),
        "files": {"traces": str(found.file), "card": str(found.card), "journal": str(found.gathered.journal)},
    }


def _balance(found: Collected) -> list[dict[str, Any]]:
    """Of every condition and polarity how much was kept; None where nothing was asked."""
    shares = [one for one in found.balance if one.by != "category"]
    return [one._asdict() | {"ratio": None if math.isnan(one.ratio) else one.ratio} for one in shares]


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _money(cost: float, done: int, left: int) -> str:
    ahead = f", about ${cost / done * left:,.2f} to go" if done and left else ""
    return f", ${cost:,.2f} spent{ahead}"
