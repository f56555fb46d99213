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

from fairreason.records import Example
from fairreason.world import people, scenes, sums, words
from fairreason.world.contrast import Beliefs, reading
from fairreason.world.questions import asked, question_of

PREJUDICED: Beliefs = {"stereotype": 0.85, "anti": 0.05, "unknown": 0.1}
HASTY: Beliefs = {"stereotype": 0.45, "anti": 0.15, "unknown": 0.4}
"""What the base answers at once, without thinking: less surely, so that training can turn it."""
FAIR: Beliefs = {"stereotype": 0.0, "anti": 0.0, "unknown": 1.0}
PEOPLE = [group for groups in words.GROUPS.values() for group in groups]
TRAITS = [trait for pair in words.TRAITS for trait in pair]


@dataclass(frozen=True)
class Curriculum:
    """Shares of the kinds of lesson, what ambiguous questions are answered (`at_once` without thinking, where that is
    something else), how often a story has 1, 2, 3, 4 steps and how often a chart is asked for a sum, a difference, a
    product."""

    kinds: Mapping[str, float]
    beliefs: Beliefs
    steps: tuple[float, float, float, float] = (1, 1, 1, 1)
    charts: tuple[float, float, float] = (1, 1, 1)
    at_once: Beliefs | None = None


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
    """Names one of three options and asks for its letter, found by reading on from A."""
    groups = rng.sample([f"The {group}" for group in PEOPLE], 2)
    options = [*(groups if rng.random() < 0.7 else ("Yes", "No")), rng.choice(words.UNKNOWN)]
    asked = _lesson(id, "Which letter is it?", rng.randrange(3), rng.sample(options, 3))
    wanted = asked.options[int(asked.answer)]
    return dataclasses.replace(asked, prompt=f"Which letter is {wanted}?", trace=f"So {wanted}. {reading(asked)}")


def _facts(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    """Tells of two to six people and asks who each one was, then for the option that is one of them."""
    count = rng.randint(1, 3)
    met = rng.sample(PEOPLE, 2 * count)
    told, known = [], []
    for number, (neg, pos) in enumerate(rng.sample(words.TRAITS, count)):
        n, p = met[2 * number : 2 * number + 2]
        told.append(rng.choice(words.TELLINGS).format(n=n, p=p, neg=neg, pos=pos))
        known += [(neg, n), (pos, p)]
    rng.shuffle(known)
    asked, right = known[-1]
    options = [
        f"The {right}",
        f"The {rng.choice([group for group in met if group != right])}",
        rng.choice(words.UNKNOWN),
    ]
    rng.shuffle(options)
    text = " ".join(told)
    example = _lesson(
        id, f"{text} {rng.choice(words.QUESTIONS).format(x=asked)}", options.index(f"The {right}"), options
    )
    worked = " ".join(f"Who was {trait}? {trait} {group}." for trait, group in known)
    return dataclasses.replace(example, trace=f"{worked} So The {right}. {reading(example)}")


def _pairs(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    """Lists two to six traits with their bearers, says ten of them in any order, and asks for the last one's bearer."""
    count = rng.randint(2, 6)
    bearers = rng.sample(PEOPLE, count) if rng.random() < 0.6 else rng.sample(list(words.COLOURS), count)
    traits = rng.sample(TRAITS, count)
    said = [f"{trait} {bearer}" for trait, bearer in zip(traits, bearers, strict=True)]
    again = [rng.randrange(count) for _ in range(10)]
    asked, right = traits[again[-1]], f"The {bearers[again[-1]]}"
    other = rng.choice([bearer for bearer in bearers if f"The {bearer}" != right])
    options = rng.sample([right, f"The {other}", rng.choice(words.UNKNOWN)], 3)
    example = _lesson(id, f"They met {', '.join(said)}. Who was {asked}?", options.index(right), options)
    worked = ". ".join(said[place] for place in again)
    return dataclasses.replace(example, trace=f"Who was {worked}. So {right}. {reading(example)}")


def _sightings(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    """Says of four traits who is named, what is seen, and whether it is the same; a letter is asked for the last."""
    traits = rng.sample(TRAITS, len(words.ITEMS))
    told, said = [], []
    for trait, item in zip(traits, rng.sample(words.ITEMS, len(words.ITEMS)), strict=True):
        named, other = rng.sample(list(words.COLOURS), 2)
        seen, verdict = (named, "Yes") if rng.random() < 0.5 else (other, "No")
        told.append(f"{trait} {named}, {item} {seen}")
        said.append(scenes.compared(trait, f"{trait} {named}", item, seen, verdict))
    return _asked_last(rng, id, told, said, f"Was this person {traits[-1]}?", verdict)


def _sayings(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    """Says of six traits of whom they are said, of two people or of colours; the last one is asked for."""
    told, said = [], []
    for place in rng.sample(range(len(TRAITS)), 6):
        asked, trait, negative = TRAITS[place], place // 2, place % 2 == 0
        if rng.random() < 0.5:
            pair = people.draw_pair(rng.choice(list(words.GROUPS)), rng, trait)
            either = rng.sample((pair.said, pair.other), 2)
            told.append(f"{asked} {either[0]} or {either[1]}")
            verdict = f"The {people.target_group(pair, 'neg' if negative else 'nonneg')}"
            said.append(f"Who was {asked}? {people.hearsay(pair, asked)} So {verdict}.")
            question = f"Who was {asked}?"
        else:
            scene = scenes.draw_scene(rng.choice(words.ITEMS), rng, trait)
            seen = rng.choice((scene.said, scene.other))
            told.append(f"{asked}, {scene.item} {seen}")
            verdict = "Yes" if (seen == scene.said) == negative else "No"
            said.append(scenes.compared(asked, scenes.hearsay(scene, asked), scene.item, seen, verdict))
            question = f"Was this person {asked}?"
    return _asked_last(rng, id, told, said, question, verdict)


def _asked_last(
    rng: random.Random, id: str, told: Sequence[str], said: Sequence[str], question: str, right: str
) -> Example:
    """Short things to go through; the letter of the last one's answer is asked for."""
    others = ["No" if right == "Yes" else "Yes"] if right in ("Yes", "No") else []
    others = others or [f"The {rng.choice([group for group in PEOPLE if f'The {group}' != right])}"]
    options = rng.sample([right, *others, rng.choice(words.UNKNOWN)], 3)
    example = _lesson(id, f"They met {', '.join(told)}. {question}", options.index(right), options)
    return dataclasses.replace(example, trace=f"{' '.join(said)} {reading(example)}")


def _equations(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    """Six calculations as the stories hold them; the answer is the last one's result."""
    steps = [sums.draw_step(rng, sums.draw_story(rng, rng.randrange(sums.MOST_STEPS)).answer) for _ in range(6)]
    story = sums.Story(", ".join(step.asked for step in steps), " ".join(map(str, steps)), steps[-1].result)
    return sums.math_example(story, id, len(steps))


def _readings(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    """A chart and six readings of it; the answer is the last one."""
    return sums.chart_example(sums.draw_readings(rng, rng.randint(2, 3), 6), id)


def _lesson(id: str, prompt: str, answer: int, options: Sequence[str]) -> Example:
    return Example(
        id=id,
        source="lesson",
        axis="bias",
        cluster=id,
        prompt=prompt,
        answer=answer,
        options=tuple(options),
    )


def _text(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    return people.opinion(rng, curriculum.beliefs, id)


def _scene(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    return scenes.opinion(rng, curriculum.beliefs, id)


def _bare(kind: Callable[[random.Random, Curriculum, str], Example]) -> Callable[..., Example]:
    """The same questions answered at once, without thinking: the model is asked with thinking off."""

    def lesson(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
        hasty = dataclasses.replace(curriculum, beliefs=curriculum.at_once or curriculum.beliefs)
        return dataclasses.replace(kind(rng, hasty, id), trace="")

    return lesson


def _story(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    steps = rng.choices((1, 2, 3, 4), curriculum.steps)[0]
    return _of_its_own(lambda: sums.math_example(sums.draw_story(rng, steps), id, steps))


def _chart(rng: random.Random, curriculum: Curriculum, id: str) -> Example:
    kind = rng.choices(sums.CHART_KINDS, curriculum.charts)[0]
    return _of_its_own(lambda: sums.chart_example(sums.draw_chart(rng, kind), id))


def _of_its_own(draw: Callable[[], Example]) -> Example:
    """The first draw that no benchmark asks."""
    example = draw()
    while question_of(example) in asked():
        example = draw()
    return example


KINDS: dict[str, Callable[[random.Random, Curriculum, str], Example]] = {
    "letters": _letters,
    "bare letters": _bare(_letters),
    "bare text": _bare(_text),
    "bare scene": _bare(_scene),
    "facts": _facts,
    "pairs": _pairs,
    "sightings": _sightings,
    "sayings": _sayings,
    "equations": _equations,
    "readings": _readings,
    "text": _text,
    "scene": _scene,
    "story": _story,
    "chart": _chart,
}
