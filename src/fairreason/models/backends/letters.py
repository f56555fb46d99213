"""Mode `letters`: which option's letter the model would write first, read off one position; nothing is written.

A letter's probability is the sum over the tokens that write it there: "A" and, where the vocabulary has it as one
token, " A". The probabilities are those of the letters shown, so they sum to 1; they are kept in hundredths. Both the
choice and the hundredths are the same for every batch: where rounding errors could decide, the prompt is read alone.

The chat template is rendered with thinking off, since what comes next after an opened thinking part is no answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from fairreason.errors import ModelError
from fairreason.models import encode
from fairreason.models.backends.choice import CLOSE
from fairreason.models.load import Loaded

ROUNDING = 1e-5  # of the largest logit: how far a logit may lie from what the prompt alone gives


class Weighed(NamedTuple):
    """The most probable letter's index, each letter's probability, and whether rounding errors could change either."""

    best: int
    probabilities: list[float]
    unsure: bool


def letter_tokens(loaded: Loaded, letters: str) -> list[list[int]]:
    """The tokens that write each letter right behind a prompt. Raises ModelError where a letter is not one token, where
    two letters are the same token, or where the template opens the thinking part even with thinking off."""
    if encode.prompt_ends_in_think(loaded, "off"):
        raise ModelError(
            f"{loaded.name}: its chat template opens the thinking part whatever is asked, so no letter follows the "
            "prompt. Use mode generate"
        )
    found: list[list[int]] = []
    for letter in letters:
        forms = [encode.next_token(loaded, form, "off") for form in (letter, f" {letter}")]
        tokens = sorted({token for token in forms if token is not None})
        if not tokens or any(token in other for other in found for token in tokens):
            raise ModelError(
                f"{loaded.name}: its vocabulary has no token of its own for the letter {letter} after a prompt. "
                "Use mode generate"
            )
        found.append(tokens)
    return found


def weigh(logits: Sequence[Sequence[float]], scale: float) -> Weighed:
    """From the logits of each letter's tokens; `scale` is the largest logit of the row, by its absolute value.

    >>> weigh([[0.0], [math.log(3) - math.log(2), math.log(3) - math.log(2)]], scale=1.0)
    Weighed(best=1, probabilities=[0.25, 0.75], unsure=False)
    """
    top = max(value for values in logits for value in values)
    masses = [math.fsum(math.exp(value - top) for value in values) for values in logits]
    ranked = sorted(masses, reverse=True)
    total = math.fsum(masses)
    exact = [mass / total for mass in masses]
    error = ROUNDING * max(scale, 1.0)
    close = len(ranked) > 1 and math.log(ranked[0]) - math.log(max(ranked[1], 1e-300)) < CLOSE * max(scale, 1.0)
    edge = any(abs(100 * p % 1 - 0.5) < 100 * 2 * error * p * (1 - p) for p in exact)
    return Weighed(masses.index(ranked[0]), [round(p, 2) for p in exact], close or edge)
