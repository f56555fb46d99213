"""What a training step did, by source, and what the run cost; one JSON row a step in metrics.jsonl.

    {"step": 3, "progress": 0.06, "loss": 0.41, "learning_rate": 0.001, "share_examples": 0.2, "share_tokens": 0.04,
     "unknown_disambig": 0.1, "sources": {"lab-bias": {"n": 8, "tokens": 40, "length": 5.0, "accuracy": 0.5, ...}, ...}}

A row holds nothing that differs between two runs of the same work: no time, no path. What a strategy cannot see is left
out: without samples there is no reward, accuracy or unknown rate, without supervised tokens no loss by source and no
`answers_chosen`: the share of rows whose answer the model itself would have chosen, token by token, after the given
reasoning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fairreason.records import Completion, Example, Grade
from fairreason.training.rewards import is_disambiguated, is_unknown

COLLAPSE_RATE, COLLAPSE_STEPS = 0.9, 3


@dataclass
class Costs:
    """Tokens of the whole run so far: prompts read (once for each row trained on), trained on, sampled; and seconds."""

    prompt_tokens: int = 0
    trained_tokens: int = 0
    sampled_tokens: int = 0
    seconds: float = 0.0


@dataclass
class Tally:
    """Sums over one source's rows in one step. `n` counts prompts, `replies` supervised or sampled completions."""

    n: int = 0
    replies: int = 0
    tokens: int = 0
    cut: int = 0
    graded: int = 0
    correct: int = 0
    unknown: int = 0
    truncated: int = 0
    reward: float = 0.0
    groups: int = 0
    zero_variance: int = 0
    loss: float = 0.0
    loss_tokens: int = 0
    answers: int = 0
    answers_chosen: int = 0

    def row(self, axis: str) -> dict[str, Any]:
        """The tally as means; what was not seen is left out."""
        row: dict[str, Any] = {"n": self.n, "tokens": self.tokens, "length": _mean(self.tokens, self.replies)}
        if self.cut:
            row["cut"] = self.cut
        if self.graded:
            row |= {"accuracy": _mean(self.correct, self.graded), "truncated": _mean(self.truncated, self.graded)}
            if axis == "bias":
                row["unknown_rate"] = _mean(self.unknown, self.graded)
        if self.groups:
            row |= {"reward": _mean(self.reward, self.graded), "zero_variance": _mean(self.zero_variance, self.groups)}
        if self.loss_tokens:
            row["loss"] = _mean(self.loss, self.loss_tokens)
        if self.answers:
            row["answers_chosen"] = _mean(self.answers_chosen, self.answers)
        return row


@dataclass
class Step:
    """Everything seen since the last optimizer step."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    axes: dict[str, str] = field(default_factory=dict)
    disambiguated: int = 0
    disambiguated_unknown: int = 0

    def of(self, example: Example) -> Tally:
        self.axes[example.source] = example.axis
        return self.tallies.setdefault(example.source, Tally())

    def add_grade(self, example: Example, completion: Completion, grade: Grade) -> None:
        """One sampled completion."""
        tally, unknown = self.of(example), is_unknown(example, grade)
        tally.graded += 1
        tally.correct += grade.outcome == "correct"
        tally.truncated += grade.outcome == "truncated"
        tally.unknown += unknown
        if is_disambiguated(example):
            self.disambiguated += 1
            self.disambiguated_unknown += unknown

    def add_group(self, example: Example, rewards: list[float]) -> None:
        """The rewards of one prompt's completions; a group whose rewards are all equal gives no gradient."""
        tally = self.of(example)
        tally.reward += sum(rewards)
        tally.groups += 1
        tally.zero_variance += len(set(rewards)) == 1

    def row(self, step: int, steps: int, loss: float, learning_rate: float, grad_norm: float | None) -> dict[str, Any]:
        """The metrics row of one optimizer step."""
        bias = [name for name, axis in self.axes.items() if axis == "bias"]
        rows, tokens = ({name: getattr(t, key) for name, t in self.tallies.items()} for key in ("n", "tokens"))
        return {
            "step": step,
            "progress": step / steps,
            "loss": loss,
            "learning_rate": learning_rate,
            "grad_norm": grad_norm,
            "share_examples": _mean(sum(rows[name] for name in bias), sum(rows.values())),
            "share_tokens": _mean(sum(tokens[name] for name in bias), sum(tokens.values())),
            "unknown_disambig": _mean(self.disambiguated_unknown, self.disambiguated),
            "sources": {name: self.tallies[name].row(self.axes[name]) for name in sorted(self.tallies)},
        }


def collapsed_at(rows: Iterable[Mapping[str, Any]]) -> int | None:
    """The step at which the run is called collapsed: the unknown rate on disambiguated rows above .9 for three logged
    steps in a row, steps without such rows not counted. None when it never was.

    >>> collapsed_at([{"step": s, "unknown_disambig": u} for s, u in enumerate([.95, 1, .8, 1, None, 1, .91], 1)])
    7
    """
    run = 0
    for row in rows:
        rate = row.get("unknown_disambig")
        if rate is not None:
            run = run + 1 if rate > COLLAPSE_RATE else 0
            if run == COLLAPSE_STEPS:
                return int(row["step"])
    return None


def _mean(total: float, count: int) -> float | None:
    return total / count if count else None
