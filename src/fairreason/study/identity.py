"""What a run's result depends on, as hashes: the weights of its model and teacher, the examples it reads."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from fairreason import benchmarks
from fairreason.benchmarks.base import split_examples
from fairreason.data.mixture import training_examples
from fairreason.models import folder
from fairreason.recipe import Recipe
from fairreason.records import Axis, Example, to_json
from fairreason.study.remembered import Remembered


class Identity:
    """Fingerprints of recipes on one data folder; every model and source is hashed once. `pictures` is a file in which
    the hashes of pictures are kept from call to call (study/remembered.py), None for none."""

    def __init__(self, data: Path | None, pictures: Path | None = None) -> None:
        self.data = data
        self._pictures = Remembered(pictures)
        self._models: dict[tuple[str, str | None], folder.Source] = {}
        self._weights: dict[tuple[str, str | None], str] = {}
        self._examples: dict[str, str] = {}

    def fingerprint(self, recipe: Recipe) -> str:
        """The recipe's fingerprint with all that it reads. Raises DataError and ModelError where that is absent."""
        kd = recipe.strategy.kd
        on_policy = recipe.strategy.label() == "kd on_policy"
        return recipe.fingerprint(
            weights=self.weights(recipe, recipe.model, recipe.revision),
            teacher=self.weights(recipe, kd.teacher, kd.teacher_revision) if on_policy else "",
            data=self.examples(recipe),
        )

    def settled(self, recipe: Recipe) -> Recipe:
        """The recipe with each hub name at the commit that was resolved, so that a run asks for no other."""
        changes: dict[str, object] = {}
        if (commit := self.model(recipe, recipe.model, recipe.revision).commit) is not None:
            changes["revision"] = commit
        if recipe.strategy.label() == "kd on_policy":
            kd = recipe.strategy.kd
            if (commit := self.model(recipe, kd.teacher, kd.teacher_revision).commit) is not None:
                changes["strategy"] = {"kd": {"teacher_revision": commit}}
        return recipe.with_changes(changes) if changes else recipe

    def weights(self, recipe: Recipe, name: str, revision: str | None) -> str:
        key = (name, revision)
        if key not in self._weights:
            self._weights[key] = folder.fingerprint(self.model(recipe, name, revision))
        return self._weights[key]

    def model(self, recipe: Recipe, name: str, revision: str | None) -> folder.Source:
        """Where the model lies; a hub name is downloaded once, at one commit."""
        key = (name, revision)
        if key not in self._models:
            self._models[key] = folder.locate(
                name,
                revision=revision,
                trust_remote_code=recipe.trust_remote_code,
                unsafe_weights=recipe.unsafe_weights,
            )
        return self._models[key]

    def examples(self, recipe: Recipe) -> dict[str, str]:
        """Hash by source (`train/<name>`) and benchmark (`<split>/<name>`; behind `rows/` where rows are split one by
        one), of those that the recipe reads."""
        mixture, found = recipe.mixture, {}
        cut = "" if mixture.split == "cluster" else "rows/"
        if recipe.strategy.type != "none":
            axes: tuple[tuple[Axis, bool], ...] = (
                ("bias", mixture.share_reaches(1)),
                ("reasoning", mixture.share_reaches(0)),
            )
            for axis, read in axes:
                for name in getattr(mixture, axis) if read else ():
                    key = f"{cut}train/{name}"
                    if key not in self._examples:
                        rows = training_examples(name, axis, mixture.split, self.data)
                        self._examples[key] = digest(rows, self._pictures)
                    found[key] = self._examples[key]
        for name in recipe.evaluation.benchmarks:
            key = f"{cut}{recipe.evaluation.split}/{name}"
            if key not in self._examples:
                asked = split_examples(benchmarks.get(name), recipe.evaluation.split, self.data, mixture.split)
                self._examples[key] = digest(asked, self._pictures)
            found[key] = self._examples[key]
        return found


def digest(examples: list[Example], pictures: Remembered) -> str:
    """SHA-256 over the examples in their order; a picture in a file counts by its content, not by its place."""
    whole = hashlib.sha256()
    for example in examples:
        row = to_json(example)
        row["images"] = [pictures.hash(reference) for reference in example.images]
        whole.update(json.dumps(row, sort_keys=True, ensure_ascii=False, default=str).encode())
    pictures.keep()
    return whole.hexdigest()
