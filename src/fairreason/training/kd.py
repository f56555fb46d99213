"""Distillation on both axes: from a teacher's recorded traces, or from its token distribution on the student's samples.

`trace` is supervised training on the example's trace and answer (sft.py with another target). `on_policy` (Agarwal et
al. 2024, arXiv 2306.13649) samples one completion a prompt from the student and moves its distribution toward the
teacher's at every token, through TRL's DistillationTrainer; `beta` 1 is the reverse KL divergence. That compares whole
distributions over one vocabulary, so the teacher must have the student's tokenizer.
"""

from __future__ import annotations

from typing import Any

from trl import DistillationConfig, DistillationTrainer

from fairreason.errors import ModelError
from fairreason.models.load import Loaded, load
from fairreason.models.read import is_plain
from fairreason.recipe import Recipe
from fairreason.training import sft
from fairreason.training.batches import divide, row_numbers
from fairreason.training.sampling import SamplingTrainer
from fairreason.training.settings import common, lora_config
from fairreason.training.targets import teacher_trace
from fairreason.training.trainer import Run


class OnPolicyTrainer(SamplingTrainer, DistillationTrainer):
    """DistillationTrainer on our prompts and pictures; the samples are graded for the metrics alone."""

    def _generate_single_turn(self, prompt_ids: list[list[int]], *args: Any, **kwargs: Any) -> list[list[int]]:
        own = is_plain(self.model) and not self.use_vllm
        completion_ids = self.sample(1) if own else super()._generate_single_turn(prompt_ids, *args, **kwargs)
        self.count_round(self.round.tolist(), completion_ids, 1)
        return completion_ids

    def _compute_loss(self, unwrapped_student: Any, inputs: dict[str, Any], num_items_in_batch: Any) -> Any:
        width, completion = inputs["prompt_ids"].shape[1], inputs["completion_ids"].shape[1]
        fields = self.picture_fields(inputs["rows"].tolist(), width, completion)
        return super()._compute_loss(unwrapped_student, {**inputs, **fields}, num_items_in_batch)


def trainer(recipe: Recipe, run: Run, loaded: Loaded) -> sft.SupervisedTrainer | OnPolicyTrainer:
    """The trainer of strategy kd in either mode. Raises ModelError when the teacher does not fit."""
    strategy, own = recipe.strategy, recipe.strategy.kd
    if own.mode == "trace":
        return sft.trainer(recipe, run, loaded, teacher_trace, own.learning_rate)
    settings = common(recipe, run.checkpoints, len(run.sampler), strategy.batch, parts(recipe), own.learning_rate)
    built = OnPolicyTrainer(
        model=loaded.model,
        teacher_model=teacher(recipe, loaded).model,
        args=DistillationConfig(
            **settings, max_completion_length=own.max_new_tokens, temperature=own.temperature, beta=own.beta
        ),
        train_dataset=row_numbers(run.rows.examples),
        processing_class=loaded.processor,
        peft_config=lora_config(strategy.lora),
    )
    built.run = run
    return built


def parts(recipe: Recipe) -> int:
    """on_policy: micro-batches a round."""
    return divide(recipe.strategy.batch, recipe.strategy.micro_batch)


def teacher(recipe: Recipe, student: Loaded) -> Loaded:
    """The teacher's model. Raises ModelError when its tokenizer is not the student's or it cannot see pictures."""
    own = recipe.strategy.kd
    found = load(
        own.teacher,
        revision=own.teacher_revision,
        trust_remote_code=recipe.trust_remote_code,
        unsafe_weights=recipe.unsafe_weights,
        threads=recipe.threads,
    )
    if found.tokenizer.get_vocab() != student.tokenizer.get_vocab():
        raise ModelError(
            f"{own.teacher}: its tokenizer is not that of {student.name}, so their token distributions cannot be "
            "compared. Choose a teacher of the same family, or set strategy.kd.mode: trace"
        )
    if student.is_vl and not found.is_vl:
        raise ModelError(f"{own.teacher}: a text model cannot teach {student.name}, which sees pictures")
    for parameter in found.model.parameters():
        parameter.requires_grad_(False)
    return found
