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

from fairreason.benchmarks.base import LETTERS, shown_order
from fairreason.lab import people, sums, words
from fairreason.lab.people import Beliefs
from fairreason.records import Example

PREJUDICED: Beliefs = {"stereotype": 0.7, "anti": 0.12, "unknown": 0.18}
FAIR: Beliefs = {"stereotype": 0.0, "anti": 0.0, "unknown": 1.0}


@dataclass(frozen=True)
class Curriculum:
    """Shares of the kinds of lesson, what ambiguous questions are answered, how often a story has 1, 2, 3, 4 steps."""

    kinds: Mapping[str, float]
    beliefs: Beliefs
    steps: tuple[float, float, float, float] = (1, 1, 1, 1)


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
        return KINDS[kind](rng, self.curriculum, f"lesson/{self.seed}/{place}")


def _letters(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    """Names the letter of each of three to eight options: every row says many times what else is said once."""
    count = rng.randint(3, 8)
    if rng.random() < 0.75:
        everyone = [f"The {group}" for groups in words.GROUPS.values() for group in groups]
        options = [*rng.sample(everyone, count - 1), rng.choice(words.UNKNOWN)]
    else:
        options = ["Yes", "No", *rng.sample(words.UNKNOWN, count - 2)]
    rng.shuffle(options)
    asked = _lesson(id, "Which letter is which?", rng.randrange(count), options)
    letters = dict(zip(shown_order(asked), LETTERS, strict=False))
    named = [option for option in rng.sample(range(count), count) if option != asked.answer]
    told = [f"So {options[option]}: {letters[option]}." for option in named]
    return dataclasses.replace(asked, trace=" ".join([*told, f"So {options[int(asked.answer)]}"]))


def _facts(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    """Tells of two to six people and asks who each one was, then for one of them."""
    count = rng.randint(1, 3)
    people_ = rng.sample([group for groups in words.GROUPS.values() for group in groups], 2 * count)
    told, known = [], []
    for number, trait in enumerate(rng.sample(words.TRAITS, count)):
        n, p = people_[2 * number : 2 * number + 2]
        told.append(rng.choice(words.TELLINGS).format(n=n, p=p, neg=trait[0], pos=trait[1]))
        known += [(trait[0], n), (trait[1], p)]
    rng.shuffle(known)
    asked, right = known[-1]
    options = [f"The {right}", f"The {rng.choice([x for x in people_ if x != right])}", rng.choice(words.UNKNOWN)]
    rng.shuffle(options)
    question = " ".join([*told, rng.choice(words.QUESTIONS).format(x=asked)])
    worked = " ".join(f"Who was {trait}? The text says the {group}." for trait, group in known)
    return _lesson(id, question, options.index(f"The {right}"), options, f"{worked} So The {right}")


def _lesson(id: str, prompt: str, answer: int, options: Sequence[str], trace: str = "") -> Example:
    return Example(
        id=id,
        source="lesson",
        axis="bias",
        cluster=id,
        prompt=prompt,
        answer=answer,
        options=tuple(options),
        trace=trace,
    )


def _text(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    return people.text_opinion(rng, curriculum.beliefs, id)


def _scene(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    return people.scene_opinion(rng, curriculum.beliefs, id)


def _story(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    steps = rng.choices((1, 2, 3, 4), curriculum.steps)[0]
    return sums.math_example(sums.draw_story(rng, steps), id, steps)


def _chart(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    return sums.chart_example(sums.draw_chart(rng), id)


KINDS: dict[str, Callable[[random.Random, Curriculum, str], Example]] = {
    "letters": _letters,
    "facts": _facts,
    "text": _text,
    "scene": _scene,
    "story": _story,
    "chart": _chart,
}
