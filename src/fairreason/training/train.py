"""Trains one recipe into a run folder and goes on after a kill with the same numbers.

folder/checkpoint/      the trained model (or its LoRA adapter) with processor and template; models.load takes it
folder/metrics.jsonl    one row an optimizer step (training/metrics.py)
folder/training.json    what it cost, whether it collapsed
folder/trainer/         checkpoints on the way; gone when the run is finished
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers.trainer_callback import PrinterCallback
from transformers.utils import logging

from fairreason.data.mixture import Mixture, build
from fairreason.errors import ModelError, UsageError
from fairreason.files import iter_jsonl, read_jsonl, replace_folder, write_json
from fairreason.models.folder import SHIPPED
from fairreason.models.load import Loaded, load
from fairreason.recipe import Recipe
from fairreason.training import grpo, kd, sft
from fairreason.training.batches import BatchStream, Rows, size_of
from fairreason.training.metrics import collapsed_at
from fairreason.training.settings import scoring_what_is_trained
from fairreason.training.trainer import CHECKPOINTS, Progress, Run

Builder = Callable[[Recipe, Run, Loaded], Any]
STRATEGIES: dict[str, Builder] = {"sft": sft.trainer, "kd": kd.trainer, "grpo": grpo.trainer}


@dataclass(frozen=True)
class TrainResult:
    """What a finished training came to. Tokens: prompts once for each row, completions as often as trained on."""

    steps: int
    prompt_tokens: int
    trained_tokens: int
    sampled_tokens: int
    seconds: float
    collapsed_at: int | None


def train(recipe: Recipe, folder: Path, data: Path | None = None, progress: Progress | None = None) -> TrainResult:
    """Trains the recipe's model on its mixture into `folder`, or takes up where a killed training stopped; a finished
    one is not trained again. `progress` gets (step, steps). Raises DataError, ModelError, RunError, UsageError."""
    if finished(folder):
        _tidy(folder)
        return TrainResult(**next(iter_jsonl(folder / "training.json")))
    return train_on(recipe, build(recipe, data), folder, progress)


def train_on(recipe: Recipe, mixture: Mixture, folder: Path, progress: Progress | None = None) -> TrainResult:
    """`train` on a mixture that is there already."""
    if recipe.strategy.type not in STRATEGIES:
        raise UsageError(f"strategy.type {recipe.strategy.type} trains nothing; choose one of {', '.join(STRATEGIES)}")
    loaded = student(recipe)
    rows = Rows(loaded, mixture.examples, recipe.thinking, keep=3 * recipe.strategy.batch)
    run = Run(folder, rows, mixture.sampler, stream(recipe, mixture), progress)
    with quiet(), scoring_what_is_trained():
        trainer = _trainer(recipe, run, loaded)
        trainer.remove_callback(PrinterCallback)
        last = run.resume()
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
    run.state(len(run.sampler))
    result = TrainResult(
        steps=len(run.sampler), **asdict(run.costs), collapsed_at=collapsed_at(read_jsonl(run.metrics))
    )
    finish(recipe, trainer.model, loaded, run, result)
    return result


def student(recipe: Recipe) -> Loaded:
    """The model that is trained. Full fine-tuning on a GPU keeps float32 weights: at the learning rates in use an
    update is smaller than bfloat16 can add. An adapter that was given as the model is merged into its base first."""
    loaded = load(
        recipe.model,
        revision=recipe.revision,
        trust_remote_code=recipe.trust_remote_code,
        unsafe_weights=recipe.unsafe_weights,
        dtype="float32" if recipe.strategy.lora is None else "auto",
        threads=recipe.threads,
    )
    if not isinstance(loaded.model, PeftModel):
        return loaded
    if recipe.strategy.lora is not None:
        raise ModelError(f"{recipe.model}: is an adapter already; merge it into its base before training another")
    return dataclasses.replace(loaded, model=loaded.model.merge_and_unload().requires_grad_(True))


def stream(recipe: Recipe, mixture: Mixture) -> BatchStream:
    """The mixture's batches as this strategy's trainer reads them."""
    if recipe.strategy.type == "grpo":
        return BatchStream(mixture.sampler, grpo.parts(recipe), recipe.strategy.grpo.completions)
    sampled = recipe.strategy.type == "kd" and recipe.strategy.kd.mode == "on_policy"
    if sampled:
        return BatchStream(mixture.sampler, kd.parts(recipe), 1)
    return BatchStream(mixture.sampler, sft.parts(recipe), size=lambda row: size_of(mixture.examples[row]))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without progress bars for each saved file, and without TRL's warnings about its own use of older names."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning, message=".*(activation|gradient)_checkpointing")
            yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _trainer(recipe: Recipe, run: Run, loaded: Loaded) -> Any:
    lora = recipe.strategy.lora
    try:
        return STRATEGIES[recipe.strategy.type](recipe, run, loaded)
    except ValueError as error:
        if lora is None or "target modules" not in str(error).lower():
            raise
        wanted = lora.targets if isinstance(lora.targets, str) else ", ".join(lora.targets)
        raise UsageError(f"strategy.lora.targets {wanted}: {recipe.model} has no such layers") from None


def finished(folder: Path) -> bool:
    """Whether the folder holds a finished training."""
    return (folder / "checkpoint").is_dir() and (folder / "training.json").exists()


def finish(recipe: Recipe, model: Any, loaded: Loaded, run: Run, result: TrainResult) -> None:
    """The trained model in place, whole or not at all; then the checkpoints on the way go."""
    whole = torch.nn.Module.train(model, False)
    part = run.folder / ".checkpoint.tmp"
    shutil.rmtree(part, ignore_errors=True)
    if isinstance(whole, PeftModel):
        local = recipe.model not in SHIPPED and Path(recipe.model).is_dir()
        name = str(Path(recipe.model).resolve()) if local else recipe.model
        whole.peft_config["default"].base_model_name_or_path = name
        whole.peft_config["default"].revision = loaded.commit
        whole.save_pretrained(str(part), save_embedding_layers=False)
    else:
        whole.save_pretrained(part)
        _answer_as_the_base(loaded, part)
    loaded.processor.save_pretrained(part)
    (part / "README.md").unlink(missing_ok=True)
    write_json(run.folder / "training.json", asdict(result), indent=None)
    replace_folder(part, run.folder / "checkpoint")
    _tidy(run.folder)


def _answer_as_the_base(loaded: Loaded, part: Path) -> None:
    """The weights keep their float32; the `dtype` of config.json, in which a GPU reads them to answer, stays the one
    that the base's config.json names, so that all runs of a study answer in one precision."""
    if loaded.dtype is not None:
        config = json.loads((part / "config.json").read_text(encoding="utf-8"))
        write_json(part / "config.json", {**config, "dtype": str(loaded.dtype).removeprefix("torch.")}, indent=2)


def _tidy(folder: Path) -> None:
    """Nothing but the trained model stays: the checkpoints on the way go, and what a kill has left of the end."""
    for name in (CHECKPOINTS, ".checkpoint.old", ".checkpoint.tmp"):
        shutil.rmtree(folder / name, ignore_errors=True)
