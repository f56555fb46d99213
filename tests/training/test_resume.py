"""SIGKILL at any moment, then the same call: the same weights and the same metrics as a run that never stopped."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rows import asked, mixture

from fairreason.training import train as training
from fairreason.training import trainer
from fairreason.training.train import train_on

STRATEGIES = {
    "sft": {"type": "sft"},
    "kd": {"type": "kd", "micro_batch": 4},
    "kd on_policy": {"type": "kd", "kd": {"mode": "on_policy", "max_new_tokens": 16}},
    "grpo": {"type": "grpo", "grpo": {"completions": 4, "max_new_tokens": 16}},
    "grpo lora": {"type": "grpo", "lora": {"rank": 2, "dropout": 0.1}, "micro_batch": 8},
}
STEPS = 5  # of 8 rows, the last of 4; a checkpoint every second step


def chosen(name, model, teacher):
    strategy = json.loads(json.dumps(STRATEGIES[name]))
    strategy.setdefault("kd", {})["teacher"] = str(teacher)
    return asked(model, size=36, **{**strategy, "save_every": 2})


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def killed_at(moment):
    """Arms this process to be killed at one moment of the training."""
    kind, count = moment
    if kind == "step":
        return lambda step, steps: die() if step == count else None
    left = [count]

    def counted(original):
        def call(*args, **kwargs):
            left[0] -= 1
            return die() if not left[0] else original(*args, **kwargs)

        return call

    if kind == "before a checkpoint counts":
        trainer.write_json = counted(trainer.write_json)
    elif kind == "while checkpoints are cleared":
        trainer.shutil.rmtree = counted(trainer.shutil.rmtree)
    elif kind == "before the result is written":
        training.write_json = counted(training.write_json)
    elif kind == "before the model is in place":
        written = training.write_json
        training.write_json = lambda *args, **kwargs: (written(*args, **kwargs), die())
    return None


def run_and_die(recipe, folder, moment, rows=None):
    """A forked process trains until it is killed. True if it was."""
    child = os.fork()
    if child == 0:
        try:
            train_on(recipe, rows or mixture(recipe), folder, killed_at(moment))
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def state(folder):
    return (folder / "metrics.jsonl").read_text(), {
        path.name: path.read_bytes() for path in (folder / "checkpoint").iterdir()
    }


MOMENTS = [
    [("step", 1), ("step", 3)],
    [("before a checkpoint counts", 2), ("while checkpoints are cleared", 1), ("before the result is written", 1)],
    [("before the model is in place", 1)],
]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_killed_run_ends_like_one_that_never_stopped(name, taught_vl, tiny_vl, tmp_path):
    recipe = chosen(name, taught_vl / "checkpoint", tiny_vl)
    result = train_on(recipe, mixture(recipe), tmp_path / "whole")
    assert result.steps == STEPS
    for number, moments in enumerate(MOMENTS):
        folder = tmp_path / f"killed-{number}"
        for moment in moments:
            assert run_and_die(recipe, folder, moment), moment
        again = train_on(recipe, mixture(recipe), folder)
        assert state(folder) == state(tmp_path / "whole")
        assert dataclasses.replace(again, seconds=0) == dataclasses.replace(result, seconds=0)


class Feedback:
    """Steers by what was measured: half the share that the last step it knows of had in its loss's digits."""

    def __init__(self):
        self.seen = []

    def share(self, progress):
        return 0.5 if not self.seen else 0.25 + 0.5 * (self.seen[-1] * 1000 % 1)

    def observe(self, metrics):
        self.seen.append(metrics["loss"])

    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state):
        self.seen = list(state["seen"])


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("name", ["sft", "kd", "grpo"])
def test_a_controller_that_steers_by_feedback_is_resumed_exactly(name, taught_vl, tiny_vl, tmp_path):
    recipe = asked(taught_vl / "checkpoint", size=64, **{**STRATEGIES[name], "save_every": 2})

    def steered():
        made = mixture(recipe)
        made.sampler.controller = Feedback()
        return made

    whole = steered()
    train_on(recipe, whole, tmp_path / "whole")
    assert len(whole.sampler.controller.seen) == 6  # eight batches: the last one is drawn when step 6 is done
    assert run_and_die(recipe, tmp_path / "killed", ("step", 3), steered())
    assert run_and_die(recipe, tmp_path / "killed", ("step", 7), steered())
    train_on(recipe, steered(), tmp_path / "killed")
    assert state(tmp_path / "killed") == state(tmp_path / "whole")


def test_killed_from_outside_and_taken_up_by_another_process(taught_vl, tmp_path):
    """Fresh interpreters, killed when the metrics show a step: nothing lives on in memory."""
    recipe = chosen("grpo", taught_vl / "checkpoint", taught_vl)
    train_on(recipe, mixture(recipe), tmp_path / "whole")
    program = (
        "import json, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from rows import mixture; from fairreason.recipe import Recipe;"
        "from fairreason.training.train import train_on;"
        "recipe = Recipe.parse(json.loads(sys.argv[2])); train_on(recipe, mixture(recipe), Path(sys.argv[3]))"
    )
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", program, here, json.dumps(recipe.to_dict()), str(tmp_path / "killed")]
    metrics = tmp_path / "killed" / "metrics.jsonl"
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while child.poll() is None and (not metrics.exists() or metrics.read_bytes().count(b"\n") < 3):
        time.sleep(0.005)
    child.kill()
    child.wait()
    assert subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0
    assert state(tmp_path / "killed") == state(tmp_path / "whole")
