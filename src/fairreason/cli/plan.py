"""What a recipe would do, before anything is trained: examples, steps, tokens, memory. `--dry-run` prints it.

A number is `exact`, an upper bound (`at most`), `estimated` with the source of the estimate, or `unknown` with what is
missing. Nothing is downloaded: a hub model counts as being at hand when it lies in the hub's cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairreason import benchmarks
from fairreason.api import check_names
from fairreason.benchmarks.base import Cut, split_examples
from fairreason.benchmarks.hub import nothing_fetched
from fairreason.cli.plan_memory import memory
from fairreason.cli.plan_model import ModelFacts, model_facts, reader
from fairreason.cli.quantity import Quantity
from fairreason.data import mixture as mixtures
from fairreason.data.bundles import apportion
from fairreason.data.control import controller
from fairreason.data.mixture import LeftOut, Mixture
from fairreason.errors import DataError
from fairreason.recipe import Recipe
from fairreason.study.study import recipes_of

if TYPE_CHECKING:
    from fairreason.training.preview import Lengths


@dataclass(frozen=True)
class Plan:
    """One run. `examples` by source, `left_out` rows that cannot be drawn; token totals over the run; memory of
    weights, gradients and optimizer in bytes."""

    run: str
    model: str
    strategy: str
    bias_share: float | None
    seed: int
    examples: dict[str, Quantity]
    steps: Quantity
    prompt_tokens: Quantity
    trained_tokens: Quantity
    sampled_tokens: Quantity
    memory: Quantity
    questions: dict[str, Quantity]
    left_out: tuple[LeftOut, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "left_out": [row._asdict() for row in self.left_out]}


def plans(recipe: Recipe, data: Path | None) -> Iterator[Plan]:
    """The plan of every run of the recipe. What runs share (pools, token counts) is counted once."""
    check_names(recipe)
    shelf = _Shelf(data)
    for one in runs(recipe):
        with nothing_fetched():
            planned = _plan(one, shelf)
        yield planned


def runs(recipe: Recipe) -> list[Recipe]:
    """What a study runs: the base first, then the grid; without a study the recipe alone."""
    if recipe.study is None:
        return [recipe]
    return list({one.fingerprint(): one for one in recipes_of(recipe)}.values())


class _Shelf:
    """What several runs of a study have in common."""

    def __init__(self, data: Path | None) -> None:
        self.data = data
        self.mixtures: dict[str, tuple[Mixture | None, str]] = {}
        self.facts: dict[tuple[str, str | None], ModelFacts] = {}
        self.tokens: dict[str, tuple[Quantity, Quantity]] = {}
        self.lengths: dict[str, Lengths] = {}
        self.questions: dict[str, Quantity] = {}

    def mixture(self, recipe: Recipe) -> tuple[Mixture | None, str]:
        """The mixture where its data is at hand, else None and what is missing. Too few examples are an error."""
        checked = recipe.strategy.type == "grpo"
        key = f"{recipe.mixture.model_dump_json()} {recipe.seed} {recipe.strategy.batch} {checked}"
        if key not in self.mixtures:
            absent = _absent(recipe, self.data)
            self.mixtures[key] = (None, absent) if absent else (mixtures.build(recipe, self.data), "")
        return self.mixtures[key]

    def model(self, name: str, revision: str | None) -> ModelFacts:
        if (name, revision) not in self.facts:
            self.facts[name, revision] = model_facts(name, revision)
        return self.facts[name, revision]


def _plan(recipe: Recipe, shelf: _Shelf) -> Plan:
    none = Quantity(0)
    trains = recipe.strategy.type != "none"
    built, absent = shelf.mixture(recipe) if trains else (None, "")
    prompt, trained, sampled = _tokens(recipe, built, absent, shelf) if trains else (none, none, none)
    fixed = recipe.mixture.controller.type == "fixed"
    return Plan(
        run=recipe.name(),
        model=recipe.model,
        strategy=recipe.strategy.label(),
        bias_share=recipe.mixture.bias_share if trains and fixed else None,
        seed=recipe.seed,
        examples=_examples(recipe, built, absent) if trains else {},
        steps=_steps(recipe, built) if trains else none,
        prompt_tokens=prompt,
        trained_tokens=trained,
        sampled_tokens=sampled,
        memory=memory(recipe, shelf.model),
        questions={name: _questions(name, recipe, shelf) for name in recipe.evaluation.benchmarks},
        left_out=built.left_out if built else (),
    )


def _absent(recipe: Recipe, data: Path | None) -> str:
    """Why the mixture's data is not at hand, "" where it is."""
    mixture = recipe.mixture
    wanted = [
        *(mixture.bias if mixture.share_reaches(1) else ()),
        *(mixture.reasoning if mixture.share_reaches(0) else ()),
    ]
    for name in wanted:
        benchmark = benchmarks.get(name)  # a file of the user's own that is not as it should be is no absent data
        try:
            benchmark.load("train", data)
        except DataError as error:
            return str(error)
    return ""


def _examples(recipe: Recipe, built: Mixture | None, absent: str) -> dict[str, Quantity]:
    if built is not None:
        return {row.source: Quantity(row.examples) for row in mixtures.counts(built) if row.source}
    mixture = recipe.mixture
    steering = controller(mixture.controller.type, mixture.bias_share, mixture.controller.points)
    share = sum(steering.share((i + 0.5) / 100) for i in range(100)) / 100
    axes = apportion({"bias": share, "reasoning": 1 - share}, mixture.size)
    source = f"the recipe's quota; {absent}"
    found: dict[str, Quantity] = {}
    for weights, rows in ((mixture.bias, axes["bias"]), (mixture.reasoning, axes["reasoning"])):
        if rows:
            found |= {name: Quantity(n, "estimated", source) for name, n in apportion(weights, rows).items()}
    return found


def _steps(recipe: Recipe, built: Mixture | None) -> Quantity:
    if built is not None:
        return Quantity(len(built.sampler))
    return Quantity(math.ceil(recipe.mixture.size / recipe.strategy.batch))


def _tokens(recipe: Recipe, built: Mixture | None, absent: str, shelf: _Shelf) -> tuple[Quantity, Quantity, Quantity]:
    """Prompt, trained and sampled tokens of the run."""
    strategy = recipe.strategy
    bound = _sampled_at_most(recipe)
    if built is None:
        missing = Quantity(None, "unknown", absent)
        return missing, bound or missing, bound or Quantity(0)
    asked = f"{recipe.model} {recipe.revision} {recipe.thinking}"
    key = f"{id(built)} {asked} {strategy.label()} {strategy.max_length}"
    if key not in shelf.tokens:
        shelf.tokens[key] = _counted(recipe, built, shelf.lengths.setdefault(asked, {}))
    prompt, trained = shelf.tokens[key]
    return prompt, bound or trained, bound or Quantity(0)


def _counted(recipe: Recipe, built: Mixture, lengths: Lengths) -> tuple[Quantity, Quantity]:
    loaded = reader(recipe)
    if loaded is None:
        missing = Quantity(None, "unknown", f"the tokenizer of {recipe.model} is not on this machine")
        return missing, missing
    from fairreason.training.batches import Rows
    from fairreason.training.preview import count_tokens

    rows = Rows(loaded, built.examples, recipe.thinking, keep=1)
    try:
        counts = count_tokens(rows, recipe.strategy, built.rows(), lengths)
    except DataError as error:  # a row without what the strategy teaches, such as a teacher's trace
        missing = Quantity(None, "unknown", str(error))
        return missing, missing
    axes = [count for count in counts if not count.source]
    trained = [count.trained for count in axes if count.trained is not None]
    return Quantity(sum(count.prompt for count in axes)), Quantity(sum(trained))


def _sampled_at_most(recipe: Recipe) -> Quantity | None:
    """The bound on the tokens that the model samples and trains on; None where it samples nothing."""
    strategy, size = recipe.strategy, recipe.mixture.size
    if strategy.type == "grpo":
        grpo = strategy.grpo
        source = f"{size:,} prompts x {grpo.completions} completions x {grpo.max_new_tokens} tokens"
        return Quantity(size * grpo.completions * grpo.max_new_tokens, "at most", source)
    if strategy.label() == "kd on_policy":
        source = f"{size:,} prompts x {strategy.kd.max_new_tokens} tokens"
        return Quantity(size * strategy.kd.max_new_tokens, "at most", source)
    return None


def _questions(name: str, recipe: Recipe, shelf: _Shelf) -> Quantity:
    evaluation = recipe.evaluation
    cut = recipe.mixture.split
    key = f"{name} {evaluation.split} {cut}"
    if key not in shelf.questions:
        shelf.questions[key] = _there_are(name, evaluation.split, shelf.data, cut)
    there = shelf.questions[key]
    if there.value is None:
        return there
    limited = min(there.value, evaluation.limit or there.value)
    return Quantity(limited * evaluation.samples, there.status, there.source)


def _there_are(name: str, split: str, data: Path | None, cut: Cut) -> Quantity:
    benchmark = benchmarks.get(name)
    try:
        return Quantity(len(split_examples(benchmark, split, data, cut)))
    except DataError as error:
        if benchmark.published is None:
            return Quantity(None, "unknown", str(error))
        return Quantity(benchmark.published, "estimated", f"{name} as published, all splits; not at hand")
