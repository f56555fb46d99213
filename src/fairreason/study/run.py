"""One run: a recipe trained and evaluated in a folder of its own, that can be resumed and is skipped when finished.

recipe.json     the recipe, everything written out
state.json      status (running, finished, failed), reason, cost, collapsed_at, commit; written last
metrics.jsonl, training.json, checkpoint/, trainer/    by training/train.py
evaluation/<benchmark>/                                by evaluation/evaluate.py
"""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairreason.errors import FairReasonError, RunError, UsageError
from fairreason.files import disk_is_full, is_temporary, sweep, write_json
from fairreason.locks import locked
from fairreason.recipe import Recipe
from fairreason.training.metrics import COLLAPSE_RATE

if TYPE_CHECKING:
    from fairreason.evaluation.folder import Result

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, done, of)."""

WAIT_FOR_ORPHAN = 60.0  # seconds: a child whose study was killed sees that at once and ends
MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "defaultcpuallocator", "bad_alloc")


def single(
    recipe: Recipe, out: Path | None, data: Path | None, progress: Callable[[int, int], None] | None = None
) -> Path:
    """One recipe in a run folder (default runs/<name>-<fingerprint>), in this process; returns the folder.

    Raises what fails, after it is written into state.json.
    """
    from fairreason.study.identity import Identity

    identity = Identity(data)
    fingerprint = identity.fingerprint(recipe)
    folder = out or Path("runs") / f"{recipe.name()}-{fingerprint}"
    check_own(folder, {"recipe.json", "state.json"}, "run")
    with locked(folder):
        if read_state(folder).get("fingerprint", fingerprint) != fingerprint:
            raise RunError(f"{folder}: holds the run of another recipe. Name another folder")
        prepare(folder, identity.settled(recipe))
    told = None if progress is None else lambda _, done, of: progress(done, of)
    execute(folder, fingerprint, data, told, wait=0)
    return folder


def check_own(folder: Path, known: set[str], what: str) -> None:
    """A run and a study go into folders of their own: new, empty, or one of theirs, told by one of the names in it.
    Raises UsageError."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file. Name a folder for the {what}")
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    names = {name for name in names if name != ".lock" and not is_temporary(name)}
    if names and not names & known:
        raise UsageError(f"{folder}: holds other files ({min(names)}, ...). Name a new folder or a {what}'s")


def prepare(folder: Path, recipe: Recipe) -> None:
    """Makes the folder and writes recipe.json into it; a finished run keeps the one that it ran."""
    if read_state(folder).get("status") != "finished":
        write_json(folder / "recipe.json", recipe.to_dict())


def execute(
    folder: Path, fingerprint: str, data: Path | None, progress: Progress | None = None, wait: float = WAIT_FOR_ORPHAN
) -> None:
    """Does what the folder's recipe says, as far as it is not done yet. A failure is written down and raised again."""
    with locked(folder, wait):
        before = read_state(folder)
        if before.get("status") == "finished":
            return
        since, earlier = time.perf_counter(), before.get("seconds") or 0.0
        common = {"fingerprint": fingerprint}
        sweep(folder)
        write_state(folder, {"status": "running", **common, "seconds": earlier})
        try:
            result = _train_and_evaluate(read_recipe(folder), folder, data, progress)
        except Exception as error:  # to write it down; Ctrl-C leaves the run `running`, to be taken up again
            seconds = earlier + time.perf_counter() - since
            write_state(folder, {"status": "failed", "reason": reason_of(error), **common, "seconds": seconds})
            raise
        seconds = earlier + time.perf_counter() - since
        write_state(folder, {"status": "finished", "reason": None, **common, **result, "seconds": seconds})


def _train_and_evaluate(recipe: Recipe, folder: Path, data: Path | None, progress: Progress | None) -> dict[str, Any]:
    from fairreason.evaluation.cache import cache_folder
    from fairreason.evaluation.evaluate import evaluate
    from fairreason.models.backends.huggingface import HuggingFaceBackend
    from fairreason.models.load import load

    cost, collapsed, model, revision = {}, None, recipe.model, recipe.revision
    if recipe.strategy.type != "none":
        from fairreason.training.train import train

        trained = train(recipe, folder, data, None if progress is None else lambda n, of: progress("training", n, of))
        cost = {
            key: getattr(trained, key)
            for key in ("steps", "prompt_tokens", "trained_tokens", "sampled_tokens", "seconds")
        }
        collapsed, model, revision = trained.collapsed_at, str(folder / "checkpoint"), None
    loaded = load(
        model,
        revision=revision,
        trust_remote_code=recipe.trust_remote_code,
        unsafe_weights=recipe.unsafe_weights,
        threads=recipe.threads,
    )
    settings = recipe.evaluation
    results = evaluate(
        HuggingFaceBackend(loaded, settings.batch_tokens),
        settings.benchmarks,
        out=folder / "evaluation",
        split=settings.split,
        cut=recipe.mixture.split,
        data=data,
        samples=settings.samples,
        temperature=settings.temperature,
        max_new_tokens=settings.max_new_tokens,
        seed=recipe.seed,
        thinking=recipe.thinking,
        limit=settings.limit,
        cache=cache_folder(),
        progress=_counted(len(settings.benchmarks), progress),
    )
    if collapsed is None and cost and always_unknown(results.values()):
        collapsed = cost["steps"]
    commit = recipe.revision if cost else loaded.commit
    return {"cost": cost, "collapsed_at": collapsed, "commit": commit, "dtype": str(loaded.model.dtype)}


def always_unknown(results: Iterable[Result]) -> bool:
    """Whether disambiguated questions are answered "unknown" more often than the collapse rule allows. Training without
    samples (sft, kd with traces) can show a collapse only here."""
    rates = [
        score.value
        for result in results
        for score in result.scores
        if score.metric == "unknown_rate" and score.condition == "disambig" and score.category is None
    ]
    known = [rate for rate in rates if rate is not None]
    return bool(known) and sum(known) / len(known) > COLLAPSE_RATE


def _counted(benchmarks: int, progress: Progress | None) -> Callable[[str, int, int], None] | None:
    """Progress over all benchmarks, in thousandths, from the progress of each."""
    if progress is None:
        return None
    order: list[str] = []

    def report(name: str, done: int, of: int) -> None:
        if name not in order:
            order.append(name)
        progress("evaluation", round(1000 * (order.index(name) + done / max(of, 1))), 1000 * benchmarks)

    return report


def out_of_memory(error: BaseException) -> bool:
    """Whether the machine's memory or the GPU's was too small, whatever library says so."""
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in MEMORY)


def reason_of(error: BaseException) -> str:
    """A failure in one line: what went wrong, for state.json and the report."""
    text = " ".join(str(error).split())
    if out_of_memory(error):
        return f"out of memory: {text[:300]}".rstrip(": ")
    if isinstance(error, FairReasonError):
        return text
    if disk_is_full(error):
        return "the disk is full"
    where = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(where[-1].filename).name}:{where[-1].lineno}" if where else ""
    return f"{type(error).__name__}: {text[:300]}{place}"


def read_recipe(folder: Path) -> Recipe:
    return Recipe.parse(json.loads((folder / "recipe.json").read_text()), where=str(folder / "recipe.json"))


def read_state(folder: Path) -> dict[str, Any]:
    """state.json, {} where there is none yet."""
    try:
        return json.loads((folder / "state.json").read_text())
    except (OSError, ValueError):
        return {}


def write_state(folder: Path, state: dict[str, Any]) -> None:
    write_json(folder / "state.json", state)
