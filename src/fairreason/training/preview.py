"""What would be trained on, before it is: tokens by source, and rows exactly as the trainer encodes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from fairreason.data.bundles import AXES
from fairreason.data.mixture import Mixture
from fairreason.recipe import Strategy
from fairreason.records import Axis, Example
from fairreason.training.batches import Rows
from fairreason.training.targets import own_solution, target, teacher_trace

TAUGHT = {"sft": own_solution, "kd": teacher_trace}
"""The reasoning that a strategy (by its label) teaches; the others learn from what the model samples."""


class TokenCount(NamedTuple):
    """Tokens that a source (source "": the whole axis) brings over the run. `trained` and its `share` are None where
    the model samples its completions, whose length nobody knows beforehand."""

    axis: Axis
    source: str
    prompt: int
    trained: int | None
    share: float | None


class Rendered(NamedTuple):
    """A row as the model reads it: decoded from its tokens, control tokens shown; `completion` "" if it is sampled."""

    id: str
    source: str
    prompt: str
    completion: str


Lengths = dict[tuple[str, str], int]
"""A prompt's tokens by the example's source and id."""


def count_tokens(
    rows: Rows, strategy: Strategy, drawn: Sequence[int], lengths: Lengths | None = None
) -> list[TokenCount]:
    """Prompt and trained tokens of the rows drawn, by source, each axis followed by its total. `lengths` carries what
    one call has counted to the next, for mixtures of the same model and thinking."""
    lengths = {} if lengths is None else lengths
    prompts: dict[tuple[Axis, str], int] = defaultdict(int)
    trained: dict[tuple[Axis, str], int] = defaultdict(int)
    taught = completions(rows, strategy)
    for row in drawn:
        example = rows.examples[row]
        if (example.source, example.id) not in lengths:
            lengths[example.source, example.id] = len(rows.prompt(row).input_ids)
        prompt = lengths[example.source, example.id]
        completion = len(taught(example)[: room(strategy, prompt)]) if taught else 0
        for key in ((example.axis, example.source), (example.axis, "")):
            prompts[key] += prompt
            trained[key] += completion
    whole = max(sum(n for (_, source), n in trained.items() if not source), 1)
    keys = [key for axis in AXES for key in (*sorted(k for k in prompts if k[0] == axis and k[1]), (axis, ""))]
    if taught is None:
        return [TokenCount(*key, prompts[key], None, None) for key in keys]
    return [TokenCount(*key, prompts[key], trained[key], trained[key] / whole) for key in keys]


def render(mixture: Mixture, rows: Rows, strategy: Strategy, each: int = 1) -> list[Rendered]:
    """The first `each` rows of every source that the run draws, in the order in which it draws them."""
    shown: dict[str, int] = defaultdict(int)
    taught, found = completions(rows, strategy), []
    for row in mixture.rows():
        example = mixture.examples[row]
        if shown[example.source] < each:
            shown[example.source] += 1
            prompt = rows.prompt(row).input_ids
            ids = [prompt, taught(example)[: room(strategy, len(prompt))] if taught else []]
            texts = (rows.loaded.tokenizer.decode(one, skip_special_tokens=False) if one else "" for one in ids)
            found.append(Rendered(example.id, example.source, *texts))
    return found


def completions(rows: Rows, strategy: Strategy) -> Callable[[Example], list[int]] | None:
    """Example to the tokens it is taught with, None where the model samples."""
    reasoning = TAUGHT.get(strategy.label())
    return None if reasoning is None else lambda example: rows.completion(*target(example, reasoning))


def room(strategy: Strategy, prompt: int) -> int:
    """Tokens of the completion that fit under `max_length` behind a prompt of so many."""
    return max(0, strategy.max_length - prompt)
