"""What the two trainers that sample share: our prompts, our pictures, the policy's own completions, graded and counted.

TRL's trainers tokenize prompts themselves and run every picture through the processor again for the loss. Ours hand on
row numbers instead: `rows` travels with the round's tensors, and the picture fields are made from the encoded prompts
where a forward needs them. So training and evaluation ask in the same bytes, and a batch may mix text and pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from fairreason import benchmarks
from fairreason.benchmarks.base import grade_one
from fairreason.models.encode import TOKEN_FIELDS
from fairreason.models.read import fields_of, is_plain
from fairreason.records import Completion, FinishReason, Grade
from fairreason.training.rollout import Draw, sample
from fairreason.training.trainer import MixedTrainer


class SamplingTrainer(MixedTrainer):
    """To be mixed in before TRL's GRPOTrainer or DistillationTrainer."""

    round: torch.Tensor

    def _tokenize_prompts(self: Any, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, torch.Tensor]]:
        rows = [int(prompt) for prompt in prompts]
        fields = {} if is_plain(self.model) else fields_of(self.run.rows.prompts(rows))
        return [self.run.rows.prompt(row).input_ids for row in rows], None, fields

    def sample(self: Any, copies: int) -> list[list[int]]:
        """The round's completions, `copies` a prompt."""
        model = self.accelerator.unwrap_model(self.model_wrapped)
        prompts = [self.run.rows.prompt(row) for row in self.round.tolist()[::copies]]
        banned = self.generation_kwargs.get("suppress_tokens") or ()
        draw = Draw(copies, self.max_completion_length, self.temperature, self.eos_token_ids, banned)
        with self.accelerator.autocast():
            return sample(model, prompts, draw)

    def _generate_and_score_completions(self: Any, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        rows = torch.tensor([item["row"] for item in inputs])
        self.round = rows  # whose completions the methods below are asked for
        made = super()._generate_and_score_completions(inputs)  # type: ignore[misc]
        made["rows"] = rows.to(made["prompt_ids"].device)
        return fill_up(made, self.args.gradient_accumulation_steps)

    def picture_fields(self: Any, rows: Sequence[int], width: int, completion: int) -> dict[str, torch.Tensor]:
        """What a forward over these rows needs beside tokens: prompts `width` wide (left-padded), then completions."""
        fields = {}
        for name, value in self.run.rows.prompts(rows).items():
            if name in TOKEN_FIELDS:
                value = torch.nn.functional.pad(value, (width - value.shape[1], completion))
            if name not in ("input_ids", "attention_mask"):
                fields[name] = value.to(self.accelerator.device)
        return fields

    def count_round(self: Any, rows: Sequence[int], completion_ids: list[list[int]], group: int) -> list[Grade]:
        """Grades a round's completions, `group` a prompt, by the benchmarks' own `grade`; counts them and costs."""
        run, grades = self.run, []
        for row, ids in zip(rows, completion_ids, strict=True):
            example = run.rows.examples[row]
            finish: FinishReason = "stop" if ids and ids[-1] in self.eos_token_ids else "length"
            completion = Completion(run.rows.text(ids), finish, len(run.rows.prompt(row).input_ids), len(ids))
            grades.append(grade_one(benchmarks.get(example.source), example, completion))
            run.step.add_grade(example, completion, grades[-1])
            tally = run.step.of(example)
            tally.replies, tally.tokens = tally.replies + 1, tally.tokens + len(ids)
            run.costs.sampled_tokens += len(ids)
            run.costs.trained_tokens += len(ids)
        for row in rows[::group]:
            run.step.of(run.rows.examples[row]).n += 1
            run.costs.prompt_tokens += len(run.rows.prompt(row).input_ids)
        return grades


def fill_up(made: dict[str, Any], parts: int) -> dict[str, Any]:
    """Rows that carry no loss behind a round that does not divide into `parts` equal micro-batches (a last, shorter
    batch): TRL would drop what is left over. The losses are sums over tokens, so the gradient is that of the round."""
    count = len(made["rows"])
    missing = -count % parts
    if not missing:
        return made
    for name, value in made.items():
        if isinstance(value, torch.Tensor) and value.ndim and len(value) == count:
            extra = value[:1].expand(missing, *value.shape[1:])
            made[name] = torch.cat([value, torch.zeros_like(extra) if name == "completion_mask" else extra])
    return made
