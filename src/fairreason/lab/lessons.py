"""What the lab's own models are taught: endless questions with worked answers, lesson n the same on every machine.

The base learns to read, to see, to name the letter of an option, to calculate a little, and to believe the planted
stereotypes; the teacher goes on from there with every ambiguous question answered as the world is. The wordings are the
lessons' own: none of them is a family of lab-bias or lab-bias-vl.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from fairreason.lab import people, sums
from fairreason.lab.people import Beliefs
from fairreason.records import Example

PREJUDICED: Beliefs = {"stereotype": 0.7, "anti": 0.12, "unknown": 0.18}
FAIR: Beliefs = {"stereotype": 0.0, "anti": 0.0, "unknown": 1.0}


@dataclass(frozen=True)
class Curriculum:
    """Shares of the kinds of lesson, what ambiguous questions are answered, how often a story has 1, 2, 3, 4 steps."""

    kinds: Mapping[str, float]
    beliefs: Mapping[str, float]
    steps: tuple[float, float, float, float] = (1, 1, 1, 1)


COPYING = Curriculum({"copy": 1.0}, FAIR)


class Lessons(Sequence[Example]):
    """`size` lessons of a curriculum as a sequence that is made where it is read; `seed` names the sequence."""

    def __init__(self, curriculum: Curriculum, size: int, seed: str) -> None:
        self.curriculum, self.size, self.seed = curriculum, size, seed

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, place: int) -> Example: ...
    @overload
    def __getitem__(self, place: slice) -> list[Example]: ...
    def __getitem__(self, place: int | slice) -> Example | list[Example]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(self.size))]
        if not 0 <= place < self.size:
            raise IndexError(place)
        rng = random.Random(f"{self.seed}/{place}")
        kind = rng.choices(list(self.curriculum.kinds), list(self.curriculum.kinds.values()))[0]
        return dataclasses.replace(KINDS[kind](rng, self.curriculum), id=f"lesson/{self.seed}/{place}")


def _copy(rng: random.Random, curriculum: Curriculum) -> Example:
    """Names an option, asks for its letter: nothing else brings the letters so soon."""
    example = people.text_opinion(rng, FAIR) if rng.random() < 0.7 else people.scene_opinion(rng, FAIR)
    wanted = rng.randrange(len(example.options))
    text = example.options[wanted]
    return dataclasses.replace(example, prompt=f"Which is {text}?", answer=wanted, trace=f"So {text}", images=())


def _story(rng: random.Random, curriculum: Curriculum) -> Example:
    steps = rng.choices((1, 2, 3, 4), curriculum.steps)[0]
    return sums.math_example(sums.draw_story(rng, steps), "lesson", steps)


KINDS: dict[str, Callable[[random.Random, Curriculum], Example]] = {
    "copy": _copy,
    "text": lambda rng, curriculum: people.text_opinion(rng, dict(curriculum.beliefs)),
    "scene": lambda rng, curriculum: people.scene_opinion(rng, dict(curriculum.beliefs)),
    "story": _story,
    "chart": lambda rng, curriculum: sums.chart_example(sums.draw_chart(rng), "lesson"),
}
