"""GRPO with rule rewards (Shao et al. 2024), through TRL's GRPOTrainer, strictly on-policy: one optimizer step a round.

`batch` prompts, `completions` samples each; a completion's advantage is its reward minus its group's mean. The loss is
DAPO's (arXiv 2503.14476): summed over the round's tokens and divided by their number, so a token counts the same in a
long and in a short completion and micro-batches add up to the whole batch's gradient. Advantages are not divided by
the group's spread (Dr. GRPO, arXiv 2503.20783): that would blow up groups with one odd completion and blur the reward
table's differences. With one step a round the probability ratio is 1, so clipping acts only if that changes, and the
policy's old log-probabilities need no second forward. A truncated completion earns -1 like an unreadable one.
"""

from __future__ import annotations

from typing import Any

import torch
from trl import GRPOConfig, GRPOTrainer

from fairreason.models.folder import is_adapter
from fairreason.models.load import Loaded
from fairreason.models.read import is_plain
from fairreason.recipe import Recipe
from fairreason.training.batches import divide, row_numbers
from fairreason.training.rewards import reward
from fairreason.training.sampling import SamplingTrainer
from fairreason.training.settings import common, lora_config
from fairreason.training.shared import LONGEST, groups, score
from fairreason.training.trainer import Run


class GroupTrainer(SamplingTrainer, GRPOTrainer):
    """GRPOTrainer on our prompts, pictures and rewards."""

    def reward_round(self, prompts: list[str], completion_ids: list[list[int]], **_: Any) -> list[float]:
        """TRL's reward function: the reward of each completion, counted by source."""
        rows = [int(prompt) for prompt in prompts]
        group = int(self.num_generations or 1)
        grades = self.count_round(rows, completion_ids, group)
        examples = self.run.rows.examples
        rewards = [reward(examples[row], grade) for row, grade in zip(rows, grades, strict=True)]
        for start in range(0, len(rows), group):
            self.run.step.add_group(examples[rows[start]], rewards[start : start + group])
        return rewards

    def _generate_single_turn(self, prompt_ids: list[list[int]], *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        if is_plain(self.model) and not self.use_vllm:
            return self.sample(int(self.num_generations or 1)), None
        return super()._generate_single_turn(prompt_ids, *args, **kwargs)

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        if self.beta == 0:
            inputs = self._with_gradient(inputs)
        self.round = inputs["rows"]
        return super()._compute_loss(model, inputs)

    def _with_gradient(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The rows whose advantage is not 0, without which the gradient is the same; the divisor stays the round's. One
        row with a picture and one without stay in any case, so that the same weights get a gradient (of 0)."""
        kept = inputs["advantages"] != 0
        pictures = torch.tensor([bool(self.run.rows.examples[row].images) for row in inputs["rows"].tolist()])
        for kind in (pictures, ~pictures):
            if kind.any() and not kept[kind].any():
                kept[kind.nonzero()[0]] = True
        count = len(kept)
        return {
            k: v[kept] if isinstance(v, torch.Tensor) and v.ndim and len(v) == count else v for k, v in inputs.items()
        }

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        compute_entropy: bool = False,
        compute_aux_loss: bool = False,
        **_: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        keep = logits_to_keep
        prompts = self.run.rows
        if is_plain(model) and not compute_aux_loss:
            grouped = groups(
                self.round.tolist(),
                input_ids[:, -keep:],
                attention_mask[:, -keep:],
                lambda row: prompts.prompt(row).input_ids,
            )
            if grouped[-1].width() <= LONGEST:
                with self.accelerator.autocast():
                    logps, entropies = score(model, grouped, (len(input_ids), keep), prompts.prompts)
                return logps, entropies, None
        step = batch_size or len(input_ids)
        rows, found = self.round.tolist(), list[Any]()
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            ids = input_ids[part]
            fields = self.picture_fields(rows[part], ids.shape[1] - logits_to_keep, logits_to_keep)
            found.append(
                self._forward(
                    model, ids, attention_mask[part], logits_to_keep, compute_entropy, compute_aux_loss, fields
                )
            )
        return (
            torch.cat([logps for logps, _, _ in found]),
            torch.cat([entropies for _, entropies, _ in found]) if compute_entropy else None,
            torch.stack([loss for _, _, loss in found]).mean() if compute_aux_loss else None,
        )

    def _forward(
        self,
        model: Any,
        ids_BT: torch.Tensor,
        mask_BT: torch.Tensor,
        keep: int,
        entropy: bool,
        router: bool,
        fields: dict[str, torch.Tensor],
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        labels_BT = ids_BT.masked_fill(mask_BT == 0, -100)
        labels_BT[:, :-keep] = -100
        if router:
            fields = {**fields, "output_router_logits": True}  # type: ignore[dict-item]
        with self.accelerator.autocast():
            out = model(input_ids=ids_BT, attention_mask=mask_BT, labels=labels_BT, fused_lm_head=True, **fields)
        return out.log_probs[:, -keep:], out.entropy[:, -keep:] if entropy else None, out.aux_loss


def parts(recipe: Recipe) -> int:
    """Micro-batches a round; `micro_batch` counts completions."""
    return divide(recipe.strategy.batch * recipe.strategy.grpo.completions, recipe.strategy.micro_batch)


def trainer(recipe: Recipe, run: Run, loaded: Loaded) -> GroupTrainer:
    """The trainer of strategy grpo."""
    strategy, own = recipe.strategy, recipe.strategy.grpo
    rows = strategy.batch * own.completions
    settings = common(recipe, run.checkpoints, len(run.sampler), rows, parts(recipe), own.learning_rate)
    built: GroupTrainer

    def fair_reward(prompts: list[str], completion_ids: list[list[int]], **rest: Any) -> list[float | None]:
        return [*built.reward_round(prompts, completion_ids, **rest)]

    built = GroupTrainer(
        model=loaded.model,
        reward_funcs=fair_reward,
        args=GRPOConfig(
            **settings,
            trust_remote_code=recipe.trust_remote_code,  # of the reference that beta asks for
            num_generations=own.completions,
            max_completion_length=own.max_new_tokens,
            temperature=own.temperature,
            beta=own.beta,
            epsilon=own.clip_low,
            epsilon_high=own.clip_high,
            loss_type="dapo",
            scale_rewards="none",
        ),
        train_dataset=row_numbers(run.rows.examples),
        processing_class=loaded.processor,
        peft_config=lora_config(strategy.lora),
    )
    if built.ref_model is not None and is_adapter(loaded.source.folder):  # TRL read the base that it was merged into
        built.ref_model.load_state_dict(loaded.model.state_dict())
    built.run = run
    return built
