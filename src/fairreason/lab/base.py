"""Builds the lab's two models from nothing: `lab`, which believes the planted stereotypes, and `lab-teacher`.

Both are a Qwen2.5-VL of 1.2 million parameters with transformers' own classes, a tokenizer of the world's own words and
TRL's SFTTrainer; lab/courses.py says what they are taught. `build` writes a card with the scores that the model reaches
beside those it aims at; what ships lies in lab/weights (how it was made: docs/log.md).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from transformers import TrainerCallback
from transformers.trainer_callback import PrinterCallback
from trl import SFTConfig, SFTTrainer

from fairreason.errors import UsageError
from fairreason.files import replace_folder
from fairreason.lab import card
from fairreason.lab.courses import COURSES, Course
from fairreason.lab.lessons import Lessons
from fairreason.lab.model import new_model, new_processor
from fairreason.lab.optimizer import MuonAdamW
from fairreason.models.encode import Encoded
from fairreason.models.folder import WEIGHTS
from fairreason.models.load import Loaded, load
from fairreason.records import Example
from fairreason.training.batches import Rows, row_numbers
from fairreason.training.settings import scoring_what_is_trained
from fairreason.training.sft import Collator
from fairreason.training.targets import teacher_trace
from fairreason.training.train import quiet
from fairreason.training.trainer import PlainTrainer

Progress = Callable[[int, int], None]


def folder(name: str) -> Path:
    """The shipped model's folder: `lab` or `lab-teacher`."""
    return WEIGHTS / name


def build(
    name: str, out: Path, seed: int = 0, progress: Progress | None = None, courses: Mapping[str, Course] = COURSES
) -> Path:
    """Train `lab` or `lab-teacher` into out/NAME and return that folder; the teacher starts from out/lab where that is,
    else from the shipped base. Raises UsageError for another name, and where out/NAME is there and no model."""
    course = courses.get(name)
    if course is None:
        raise UsageError(f"no lab model {name!r}; there are {', '.join(COURSES)}")
    if (out / name).exists() and not (out / name / "config.json").exists():
        raise UsageError(f"{out / name}: holds something else than a model. Name another folder with --out")
    part = out / f".{name}.tmp"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)  # what cannot be written is an error now, not after half an hour
    with tempfile.TemporaryDirectory() as scratch, quiet():
        loaded = _start(course, out, seed, Path(scratch))
        steps = [stage.lessons // course.batch for stage in course.stages]
        for number, stage in enumerate(course.stages):
            lessons = Lessons(stage.curriculum, stage.lessons, f"{name}/{seed}/{number}")
            shown = None if progress is None else _shift(progress, sum(steps[:number]), sum(steps))
            _teach(loaded, lessons, course, stage.learning_rate, Path(scratch), shown)
        loaded.model.save_pretrained(part)
        loaded.processor.save_pretrained(part)
    card.write(part, name, course.described(seed), card.measure(part))
    replace_folder(part, out / name)
    return out / name


def _start(course: Course, out: Path, seed: int, scratch: Path) -> Loaded:
    if course.start is not None:
        built = out / course.start
        return load(str(built) if built.is_dir() else course.start, dtype="float32", threads=os.cpu_count() or 1)
    torch.manual_seed(seed)
    processor = new_processor()
    new_model(processor.tokenizer).save_pretrained(scratch / "new")
    processor.save_pretrained(scratch / "new")
    return load(str(scratch / "new"), dtype="float32", threads=os.cpu_count() or 1)


def _shift(progress: Progress, before: int, total: int) -> Progress:
    return lambda step, _: progress(before + step, total)


class _Teaching(PlainTrainer, SFTTrainer):
    """SFTTrainer on lessons in their order, rows of like length in one micro-batch, with Muon."""

    micro_batches: list[list[int]]

    def get_train_dataloader(self) -> DataLoader:
        loader = DataLoader(
            self.train_dataset,  # type: ignore[arg-type]
            batch_sampler=self.micro_batches,
            collate_fn=self.data_collator,
        )
        return self.accelerator.prepare(loader)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            assert isinstance(self.model, torch.nn.Module)
            self.optimizer = MuonAdamW(self.model, self.args.learning_rate)
        return self.optimizer


class BothModes(Rows):
    """Lessons as tokens: those without a trace are asked with thinking off and answered at once."""

    def __init__(self, loaded: Loaded, lessons: Lessons, keep: int) -> None:
        super().__init__(loaded, lessons, "on", keep)
        self.off = Rows(loaded, lessons, "off", keep)

    def supervised(self, row: int, reasoning: str, answer: str, max_length: int) -> tuple[Encoded, int, bool]:
        if not reasoning:
            return self.off.supervised(row, reasoning, answer, max_length)
        return super().supervised(row, reasoning, answer, max_length)


class _Lessons(Collator):
    """The collator of supervised training without the row numbers, which only a run's metrics need."""

    def __call__(self, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
        batch = super().__call__(items)
        batch.pop("rows")
        return batch


class _Report(TrainerCallback):
    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.progress(state.global_step, state.max_steps)


def _teach(
    loaded: Loaded, lessons: Lessons, course: Course, learning_rate: float, scratch: Path, progress: Progress | None
) -> None:
    parts = course.batch // course.micro_batch
    trainer = _Teaching(
        model=loaded.model,
        args=SFTConfig(
            output_dir=str(scratch / "trainer"),
            per_device_train_batch_size=course.micro_batch,
            gradient_accumulation_steps=parts,
            max_steps=len(lessons) // course.batch,
            learning_rate=learning_rate,
            max_grad_norm=1.0,
            save_strategy="no",
            report_to=[],
            logging_steps=50,
            disable_tqdm=True,
            remove_unused_columns=False,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        data_collator=_Lessons(BothModes(loaded, lessons, course.batch), teacher_trace, 1024),
        train_dataset=row_numbers(range(len(lessons))),  # type: ignore[arg-type]
        processing_class=loaded.processor,
        callbacks=None if progress is None else [_Report(progress)],
    )
    trainer.micro_batches = list(_by_length(lessons, course))
    trainer.remove_callback(PrinterCallback)
    with scoring_what_is_trained():
        trainer.train()
    loaded.model.eval()


def _by_length(lessons: Lessons, course: Course) -> Iterator[list[int]]:
    """Each batch's rows by length, cut into micro-batches: padding costs as much as text."""

    def length(place: int) -> int:
        example: Example = lessons[place]
        return len(example.prompt) + sum(map(len, example.options)) + len(example.trace or "")

    for start in range(0, len(lessons) - course.batch + 1, course.batch):
        rows = sorted(range(start, start + course.batch), key=length)
        yield from (rows[i : i + course.micro_batch] for i in range(0, course.batch, course.micro_batch))
