"""Supervised fine-tuning and distillation from traces, through TRL's SFTTrainer: they differ in the target alone.

The loss is the mean over all completion tokens of the batch (prompts are not trained on), the same whether the batch
goes through the device at once or in micro-batches. A completion longer than `strategy.max_length` loses its end, which
is counted (`cut`); a prompt is never cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from trl import SFTConfig, SFTTrainer

from fairreason.models.encode import encode_completion
from fairreason.models.load import Loaded
from fairreason.recipe import Recipe
from fairreason.training.batches import IGNORED, Rows, as_batch, divide, row_numbers
from fairreason.training.settings import common, lora_config
from fairreason.training.targets import Reasoning, own_solution, target
from fairreason.training.trainer import MixedTrainer, Run

CPU_ROWS = 20


class SupervisedTrainer(MixedTrainer, SFTTrainer):
    """SFTTrainer on our batches; the loss of each row is counted for its source."""

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        rows = inputs.pop("rows")
        with _Seen(model) as seen:
            loss = super().compute_loss(model, inputs, *args, **kwargs)
        self._count(rows, inputs, seen.output)
        return loss

    def _count(self, rows: torch.Tensor, inputs: dict[str, Any], output: Any) -> None:
        run = self.run
        losses, tokens = (-output.log_probs.detach().sum(1)).tolist(), (inputs["labels"] != IGNORED).sum(1).tolist()
        lengths = inputs["attention_mask"].sum(1).tolist()
        chosen = [top1[trained.bool()] for top1, trained in zip(output.is_top1, output.label_mask, strict=True)]
        counted = zip(rows.tolist(), losses, tokens, lengths, chosen, strict=True)
        for (row, cut, answer), loss, count, length, by_model in counted:
            tally = run.step.of(run.rows.examples[row])
            if not cut:
                tally.answers += 1
                tally.answers_chosen += bool(by_model[-answer:].all())
            tally.n, tally.replies, tally.tokens = tally.n + 1, tally.replies + 1, tally.tokens + count
            tally.cut, tally.loss, tally.loss_tokens = tally.cut + cut, tally.loss + loss, tally.loss_tokens + count
            run.costs.prompt_tokens += length - count
            run.costs.trained_tokens += count


class _Seen:
    """Keeps what the model's forward gave while the trainer computes its loss, so that nothing is computed twice."""

    def __init__(self, model: Any) -> None:
        self.handle = model.register_forward_hook(self._keep)
        self.output: Any = None

    def _keep(self, module: Any, args: Any, output: Any) -> None:
        self.output = output

    def __enter__(self) -> _Seen:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.handle.remove()


class Collator:
    """Row numbers to the model's input: `rows` keeps of each row its number, whether its end was cut, and how many
    tokens its answer has."""

    def __init__(self, rows: Rows, reasoning: Reasoning, max_length: int) -> None:
        self.rows, self.reasoning, self.max_length = rows, reasoning, max_length

    def __call__(self, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
        encoded, starts, counted = [], [], []
        for number in (item["row"] for item in items):
            reasoning, answer = target(self.rows.examples[number], self.reasoning)
            row, start, cut = self.rows.supervised(number, reasoning, answer, self.max_length)
            encoded.append(row)
            starts.append(start)
            counted.append([number, int(cut), len(encode_completion(self.rows.loaded, answer))])
        return {**as_batch(encoded, starts, self.rows.loaded.pad_id), "rows": torch.tensor(counted)}


def parts(recipe: Recipe) -> int:
    """Micro-batches a batch. On a CPU at most 20 rows each: less padding, and a tensor that the caches hold."""
    most = recipe.strategy.micro_batch or (None if torch.cuda.is_available() else CPU_ROWS)
    return divide(recipe.strategy.batch, most)


def trainer(
    recipe: Recipe, run: Run, loaded: Loaded, reasoning: Reasoning = own_solution, learning_rate: float | None = None
) -> SupervisedTrainer:
    """The trainer of strategy sft; kd with traces gives its own `reasoning` and learning rate."""
    strategy = recipe.strategy
    rate = strategy.sft.learning_rate if learning_rate is None else learning_rate
    settings = common(recipe, run.checkpoints, len(run.sampler), strategy.batch, parts(recipe), rate)
    built = SupervisedTrainer(
        model=loaded.model,
        args=SFTConfig(**settings, max_length=None, dataset_kwargs={"skip_prepare_dataset": True}),
        data_collator=Collator(run.rows, reasoning, strategy.max_length),
        train_dataset=row_numbers(run.rows.examples),
        processing_class=loaded.processor,
        peft_config=lora_config(strategy.lora),
    )
    built.run = run
    built.model_accepts_loss_kwargs = True  # else a Qwen2.5-VL's micro-batches count alike, whatever their tokens
    return built
