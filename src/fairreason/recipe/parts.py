"""A recipe's blocks: mixture, strategy, evaluation, study. A setting stands once: type, range, default, meaning."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Settings(BaseModel):
    """Frozen; unknown keys are refused; nan and infinity are no numbers here."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class Controller(Settings):
    """Who sets the share of each batch: always `bias_share`, or a piecewise linear schedule over the run's progress."""

    type: Literal["fixed", "schedule"] = "fixed"
    points: tuple[tuple[float, float], ...] = ()
    """For `schedule`: [progress 0..1, share 0..1] pairs in order of progress; linear between, constant outside. Two at
    one progress are a step."""

    @model_validator(mode="after")
    def _points_are_a_schedule(self) -> Controller:
        if self.type == "schedule" and not self.points:
            raise ValueError("needs points: [[progress, share], ...]")
        progress = [point[0] for point in self.points]
        if progress != sorted(progress):
            raise ValueError("points must stand in rising order of progress")
        if any(not 0 <= number <= 1 for point in self.points for number in point):
            raise ValueError("points: progress and share must be between 0 and 1")
        return self


class Mixture(Settings):
    """What is trained on, and at which bias share."""

    size: int = Field(default=2000, ge=1)
    """Number of training examples, each seen once."""
    bias_share: float = Field(default=0.2, ge=0, le=1)
    """Share of the training examples drawn from bias sources; the rest come from reasoning sources."""
    controller: Controller = Controller()
    """Who sets the share of each batch."""
    bias: dict[str, float] = {"lab-bias": 1.0, "lab-bias-vl": 1.0}
    """Bias sources and their weights within the axis: benchmarks, items:PATH, or traces:PATH."""
    reasoning: dict[str, float] = {"lab-math": 1.0, "lab-chart": 1.0}
    """Reasoning sources and their weights within the axis."""
    repeat: bool = False
    """Draw a source again from the start when it has too few examples, instead of refusing."""
    checkable: bool = False
    """Only rows whose answer a rule can check, as grpo draws anyway; set it where strategies are compared."""
    split: Literal["cluster", "rows"] = "cluster"
    """How a source is cut into train, dev and test; `rows` copies the paper and marks every number `leaky`."""

    @field_validator("bias", "reasoning")
    @classmethod
    def _weights_in_one_order(cls, weights: dict[str, float]) -> dict[str, float]:
        if any(weight < 0 for weight in weights.values()):
            raise ValueError("weights must not be negative")
        return {name: weights[name] for name in sorted(weights) if weights[name] > 0}

    @model_validator(mode="after")
    def _every_axis_in_use_has_a_source(self) -> Mixture:
        for axis, weights, used in (
            ("bias", self.bias, self.share_reaches(1)),
            ("reasoning", self.reasoning, self.share_reaches(0)),
        ):
            if used and not weights:
                raise ValueError(f"{axis} names no source with a weight above 0")
        return self

    def share_reaches(self, end: Literal[0, 1]) -> bool:
        """Does the share ever leave the other end, so that this end's axis (1: bias, 0: reasoning) gets examples?"""
        fixed = self.controller.type == "fixed"
        shares = [self.bias_share] if fixed else [share for _, share in self.controller.points]
        return any(share != 1 - end for share in shares)


class Lora(Settings):
    """Low-rank adapters instead of full fine-tuning."""

    rank: int = Field(default=8, ge=1)
    alpha: int = Field(default=16, ge=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: str | tuple[str, ...] = "all-linear"
    """Names of the layers that get an adapter."""


class Sft(Settings):
    """Supervised: bias rows the right option without reasoning, reasoning rows the source's own solution."""

    learning_rate: float = Field(default=1e-3, gt=0)


class Kd(Settings):
    """Distillation: a teacher's reasoning and answer on both axes."""

    mode: Literal["trace", "on_policy"] = "trace"
    """`trace`: learn the examples' recorded traces; `on_policy`: the teacher's token distribution on own samples."""
    learning_rate: float = Field(default=1e-3, gt=0)
    teacher: str = "lab-teacher"
    """on_policy: the teacher's folder or hub name; its tokenizer must be the student's."""
    teacher_revision: str | None = None
    max_new_tokens: int = Field(default=64, ge=1)
    """on_policy: longest sampled completion."""
    temperature: float = Field(default=1.0, gt=0)
    """on_policy: sampling temperature."""
    beta: float = Field(default=1.0, ge=0, le=1)
    """on_policy: 0 forward KL, 1 reverse KL, between them a generalised Jensen-Shannon divergence."""


class Grpo(Settings):
    """Group-relative policy optimization with rule rewards."""

    learning_rate: float = Field(default=3e-4, gt=0)
    completions: int = Field(default=8, ge=2)
    """Completions sampled for each prompt; the group whose mean is the baseline."""
    max_new_tokens: int = Field(default=64, ge=1)
    temperature: float = Field(default=1.0, gt=0)
    beta: float = Field(default=0.0, ge=0)
    """Weight of the KL penalty to the base."""
    clip_low: float = Field(default=0.2, gt=0, lt=1)
    clip_high: float = Field(default=0.3, gt=0)


class Strategy(Settings):
    """How the model is trained. Only the block of this `type` is read and hashed."""

    type: Literal["sft", "kd", "grpo", "none"] = "grpo"
    """`none` evaluates only."""
    batch: int = Field(default=40, ge=1)
    """Rows a batch; one optimizer step a batch, and for sampling strategies one generation round."""
    micro_batch: int | None = Field(default=None, ge=1)
    """Rows on the device at once (grpo: completions); null: the whole batch."""
    weight_decay: float = Field(default=0.0, ge=0)
    lora: Lora | None = None
    max_length: int = Field(default=1024, ge=8)
    """Longest row in tokens, prompt and completion together (sft, kd trace)."""
    save_every: int = Field(default=20, ge=1)
    """Steps between checkpoints; changes no number."""
    sft: Sft = Sft()
    kd: Kd = Kd()
    grpo: Grpo = Grpo()

    def active(self) -> Sft | Kd | Grpo | None:
        """The block of this strategy's type."""
        return None if self.type == "none" else getattr(self, self.type)

    def supervised(self) -> bool:
        """Whether it learns given completions (sft, kd trace), not samples of its own."""
        return self.type == "sft" or (self.type == "kd" and self.kd.mode == "trace")

    def label(self) -> str:
        """The type, and for kd its mode where that is not `trace`: "sft", "kd", "kd on_policy", "grpo", "none"."""
        return "kd on_policy" if self.type == "kd" and self.kd.mode == "on_policy" else self.type


class Evaluation(Settings):
    """What is measured after training, and on the untouched base."""

    benchmarks: tuple[str, ...] = Field(default=("lab-bias", "lab-bias-vl", "lab-math", "lab-chart"), min_length=1)
    split: Literal["train", "dev", "test"] = "test"
    samples: int = Field(default=1, ge=1)
    """Answers a question."""
    temperature: float = Field(default=0.0, ge=0)
    """0 is greedy."""
    max_new_tokens: int = Field(default=64, ge=1)
    limit: int | None = Field(default=None, ge=1)
    """At most so many questions a benchmark."""
    batch_tokens: int | None = Field(default=None, ge=1)
    """Tokens on the device at once, null: what suits the device; changes no answer."""

    @field_validator("benchmarks")
    @classmethod
    def _no_name_twice(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError("a benchmark stands twice")
        return names

    @model_validator(mode="after")
    def _greedy_answers_are_all_alike(self) -> Evaluation:
        if self.samples > 1 and self.temperature == 0:
            raise ValueError("samples above 1 need a temperature above 0")
        return self


class Study(Settings):
    """Which recipes are compared, and the constants of the comparison."""

    grid: dict[str, Any] = {}
    """The recipe's own shape with a list of values at each leaf; every combination is a run."""
    points: tuple[dict[str, Any], ...] = ()
    """Extra points, each in the recipe's own shape; crossed with the grid's seeds where they name no seed."""
    margin: float = Field(default=0.02, gt=0, lt=1)
    """A difference inside ± margin is a tie."""
    retention: float = Field(default=0.95, gt=0)
    """rho of the sweet spot: R's lower bound must reach it."""
