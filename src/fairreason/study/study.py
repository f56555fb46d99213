"""A study: the base first, then every run of the grid, each in its own folder and process; then their common numbers.

Everything is decided by what lies in the folder: a finished run is never run again, anything else is taken up where it
stopped, a failed run is tried again. The lock is the kernel's, so a killed study leaves none behind.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairreason import __version__
from fairreason.errors import RunError, UsageError
from fairreason.files import sweep, write_json
from fairreason.locks import locked
from fairreason.recipe import Recipe
from fairreason.study.executors import Event, Executor, Local, Task
from fairreason.study.identity import Identity
from fairreason.study.points import Evaluated, configuration, point_names
from fairreason.study.progress import Progress
from fairreason.study.results import load_examples, write_frontier, write_questions, write_results
from fairreason.study.run import check_own, prepare, read_state, write_state

PICTURES = "pictures.json"


@dataclass(frozen=True)
class Planned:
    """A run of the study, where it lies, and the name of the point that it belongs to."""

    recipe: Recipe
    fingerprint: str
    folder: Path
    point: str

    @property
    def name(self) -> str:
        return self.folder.name


def study(
    recipe: Recipe, out: Path, *, workers: int = 1, data: Path | None = None, executor: Executor | None = None
) -> dict[str, Any]:
    """Runs what is not finished yet and writes study.json, results.csv and frontier.json; returns study.json's content.

    A failed run is in it with status and reason. Raises UsageError for what cannot work, RunError when the folder is
    taken or the base's own run fails, DataError and ModelError for what is absent.
    """
    if recipe.study is None:
        raise UsageError("the recipe has no study. Give it study.grid, or train it alone")
    if workers < 1:
        raise UsageError(f"--workers must be at least 1, got {workers}")
    check_own(out, {"study.json", "workers.log", PICTURES}, "study")
    with locked(out):
        sweep(out)
        planned = plan(recipe, out, data)
        _Conduct(recipe, out, planned, workers, data, executor).run()
        return _write_study(recipe, out, planned)


def plan(recipe: Recipe, out: Path, data: Path | None) -> list[Planned]:
    """The base's run, then the grid's, with their folders; a hub name is settled at one commit."""
    identity = Identity(data, pictures=out / PICTURES)
    settled: dict[str, Recipe] = {}
    for one in recipes_of(recipe):
        settled.setdefault(identity.fingerprint(one), identity.settled(one))
    names = point_names(list(settled.values()))
    return [
        Planned(one, fingerprint, out / "runs" / f"{one.name()}-{fingerprint}", names[configuration(one)])
        for fingerprint, one in settled.items()
    ]


def recipes_of(recipe: Recipe) -> list[Recipe]:
    """The base's recipe, then those of the grid and the points. Raises UsageError where they cannot be compared."""
    recipes = [base_of(recipe), *recipe.expand()]
    _asked_alike(recipes)
    return recipes


def _asked_alike(recipes: Sequence[Recipe]) -> None:
    """Numbers with different settings are never compared. Raises UsageError, naming what differs."""
    first = recipes[0]
    for one in recipes:
        if one.strategy.type != "none" and (one.model, one.revision) != (first.model, first.revision):
            raise UsageError(
                f"{one.model} is trained in a study whose base is {first.model}, but the reasoning that is kept is "
                "measured against the base; make it two studies"
            )
        if one.thinking != first.thinking:
            raise UsageError(f"thinking is {first.thinking} and {one.thinking} in one study; make it two studies")
        if one.mixture.split != first.mixture.split:
            raise UsageError("mixture.split is cluster and rows in one study; make it two studies")
        for key in ("benchmarks", "split", "samples", "temperature", "max_new_tokens", "limit"):
            ours, theirs = getattr(first.evaluation, key), getattr(one.evaluation, key)
            if ours != theirs:
                raise UsageError(f"evaluation.{key} is {ours} and {theirs} in one study; make it two studies")


def base_of(recipe: Recipe) -> Recipe:
    """The untouched model, asked the same questions in the same way."""
    return recipe.with_changes({"strategy": {"type": "none"}, "study": None})


class _Conduct:
    """One call's work on the study's runs."""

    def __init__(
        self,
        recipe: Recipe,
        out: Path,
        planned: Sequence[Planned],
        workers: int,
        data: Path | None,
        executor: Executor | None,
    ) -> None:
        self.recipe, self.out, self.planned = recipe, out, planned
        todo = [run for run in planned if not _finished(run)]
        self.data = data
        self.executor = executor or Local(max(1, min(workers, len(todo))), out / "workers.log")
        kinds = [f"{run.recipe.strategy.label()} {run.recipe.model}" for run in todo]
        self.progress = Progress([run.name for run in todo], kinds, workers)
        self.todo = todo

    def run(self) -> None:
        _write_study(self.recipe, self.out, self.planned)  # first: it says that the folder is a study's
        if others := _others(self.out, self.planned):
            self.progress.line(f"{self.out}: the tables leave out {others} finished runs of other recipes; they stay")
        for run in self.planned:
            prepare(run.folder, run.recipe)
        base = self.planned[0]
        try:
            if not _finished(base):
                self._carry_out([base])
            if not _finished(base):
                reason = read_state(base.folder).get("reason")
                raise RunError(
                    f"{base.folder}: the base could not be evaluated ({reason}). The same command tries again"
                )
            rest = [run for run in self.todo if run is not base]
            if rest:
                self._carry_out(rest)
        finally:
            self.executor.close()
            self.progress.close()
        self._conclude()

    def _carry_out(self, runs: Sequence[Planned]) -> None:
        tasks = [Task(run.folder.resolve(), run.fingerprint, self.data and self.data.resolve()) for run in runs]
        self.executor.run(tasks, self._report, self.progress.show)

    def _report(self, task: Task, event: Event) -> None:
        name = task.folder.name
        if event.kind == "begin":
            self.progress.begin(name)
        elif event.kind == "progress":
            self.progress.report(name, event.what, event.done, event.of)
        else:
            self.progress.end(name, _settle(task, event.code))
        if event.kind != "progress":
            _write_study(self.recipe, self.out, self.planned)

    def _conclude(self) -> None:
        base, *rest = self.planned
        finished = [run.folder for run in rest if _finished(run)]
        failed = [
            {"run": run.name, "reason": read_state(run.folder).get("reason")} for run in rest if not _finished(run)
        ]
        examples = load_examples(self.recipe, self.data)
        write_results(self.out, [base.folder, *finished], self.recipe.marks)
        write_questions(self.out, base.folder, examples)
        names = {configuration(run.recipe): run.point for run in self.planned}
        write_frontier(self.out, self.recipe, base.folder, finished, failed, examples, names)


def _others(out: Path, planned: Sequence[Planned]) -> int:
    """How many finished runs lie in the study's folder that its recipe does not ask for."""
    names = {run.name for run in planned}
    found = (out / "runs").glob("*/state.json")
    return sum(read_state(path.parent).get("status") == "finished" for path in found if path.parent.name not in names)


def _settle(task: Task, code: int) -> str | None:
    """None when the task's run is finished, else its reason, written down where the run could not do so itself."""
    state = read_state(task.folder)
    if state.get("status") == "finished":
        return None
    if state.get("status") != "failed" or code < 0:
        reason = _killed(code) if code < 0 else f"ended with exit code {code}; log.txt or workers.log says more"
        state = {**state, "status": "failed", "reason": reason, "fingerprint": task.fingerprint}
        write_state(task.folder, state)
    return state["reason"]


def _killed(code: int) -> str:
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    more = "; often the system's answer to a full memory" if name == "SIGKILL" else ""
    return f"its process was killed ({name}{more})"


def _finished(run: Planned) -> bool:
    return read_state(run.folder).get("status") == "finished"


def _write_study(recipe: Recipe, out: Path, planned: Sequence[Planned]) -> dict[str, Any]:
    content = {
        "version": __version__,
        "recipe": recipe.to_dict(),
        "recipe_yaml": recipe.to_yaml(),
        "runs": [_run_row(run) for run in planned],
    }
    write_json(out / "study.json", content)
    return content


def _run_row(run: Planned) -> dict[str, Any]:
    state = read_state(run.folder)
    return {
        "name": run.name,
        "folder": f"runs/{run.name}",
        "point": run.point,
        "strategy": run.recipe.strategy.type,
        "label": run.recipe.strategy.label(),
        "model": run.recipe.model,
        "bias_share": Evaluated(run.name, run.recipe, {}).share,
        "seed": run.recipe.seed if run.recipe.strategy.type != "none" else None,
        "status": state.get("status", "waiting"),
        "reason": state.get("reason"),
        "seconds": state.get("seconds"),
    }
