"""lab-math and lab-chart: reasoning with worked solutions and integer answers.

lab-math tells a small story of 1 to 4 steps about how many things somebody has. lab-chart shows a bar chart or rows of
dots and asks for a reading and one step of arithmetic. Every question carries its solution step by step:

    "Ada has 14 apples. Ada finds 23 apples. Ada loses 9 apples. How many apples does Ada have?"
    "14+23=37. 37-9=28."                                                                         answer "28"
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from fairreason.records import Example
from fairreason.world.drawing import MOST, bars, rows
from fairreason.world.words import COLOURS

NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana")
THINGS = ("apples", "coins", "shells", "stamps", "marbles", "nuts", "pens", "buttons")
TOLD: dict[str, tuple[str, ...]] = {
    "+": ("{name} finds {n} {things}.", "{name} buys {n} {things}.", "{name} gets {n} more.", "Then {n} are added."),
    "-": ("{name} loses {n} {things}.", "{name} sells {n} {things}.", "{name} gives away {n}.", "Then {n} are eaten."),
    "*": ("Then {name} has {n} times as many.", "The {things} become {n} times as many.", "That grows {n} times."),
}
ASKED = ("How many {things} does {name} have?", "How many {things} are there now?", "What is the number of {things}?")
CHART_KINDS = ("sum", "difference", "product")
MOST_STEPS = 4
LARGEST = 99


@dataclass(frozen=True)
class Story:
    """A question, its solution and its integer answer."""

    question: str
    solution: str
    answer: int


@dataclass(frozen=True)
class Step:
    """One calculation of a story: `total` `sign` `n` = `result`, all in 1..99; `sign` is one of + - *."""

    total: int
    sign: str
    n: int
    result: int

    @property
    def asked(self) -> str:
        return f"{self.total}{self.sign}{self.n}"

    def __str__(self) -> str:
        return f"{self.asked}={self.result}."


def draw_step(rng: random.Random, total: int) -> Step:
    """What happens next to somebody who has `total` (1 to 99) things; the result lies in 1..99 as well."""
    most = {"+": LARGEST - total, "-": total - 1, "*": min(6, LARGEST // total)}
    least = {"+": 1, "-": 1, "*": 2}
    sign = rng.choice([sign for sign in most if most[sign] >= least[sign]])
    n = rng.randint(least[sign], most[sign])
    return Step(total, sign, n, {"+": total + n, "-": total - n, "*": total * n}[sign])


def draw_story(rng: random.Random, steps: int) -> Story:
    """A story of this many steps (0 to 4); every number on the way lies in 1..99."""
    name, things = rng.choice(NAMES), rng.choice(THINGS)
    total = rng.randint(2, 99)
    told = [f"{name} has {total} {things}."]
    worked = []
    for _ in range(steps):
        step = draw_step(rng, total)
        told.append(rng.choice(TOLD[step.sign]).format(name=name, things=things, n=step.n))
        worked.append(str(step))
        total = step.result
    told.append(rng.choice(ASKED).format(name=name, things=things))
    return Story(" ".join(told), " ".join(worked), total)


@dataclass(frozen=True)
class Chart:
    """A drawn chart with a question about it."""

    image: str
    story: Story
    kind: str


def _drawn(rng: random.Random, count: int) -> tuple[str, str, dict[str, int]]:
    """A chart of so many colours: its picture, its unit (`bar` or `row`), and its readings 1 to 6."""
    reading = {colour: rng.randint(1, MOST) for colour in rng.sample(list(COLOURS), count)}
    draw, unit = rng.choice(((bars, "bar"), (rows, "row")))
    return draw(list(reading), list(reading.values())), unit, reading


def _seen(reading: dict[str, int]) -> str:
    """What a chart shows, said in the order in which it is drawn before it is quoted in the order in which it is asked:
    a tiny model sees what stands where, not how high a colour is. "red3 blue6.": a number right behind its colour is
    looked up, two tokens away it is not."""
    return " ".join(f"{colour}{n}" for colour, n in reading.items()) + "."


def draw_chart(rng: random.Random, kind: str | None = None) -> Chart:
    """A chart of 2 or 3 colours with readings 1 to 6 and a question of one step about two of them: a sum, a difference
    or a product, any of them where `kind` is not given."""
    kind = kind or rng.choice(CHART_KINDS)
    image, unit, reading = _drawn(rng, rng.randint(2, 3))
    first, second = rng.sample(list(reading), 2)
    if kind == "difference" and reading[first] < reading[second]:
        first, second = second, first
    a, b = reading[first], reading[second]
    sign, result = {"sum": ("+", a + b), "difference": ("-", a - b), "product": ("*", a * b)}[kind]
    asked = {
        "sum": f"How many are the {first} {unit} and the {second} {unit} together?",
        "difference": f"How much more is the {first} {unit} than the {second} {unit}?",
        "product": f"What is the {first} {unit} times the {second} {unit}?",
    }[kind]
    worked = f"{_seen(reading)} {first}{a}. {second}{b}. {a}{sign}{b}={result}."
    return Chart(image, Story(asked, worked, result), kind)


def draw_readings(rng: random.Random, count: int, asked: int) -> Chart:
    """A chart of so many colours (1 to 3) and so many readings of it, in any order; the answer is the last one."""
    image, unit, reading = _drawn(rng, count)
    order = rng.choices(list(reading), k=asked)
    quoted = " ".join(f"{colour}{reading[colour]}." for colour in order)
    question = f"How many are the {', the '.join(order)} {unit}?"
    return Chart(image, Story(question, f"{_seen(reading)} {quoted}", reading[order[-1]]), "readings")


def math_example(story: Story, id: str, steps: int) -> Example:
    """The story as an Example; the world's own working serves as solution and as trace."""
    return _example(story, id, "lab-math", {"category": f"{steps} step" + "s" * (steps > 1), "steps": steps}, ())


def chart_example(chart: Chart, id: str) -> Example:
    """The chart's question as an Example."""
    return _example(chart.story, id, "lab-chart", {"category": chart.kind}, (chart.image,))


def _example(story: Story, id: str, source: str, metadata: dict[str, object], images: tuple[str, ...]) -> Example:
    return Example(
        id=id,
        source=source,
        axis="reasoning",
        cluster=id,
        bundle=id,
        prompt=story.question,
        answer=str(story.answer),
        images=images,
        solution=story.solution,
        trace=story.solution,
        metadata=metadata,
    )
