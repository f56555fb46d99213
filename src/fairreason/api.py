"""The public functions: what the command line does, from Python. Each imports what it needs when it is called."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairreason.errors import DataError, UsageError

if TYPE_CHECKING:
    from fairreason.evaluation.folder import Result
    from fairreason.evaluation.gate import Gate
    from fairreason.evaluation.predictions import Scored
    from fairreason.recipe import Recipe

Progress = Callable[[int, int], None]


def train(
    recipe: Recipe, out: str | Path | None = None, data: str | Path | None = None, progress: Progress | None = None
) -> Path:
    """Train and evaluate one recipe in a run folder (default runs/<name>-<fingerprint>) and return the folder.

    Called again it goes on where it stopped, and does nothing once the run is finished. Raises FairReasonError.
    """
    from fairreason.study import run

    if recipe.study is not None:
        raise UsageError("the recipe has a study, which is many runs: use study(), or drop it with --set study=null")
    check_names(recipe)
    check_needs(recipe)
    return run.single(recipe, None if out is None else Path(out), data_folder(data), progress)


def evaluate(
    model: str,
    benchmarks: Sequence[str],
    *,
    backend: str = "huggingface",
    split: str = "test",
    data: str | Path | None = None,
    out: str | Path | None = None,
    samples: int = 1,
    temperature: float = 0.0,
    max_new_tokens: int = 64,
    limit: int | None = None,
    seed: int = 0,
    thinking: str = "on",
    mode: str = "generate",
    revision: str | None = None,
    trust_remote_code: bool = False,
    unsafe_weights: bool = False,
    allow_code_execution: bool = False,
    threads: int = 1,
    base_url: str | None = None,
    concurrency: int | None = None,
    time_limit: float | None = None,
    cache: str | Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Result]:
    """Ask a model the benchmarks' questions and score its answers, by benchmark.

    `model` is lab, a folder, a run folder or a hub name (backend scripted: a JSONL file of answers; openai: the name by
    which the server at `base_url` knows it, asked `concurrency` questions at a time within `time_limit` seconds each).
    `mode` "letters" reads each answer off the letters' probabilities behind the prompt instead of letting the model
    write. With `out` every answer is kept there and a second call goes on where the first one stopped; with `cache` (or
    FAIRREASON_CACHE) no question is asked twice of the same weights and settings. `allow_code_execution` lets programs
    that the model wrote run in a sandbox, in this process from now on. Raises FairReasonError.
    """
    from fairreason import benchmarks as known
    from fairreason.evaluation import evaluate as evaluation
    from fairreason.evaluation.cache import cache_folder
    from fairreason.evaluation.scratch import answers_folder
    from fairreason.grading import sandbox
    from fairreason.models.backends import BACKENDS

    if samples > 1 and temperature == 0:
        raise UsageError("samples above 1 need a temperature above 0: greedy answers are all alike")
    if mode not in ("generate", "letters"):
        raise UsageError(f"unknown mode {mode}; there are generate and letters")
    if backend not in BACKENDS:
        raise UsageError(f"unknown backend {backend}; there are {', '.join(BACKENDS)}")
    folder = data_folder(data)
    asked = [known.get(name) for name in benchmarks]
    if allow_code_execution:
        sandbox.allow()
    for benchmark in asked:
        benchmark.needs()
        benchmark.load(split, folder)  # what is absent is an error now, not after the model's loading
    remote = {"base_url": base_url, "concurrency": concurrency, "time_limit": time_limit}
    remote = {name: value for name, value in remote.items() if value is not None}
    if remote and backend != "openai":
        raise UsageError(f"{min(remote).replace('_', '-')} is for --backend openai, not {backend}")
    local = {"trust_remote_code": trust_remote_code, "unsafe_weights": unsafe_weights}
    options = {"revision": revision, **(remote if backend == "openai" else local)}
    if backend == "huggingface":
        options["threads"] = threads
    with answers_folder(Path(out) if out else None, paid=backend == "openai") as kept:
        return evaluation.evaluate(
            BACKENDS[backend](model, **options),
            asked,
            out=kept,
            split=split,
            data=folder,
            samples=samples,
            temperature=temperature,
            max_new_tokens=max_new_tokens,
            seed=seed,
            thinking=thinking,
            mode=mode,
            limit=limit,
            cache=Path(cache) if cache else cache_folder(),
            progress=progress,
        )


def score(
    benchmark: str,
    predictions: str | Path,
    *,
    split: str | None = None,
    official: bool = False,
    data: str | Path | None = None,
) -> Scored:
    """Score a file of predictions made elsewhere: JSON lines, plain or .gz, as evaluation/predictions.py says.

    `split` names the questions that were asked, None all of the benchmark; `official` scores BBQ as its authors did:
    without the answers that made no choice and the rows that have no target. Raises FairReasonError.
    """
    from fairreason import benchmarks as known
    from fairreason.benchmarks.base import everything
    from fairreason.evaluation import predictions as files

    found = known.get(benchmark)
    found.needs()
    asked = everything(found, data_folder(data), split)
    return files.score(found, files.read(Path(predictions), found, asked), official)


def compare(
    a: str | Path,
    b: str | Path,
    benchmarks: Sequence[str] = (),
    *,
    margin: float = 0.02,
    by_category: bool = False,
    data: str | Path | None = None,
    remark: Callable[[str], None] | None = None,
) -> list[dict[str, Any]]:
    """What changed from run `a` to run `b`, metric by metric: paired difference, interval, p-value, verdict on b.

    Each is a run's or an evaluation's folder, a folder of predictions (`bbq.jsonl`, `math500.jsonl`, ...) or, for one
    benchmark, a file of them; without `benchmarks` all that both hold. `remark(sentence)` is told of answers that were
    unparsed, truncated or failed and of rows, files and benchmarks that were left out. Raises UsageError when they were
    not asked or graded the same, DataError when there is nothing.
    """
    from fairreason.evaluation import compare as comparison
    from fairreason.evaluation import sides

    folder = data_folder(data)
    found = sides.both(Path(a), Path(b), benchmarks, folder)
    if remark:
        for sentence in found.remarks:
            remark(sentence)
    return comparison.compare(found.pairs, margin, by_category)


def check(
    new: str | Path,
    base: str | Path,
    margins: Mapping[str, float] | None = None,
    benchmarks: Sequence[str] = (),
    *,
    data: str | Path | None = None,
    remark: Callable[[str], None] | None = None,
) -> Gate:
    """The release gate: is `new` not worse than `base` by more than a margin on every axis asked for (default F and R
    by .02)? One-sided 95 %, paired, clustered; sides and `remark` as in `compare`. Raises UsageError and DataError."""
    from fairreason.evaluation import gate, sides

    folder = data_folder(data)
    found = sides.both(Path(new), Path(base), benchmarks, folder, same=True)
    if remark:
        for sentence in found.remarks:
            remark(sentence)
    return gate.check(found.pairs, margins)


def study(
    recipe: Recipe,
    out: str | Path = "out/study",
    workers: int = 1,
    data: str | Path | None = None,
) -> dict[str, Any]:
    """Run the recipe's grid in the folder `out`, base first; return study.json's content, failed runs in it.

    Called again it goes on where it stopped and tries failed runs again. Raises FairReasonError.
    """
    from fairreason.study import study as studies

    check_names(recipe)
    check_needs(recipe)
    return studies.study(recipe, Path(out), workers=workers, data=data_folder(data))


def frontier(study: str | Path) -> dict[str, Any]:
    """A study folder's frontier.json: points, which are on the frontier, hypervolume, sweet spot. Raises DataError."""
    path = Path(study) / "frontier.json"
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        raise DataError(f"{study}: no frontier here (frontier.json); give the folder of a study that has run") from None


def report(study: str | Path) -> Path:
    """Write a study folder's report/index.html again and return its path. Raises DataError when nothing has run."""
    from fairreason.study import report as reports

    return reports.build(Path(study))


def check_names(recipe: Recipe) -> None:
    """Every source and benchmark of the recipe exists, sources under their own axis. Raises UsageError."""
    from fairreason import benchmarks

    wanted: dict[tuple[str, str | None], None] = {}
    for one in recipe.expand():
        if one.strategy.type != "none":
            wanted |= {(name, "bias"): None for name in one.mixture.bias}
            wanted |= {(name, "reasoning"): None for name in one.mixture.reasoning}
        wanted |= {(name, None): None for name in one.evaluation.benchmarks}
    for name, axis in wanted:
        own = benchmarks.get(name).axis
        if axis is not None and own != axis:
            raise UsageError(f"mixture.{axis}: {name} belongs under mixture.{own}")


def check_needs(recipe: Recipe) -> None:
    """What grading needs is there, for the benchmarks that are asked and the sources that grpo grades. Raises
    UsageError (a permission) and RunError (a program)."""
    from fairreason import benchmarks

    graded: dict[str, None] = {}
    for one in recipe.expand():
        graded |= dict.fromkeys(one.evaluation.benchmarks)
        if one.strategy.type == "grpo":
            graded |= dict.fromkeys([*one.mixture.bias, *one.mixture.reasoning])
    for name in graded:
        benchmarks.get(name).needs()


def data_folder(data: str | Path | None) -> Path | None:
    """The data folder asked for, else FAIRREASON_DATA. Raises UsageError when it is no folder."""
    chosen = data or os.environ.get("FAIRREASON_DATA")
    if chosen and not Path(chosen).is_dir():
        raise UsageError(f"{chosen}: no such data folder (--data or FAIRREASON_DATA)")
    return Path(chosen) if chosen else None
