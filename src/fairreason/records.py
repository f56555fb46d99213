"""The plain records that every part speaks: Example, Completion, Grade, Measure, Estimate, Score.

All are frozen dataclasses and go through JSON unchanged (`to_json`, `from_json`), except Measure, which holds arrays.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from fairreason.errors import DataError

if TYPE_CHECKING:
    import numpy as np

Axis = Literal["bias", "reasoning"]
Outcome = Literal["correct", "wrong", "unparsed", "truncated", "error"]
OUTCOMES: tuple[Outcome, ...] = ("correct", "wrong", "unparsed", "truncated", "error")
FinishReason = Literal["stop", "length", "error"]


@dataclass(frozen=True, slots=True)
class Example:
    """One question. `options` stand in the published order, whatever order is shown; `answer` is a 0-based index into
    them, or a text where there are none.

    `cluster` is the unit that is drawn when an error is estimated and that no split cuts; `bundle` is what belongs
    together in a batch (the four rows of a BBQ quadruple) and is never cut across generation batches.
    `images` are what fairreason.pictures opens: paths, data URLs, members of a zip. `solution` is the source's own
    worked solution, `trace` a teacher's reasoning (without the final answer). Bias metadata: `category`, `condition`
    (ambig | disambig | neg | non_neg), `target` and `unknown` (0-based option indices, None where undefined).
    """

    id: str
    source: str
    axis: Axis
    cluster: str
    prompt: str
    answer: int | str
    options: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    bundle: str = ""
    solution: str | None = None
    trace: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered to one example: raw text (thinking part included), why it stopped, token counts; in mode
    `letters` the probability of each letter shown, in hundredths."""

    text: str
    finish_reason: FinishReason = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    probabilities: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Grade:
    """What became of one completion. `choice` is a 0-based index in the published order (options), `answer` the text
    that was read (no options), `rule` names the reading rule that fired; unparsed and truncated have neither."""

    outcome: Outcome
    choice: int | None = None
    answer: str | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its standard error, 95 % interval, rows and clusters. None where undefined."""

    value: float | None
    stderr: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    clusters: int


@dataclass(frozen=True, slots=True)
class Score:
    """One row of scores: a metric of a benchmark, for a category (None: mean over categories) and a condition."""

    benchmark: str
    metric: str
    category: str | None
    condition: str | None
    value: float | None
    stderr: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    clusters: int


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric before its error is known: offset + Σ_s coefficient[s] · (Σ_{i in s} value_i / Σ_{i in s} weight_i).

    With one stratum and weights 1 it is a mean of rows; with several strata a mean over categories, or F; with weights
    0/1 a ratio such as s_DIS. A stratum whose weights sum to 0 makes the metric undefined.
    `values`, `weights` are float arrays over the N rows, `strata` an int array of stratum codes, `clusters` an array of
    N cluster names, `coefficients` one float a stratum.
    """

    metric: str
    category: str | None
    condition: str | None
    values: np.ndarray
    weights: np.ndarray
    strata: np.ndarray
    clusters: np.ndarray
    coefficients: np.ndarray
    offset: float = 0.0


Record = TypeVar("Record")


def to_json(record: Any) -> dict[str, Any]:
    """The record as a JSON object, fields in their order."""
    return dataclasses.asdict(record)


def from_json(kind: type[Record], row: Mapping[str, Any]) -> Record:
    """The record of this kind from its JSON object. Raises DataError on a missing or unknown field."""
    tuples = {"options", "images", "probabilities"}
    try:
        return kind(**{key: tuple(value) if key in tuples else value for key, value in row.items()})
    except TypeError as error:
        raise DataError(f"not a {kind.__name__}: {error}") from None
