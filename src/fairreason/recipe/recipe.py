"""One YAML file that says everything about a run: model, mixture, strategy, evaluation, seed; and a study's grid.

Unknown keys are refused with the nearest name, `1e-6` is a number (YAML 1.1 reads it as text), `on`
and `off` stay words, and every key can be set from outside (`mixture.bias_share=0.1`). A study expands into its
recipes, each without a study.

    model: lab
    mixture: {size: 2000, bias_share: 0.2, bias: {lab-bias: 1}, reasoning: {lab-math: 1}}
    strategy: {type: grpo, grpo: {learning_rate: 3.0e-4, completions: 8}}
    study: {grid: {mixture: {bias_share: [0, .2, 1]}, seed: [0, 1, 2]}}
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from fairreason import __version__
from fairreason.errors import UsageError
from fairreason.recipe.explain import explain
from fairreason.recipe.parts import Evaluation, Kd, Mixture, Settings, Strategy, Study
from fairreason.recipe.yaml_files import assign, empty_list, merge, parse_value, read_mapping, variants


class Recipe(Settings):
    """A run, or with `study` a grid of runs."""

    model: str = "lab"
    """lab, a folder, a run folder or a hub name."""
    revision: str | None = None
    """Commit or branch of a hub name."""
    trust_remote_code: bool = False
    """Run code that comes with the model."""
    unsafe_weights: bool = False
    """Load pickled weights, which can run code, where there are no safetensors."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    thinking: Literal["on", "off"] = "on"
    """Handed to the chat template; the same for base, training and evaluation."""
    threads: int = Field(default=1, ge=1)
    """CPU threads of a run; more than one may change the last digits."""
    marks: tuple[str, ...] = ()
    """Warnings that travel with every number, such as `leaky` or `contaminated: gsm8k`."""
    note: str = ""
    mixture: Mixture = Mixture()
    strategy: Strategy = Strategy()
    evaluation: Evaluation = Evaluation()
    study: Study | None = None

    @field_validator("thinking", mode="before")
    @classmethod
    def _yaml_reads_on_as_true(cls, value: Any) -> Any:
        return {True: "on", False: "off"}[value] if isinstance(value, bool) else value

    @model_validator(mode="after")
    def _rows_are_leaky(self) -> Recipe:
        if self.mixture.split == "rows" and "leaky" not in self.marks:
            object.__setattr__(self, "marks", ("leaky", *self.marks))
        return self

    @classmethod
    def load(cls, path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
        """The recipe of a YAML file, with `key=value` overrides (values in YAML).

        Raises UsageError in one line: where, what, what is allowed. A study's grid is expanded once, so that a bad
        value inside it shows up here and not hours later.
        """
        return cls.parse(read_mapping(Path(path)), overrides, str(path))

    @classmethod
    def parse(cls, mapping: Mapping[str, Any], overrides: Sequence[str] = (), where: str = "recipe") -> Recipe:
        """`load` for a mapping that is there already; `where` names it in errors."""
        settled, changed = dict(mapping), []
        for override in overrides:
            key, value = parse_value(override)
            settled = assign(_with_default_sources(settled, key), key, value)
            changed.append(key)
        recipe = cls._validated(settled, where, changed)
        recipe._expand(where, changed)
        return recipe

    @classmethod
    def _validated(
        cls, mapping: Mapping[str, Any], where: str, changed: Sequence[Sequence[str]] = (), inside: str = ""
    ) -> Recipe:
        try:
            return cls.model_validate(mapping)
        except ValidationError as error:
            raise explain(error, cls, where, changed, inside) from None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as they go into recipe.json; `Recipe.parse` reads them again."""
        return self.model_dump(mode="json")

    def to_yaml(self) -> str:
        """The recipe as YAML with every default written out."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True, width=120)

    def with_changes(self, changes: Mapping[str, Any]) -> Recipe:
        """A copy with nested changes, validated: `recipe.with_changes({"mixture": {"bias_share": 0}})`."""
        return self._validated(merge(self.to_dict(), changes), "recipe")

    def expand(self) -> list[Recipe]:
        """The runs of the study, each without `study`: grid in its written order, then points. Without one, itself."""
        return self._expand("recipe", ())

    def _expand(self, where: str, changed: Sequence[Sequence[str]]) -> list[Recipe]:
        if self.study is None:
            return [self]
        plain = {key: value for key, value in self.to_dict().items() if key != "study"}
        grid = _with_all_sources(self.study.grid, plain)
        seeds = {"seed": grid["seed"]} if "seed" in grid else {}
        _check_shape(self.study.grid, self.study.points, where)
        wanted = [("study.grid", change) for change in variants(grid)] if grid or not self.study.points else []
        for number, point in enumerate(self.study.points):
            wanted += [(f"study.points[{number}]", change) for change in variants({**seeds, **point})]
        recipes = [self._validated(merge(plain, change), where, changed, inside) for inside, change in wanted]
        return list({recipe.fingerprint(): recipe for recipe in recipes}.values())

    def name(self) -> str:
        """A short name that is safe as a folder: "grpo-b0.2-s0", "kd-on_policy-b0.2-s0", "none-lab"."""
        if self.strategy.type == "none":
            return "none-" + (re.sub(r"[^A-Za-z0-9._-]+", "-", Path(self.model).name).strip(".-")[:60] or "model")
        scheduled = self.mixture.controller.type == "schedule"
        share = "schedule" if scheduled else f"{self.mixture.bias_share:g}"
        return f"{self.strategy.label().replace(' ', '-')}-b{share}-s{self.seed}"

    def fingerprint(
        self, *, weights: str = "", teacher: str = "", data: Mapping[str, str] | None = None, version: str = __version__
    ) -> str:
        """12 hex digits that change exactly when something changes that changes the run's result.

        `weights` and `teacher` are hashes of what the names stand for (then the names do not count), `data` the hash
        of each source and benchmark. Left out: the study, notes and marks, blocks of other strategies, the distance of
        checkpoints, the size of evaluation batches.
        """
        subject = {
            "model": weights or [self.model, self.revision],
            "remote_code": self.trust_remote_code,
            "thinking": self.thinking,
            "threads": self.threads,
            "training": self._training(teacher),
            "evaluation": self._evaluation(),
            "data": dict(data or {}),
            "version": version,
        }
        if self.strategy.type != "none" or self.evaluation.temperature > 0:
            subject["seed"] = self.seed
        return hashlib.sha256(json.dumps(subject, sort_keys=True).encode()).hexdigest()[:12]

    def _training(self, teacher: str) -> dict[str, Any] | None:
        strategy, block = self.strategy, self.strategy.active()
        if block is None:
            return None
        settings = block.model_dump(mode="json")
        if isinstance(block, Kd) and block.mode == "trace":
            settings = {key: settings[key] for key in ("mode", "learning_rate")}
        elif isinstance(block, Kd) and teacher:
            settings |= {"teacher": teacher, "teacher_revision": None}
        unread = {"sft", "kd", "grpo", "save_every"} | (set() if strategy.supervised() else {"max_length"})
        common = strategy.model_dump(mode="json", exclude=unread)
        return {**common, "block": settings, "mixture": self._mixture()}

    def _mixture(self) -> dict[str, Any]:
        mixture = self.mixture
        fixed = mixture.controller.type == "fixed"
        return {
            "size": mixture.size,
            "repeat": mixture.repeat,
            **({"checkable": True} if mixture.checkable and self.strategy.type != "grpo" else {}),
            "split": mixture.split,
            "share": mixture.bias_share if fixed else [list(point) for point in mixture.controller.points],
            "bias": _fractions(mixture.bias) if mixture.share_reaches(1) else {},
            "reasoning": _fractions(mixture.reasoning) if mixture.share_reaches(0) else {},
        }

    def _evaluation(self) -> dict[str, Any]:
        settings = self.evaluation.model_dump(mode="json", exclude={"batch_tokens"})
        return {**settings, "benchmarks": sorted(self.evaluation.benchmarks)}


def _with_default_sources(mapping: dict[str, Any], key: Sequence[str]) -> dict[str, Any]:
    """`mixture.bias.NAME=1` adds a source to those there are, also where these are the default ones."""
    if len(key) != 3 or key[0] != "mixture" or key[1] not in ("bias", "reasoning"):
        return mapping
    mixture = mapping.get("mixture", {})
    if not isinstance(mixture, dict) or key[1] in mixture:
        return mapping
    return {**mapping, "mixture": {**mixture, key[1]: getattr(Mixture(), key[1])}}


def _with_all_sources(grid: Mapping[str, Any], plain: Mapping[str, Any]) -> Mapping[str, Any]:
    """A grid that varies the weight of a source keeps the recipe's others; a mapping in a list stands for itself."""
    mixture = dict(grid.get("mixture") or {})
    for axis in ("bias", "reasoning"):
        if isinstance(mixture.get(axis), Mapping):
            mixture[axis] = {**plain["mixture"][axis], **mixture[axis]}
    return {**grid, "mixture": mixture} if mixture else grid


def _check_shape(grid: Mapping[str, Any], points: Sequence[Mapping[str, Any]], where: str) -> None:
    for place, part in (("study.grid", grid), *((f"study.points[{i}]", point) for i, point in enumerate(points))):
        if "study" in part:
            raise UsageError(f"{where}: {place}: a study cannot hold another study")
        empty = empty_list(part, place)
        if empty:
            raise UsageError(f"{where}: {empty}: an empty list leaves no run")


def _fractions(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}
