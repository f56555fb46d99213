"""How long an optimizer step takes through our trainers, against TRL's own on the same rows, model and settings.

    python benchmarks_speed/training_step.py [MODEL] [--steps 6] [--threads 1]

Text rows only, because TRL's sampling trainers do not take a batch of text and pictures. Ours and theirs run in turns
(A B B A), each `steps` steps after one that does not count; printed are the medians and their ratio (below 1: ours is
faster). CPU seconds of the process, so that other work on the machine counts less.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, disable_progress_bars
from transformers import TrainerCallback
from transformers.trainer_callback import PrinterCallback
from trl import DistillationConfig, DistillationTrainer, GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

from fairreason.benchmarks.base import answer_text, prompt_text
from fairreason.data.mixture import Mixture, build
from fairreason.models.load import load
from fairreason.recipe import Recipe
from fairreason.training.batches import Rows
from fairreason.training.settings import common, scoring_what_is_trained
from fairreason.training.targets import own_solution, target
from fairreason.training.train import STRATEGIES, quiet, stream
from fairreason.training.trainer import Run

CASES: dict[str, dict[str, Any]] = {
    "sft": {"type": "sft"},
    "grpo": {"type": "grpo", "grpo": {"completions": 8}},
    "kd on_policy": {"type": "kd", "kd": {"mode": "on_policy"}},
}


class Clock(TrainerCallback):
    """CPU seconds of each optimizer step, from one step's end to the next."""

    def __init__(self) -> None:
        self.marks: list[float] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.marks.append(time.process_time())

    def steps(self) -> list[float]:
        return [after - before for before, after in zip(self.marks, self.marks[1:], strict=False)]


def recipe(model: str, case: str, steps: int) -> Recipe:
    return Recipe.parse(
        {
            "model": model,
            "mixture": {"size": 40 * steps, "bias": {"lab-bias": 1}, "reasoning": {"lab-math": 1}},
            "strategy": {"save_every": 10_000, **CASES[case], "kd": {**CASES[case].get("kd", {}), "teacher": model}},
        }
    )


def ours(asked: Recipe, folder: Path) -> Any:
    loaded, mixture = load(asked.model), build(asked)
    rows = Rows(loaded, mixture.examples, asked.thinking, keep=200)
    return STRATEGIES[asked.strategy.type](asked, Run(folder, rows, mixture.sampler, stream(asked, mixture)), loaded)


def theirs(asked: Recipe, folder: Path) -> Any:
    """TRL's trainer as its documentation sets it up, on the same rows in the same batches."""
    loaded, mixture = load(asked.model), build(asked)
    strategy, steps = asked.strategy, len(mixture.sampler)
    prompts = drawn(mixture)
    rest = {"processing_class": loaded.processor, "train_dataset": Dataset.from_list(prompts)}
    if strategy.type == "sft":
        settings = common(asked, folder, steps, strategy.batch, 1, strategy.sft.learning_rate)
        return SFTTrainer(loaded.model, SFTConfig(**settings, max_length=None), **rest)
    if strategy.type == "grpo":
        own = strategy.grpo
        settings = common(asked, folder, steps, strategy.batch * own.completions, 1, own.learning_rate)
        limits = {"num_generations": own.completions, "max_completion_length": own.max_new_tokens, "beta": 0.0}
        config = GRPOConfig(**settings, **limits, scale_rewards="none")
        return GRPOTrainer(loaded.model, args=config, reward_funcs=of_even_length, **rest)
    settings = common(asked, folder, steps, strategy.batch, 1, strategy.kd.learning_rate)
    config = DistillationConfig(**settings, max_completion_length=strategy.kd.max_new_tokens)
    return DistillationTrainer(loaded.model, load(asked.strategy.kd.teacher).model, config, **rest)


def drawn(mixture: Mixture) -> list[dict[str, Any]]:
    """The run's rows in order, as TRL's conversations."""
    rows = []
    for row in mixture.rows():
        example = mixture.examples[row]
        reasoning, _ = target(example, own_solution)
        answer = f"<think>\n{reasoning}\n</think>\n\n{answer_text(example)}"
        rows.append(
            {
                "prompt": [{"role": "user", "content": prompt_text(example)}],
                "completion": [{"role": "assistant", "content": answer}],
            }
        )
    return rows


def of_even_length(completions: list[Any], **_: Any) -> list[float]:
    """A reward that costs nothing and differs within a group, so that no row can be left out."""
    return [float(len(str(completion)) % 2) for completion in completions]


def timed(make: Callable[[Recipe, Path], Any], asked: Recipe) -> list[float]:
    with tempfile.TemporaryDirectory() as folder, quiet():
        torch.manual_seed(0)
        trainer = make(asked, Path(folder))
        trainer.remove_callback(PrinterCallback)
        trainer.args.save_strategy = "no"
        clock = Clock()
        trainer.add_callback(clock)
        with scoring_what_is_trained() if make is ours else contextlib.nullcontext():
            trainer.train()
    return clock.steps()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="lab")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--case", choices=CASES, action="append")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    disable_progress_bars()
    print(f"{'strategy':14} {'ours s':>8} {'TRL s':>8} {'ratio':>7}")
    for case in options.case or CASES:
        asked = recipe(options.model, case, options.steps + 1)
        a1, b1, b2, a2 = (timed(make, asked) for make in (ours, theirs, theirs, ours))
        mine, bare = statistics.median(a1 + a2), statistics.median(b1 + b2)
        print(f"{case:14} {mine:8.3f} {bare:8.3f} {mine / bare:7.2f}", flush=True)


if __name__ == "__main__":
    main()
