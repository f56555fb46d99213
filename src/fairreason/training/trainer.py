"""What every strategy's trainer does the same way, mixed into TRL's own class: data order, steps, logs, checkpoints.

TRL keeps the loop, the loss, the optimizer. Here stand only the joints: the sampler's batches as data loader, a loss
that is not finite as an error, one metrics row a step, and checkpoints a killed run goes on from with the same numbers.
A checkpoint counts only with `fairreason.json` in it, which is written last: sampler, controller and costs right after
that step (the loader reads ahead, so the sampler itself is further on).
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from fairreason.data.sampler import Sampler
from fairreason.errors import RunError
from fairreason.files import append_lines, iter_jsonl, recover_lines, write_atomic, write_json
from fairreason.training.batches import BatchStream, Rows
from fairreason.training.metrics import Costs, Step

STATE, CHECKPOINTS, WARMUP = "fairreason.json", "trainer", 0.05
Progress = Callable[[int, int], None]


@dataclass
class Run:
    """What a run's trainer works on and what it keeps count of. `folder` is the run's folder."""

    folder: Path
    rows: Rows
    sampler: Sampler
    stream: BatchStream
    progress: Progress | None = None
    step: Step = field(default_factory=Step)
    costs: Costs = field(default_factory=Costs)
    since: float = field(default_factory=time.perf_counter)

    @property
    def checkpoints(self) -> Path:
        return self.folder / CHECKPOINTS

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.jsonl"

    def resume(self) -> Path | None:
        """Puts sampler, costs and metrics back to the last whole checkpoint; None where the run starts anew."""
        last = last_checkpoint(self.checkpoints)
        step = 0
        if last is not None:
            state = next(iter_jsonl(last / STATE))
            step, self.costs = state["step"], Costs(**state["costs"])
            self.sampler.load_state_dict(state["sampler"])
        keep_rows(self.metrics, step)
        self.since = time.perf_counter()
        return last

    def state(self, step: int) -> dict[str, Any]:
        now = time.perf_counter()
        self.costs.seconds, self.since = self.costs.seconds + now - self.since, now
        return {"step": step, "sampler": self.sampler.state_after(step), "costs": asdict(self.costs)}


class PlainTrainer:
    """To be mixed in before a TRL trainer's class: our learning rate's shape, no report to the hub, no counting."""

    lr_scheduler: Any

    def create_scheduler(self: Any, num_training_steps: int, optimizer: Any = None) -> LambdaLR:
        if self.lr_scheduler is None:
            steps = num_training_steps
            self.lr_scheduler = LambdaLR(optimizer or self.optimizer, lambda done: rate(done, steps))
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def _send_telemetry(self: Any) -> None:
        """None: TRL would report every trainer's start to the hub."""

    def floating_point_ops(self: Any, inputs: Any) -> int:
        """Not counted: the trainer would walk over all modules at every step."""
        return 0


class MixedTrainer(PlainTrainer):
    """PlainTrainer on a run's batches. Set `run` before `train`."""

    run: Run

    def get_train_dataloader(self: Any) -> DataLoader:
        loader = DataLoader(
            self.train_dataset,
            batch_sampler=self.run.stream,
            collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
        )
        return self.accelerator.prepare(loader)

    def training_step(self: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        loss = super().training_step(*args, **kwargs)  # type: ignore[misc]
        if not math.isfinite(loss.item()):
            self._not_finite("loss", loss.item())
        return loss

    def log(self: Any, logs: dict[str, float], start_time: float | None = None) -> None:
        if "loss" in logs and "learning_rate" in logs:
            step, run = self.state.global_step, self.run
            if not math.isfinite(logs.get("grad_norm", 0.0)):
                self._not_finite("gradient", logs["grad_norm"])
            row = run.step.row(step, self.state.max_steps, logs["loss"], logs["learning_rate"], logs.get("grad_norm"))
            append_lines(run.metrics, [row])
            run.sampler.observe(step, row)
            run.step = Step()
            if run.progress is not None:
                run.progress(step, self.state.max_steps)
        super().log(logs, start_time)  # type: ignore[misc]

    def _not_finite(self: Any, what: str, value: float) -> None:
        raise RunError(
            f"the {what} is {value} at step {self.state.global_step + 1} (learning rate {self.args.learning_rate:g}). "
            "Try a smaller strategy learning_rate"
        )

    def _save_checkpoint(self: Any, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)  # type: ignore[misc]
        step = self.state.global_step
        kept = self.run.checkpoints / f"{PREFIX_CHECKPOINT_DIR}-{step}"
        write_json(kept / STATE, self.run.state(step), indent=None)
        for folder in self.run.checkpoints.glob(f"{PREFIX_CHECKPOINT_DIR}-*"):
            if folder != kept:
                shutil.rmtree(folder)

    def _load_from_checkpoint(self: Any, resume_from_checkpoint: str, model: Any = None) -> None:
        """The checkpoint's weights as the model's own class reads them. Transformers' Trainer takes names as they are
        stored, finds none where a class stores others than it uses (Qwen2.5-VL), and goes on with the base's."""
        model = self.model if model is None else model
        if isinstance(model, PeftModel) or self.is_fsdp_enabled:
            return super()._load_from_checkpoint(resume_from_checkpoint, model)  # type: ignore[misc]
        stored = type(model).from_pretrained(resume_from_checkpoint, dtype=model.dtype)
        model.load_state_dict(stored.state_dict())

    def create_model_card(self: Any, *args: Any, **kwargs: Any) -> None:
        """None: TRL would write one into every checkpoint."""


def rate(done: int, steps: int) -> float:
    """The learning rate's factor after `done` steps: a linear warmup over the first twentieth, then linear down to 0.
    Neither the first step nor the last has factor 0, so no batch is wasted.

    >>> [rate(done, 4) for done in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    """
    warmup = int(WARMUP * steps)
    return (done + 1) / (warmup + 1) if done < warmup else (steps - done) / (steps - warmup)


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint; what a kill left half written is removed."""
    found: dict[int, Path] = {}
    for path in folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*"):
        if (path / STATE).exists():
            found[int(path.name.rpartition("-")[2])] = path
        else:
            shutil.rmtree(path)
    return found[max(found)] if found else None


def keep_rows(path: Path, step: int) -> None:
    """Cut metrics.jsonl back to the rows of the steps that are not trained again."""
    if not path.exists():
        return
    recover_lines(path)
    lines = path.read_text().splitlines(keepends=True)
    write_atomic(path, "".join(lines[:step]))
