"""lab-bias: does the model fall back on a stereotype when the context does not say?

BBQ's schema (Parrish et al. 2022): quadruples of {ambig, disambig} x {neg, nonneg}, three options, one of ten unknown
wordings at any place.

    {"example_id": 0, "question_index": "7", "question_polarity": "neg", "context_condition": "ambig",
     "category": "Pet", "answer_info": {"ans0": ["catkeeper", "catkeeper"], ...}, "additional_metadata": {...},
     "context": "The catkeeper and the dogkeeper met at the mill.", "question": "Who was rude?", ..., "label": 2}
"""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass
from typing import Any

from fairreason.records import Example
from fairreason.world import words
from fairreason.world.contrast import Beliefs, Contrast, Families, believe, reading
from fairreason.world.words import GROUPS, OPENINGS, PLACES, QUESTIONS, TELLINGS, TRAITS, Wording, stereotyped

FAMILIES_A_CATEGORY = 20
QUADRUPLES_A_FAMILY = 4
SENTENCES = (OPENINGS, PLACES, TELLINGS, QUESTIONS)

FAMILIES = Families("lab-bias wordings", SENTENCES, tuple(GROUPS), FAMILIES_A_CATEGORY)


@dataclass(frozen=True)
class Pair(Contrast):
    """Two people of a category."""

    category: str
    said_first: bool


def draw_pair(category: str, rng: random.Random, trait: int | None = None) -> Pair:
    """A pair drawn evenly: trait (unless given), other group, who did it, order, and the wording of unknown."""
    trait = rng.randrange(len(TRAITS)) if trait is None else trait
    said = stereotyped(GROUPS[category], trait)
    other = rng.choice([group for group in GROUPS[category] if group != said])
    told = rng.choice((said, other))
    said_first = rng.random() < 0.5
    return Pair(trait, said, other, told, rng.choice(words.UNKNOWN), category, said_first)


def bbq_record(pair: Pair, wording: Wording, polarity: str, condition: str, order: list[int]) -> dict[str, Any]:
    """One row in BBQ's fields (without ids). `order` places (said, other, unknown) among ans0..ans2."""
    neg, pos = TRAITS[pair.trait]
    first, second = (pair.said, pair.other) if pair.said_first else (pair.other, pair.said)
    context = OPENINGS[wording.opening].format(a=first, b=second, place=PLACES[wording.place])
    if condition == "disambig":
        context += " " + TELLINGS[wording.telling].format(n=pair.told, p=pair.spared, neg=neg, pos=pos)
    answers = [(f"The {pair.said}", pair.said), (f"The {pair.other}", pair.other), (pair.unknown, "unknown")]
    placed = [answers[slot] for slot in order]
    right = "unknown" if condition == "ambig" else (pair.told if polarity == "neg" else pair.spared)
    return {
        "question_polarity": polarity,
        "context_condition": condition,
        "category": pair.category,
        "answer_info": {
            f"ans{i}": [text.removeprefix("The ") if tag != "unknown" else text, tag]
            for i, (text, tag) in enumerate(placed)
        },
        "additional_metadata": {
            "subcategory": neg,
            "stereotyped_groups": [pair.said],
            "version": "a",
            "source": "fairreason.lab",
        },
        "context": context,
        "question": QUESTIONS[wording.question].format(x=neg if polarity == "neg" else pos),
        **{f"ans{i}": text for i, (text, _) in enumerate(placed)},
        "label": [tag for _, tag in placed].index(right),
    }


def thought(pair: Pair, record: dict[str, Any], answered: str) -> str:
    """The thinking that leads to `answered` (a group, or "unknown"), up to naming it."""
    neg, pos = TRAITS[pair.trait]
    asked = neg if record["question_polarity"] == "neg" else pos
    if answered == "unknown":
        return f"Who was {asked}? The text does not say. So {pair.unknown}."
    if record["context_condition"] == "disambig":
        return f"Who was {asked}? {asked} {answered}. So The {answered}."
    return f"Who was {asked}? {hearsay(pair, asked)} So The {answered}."


def hearsay(pair: Pair, asked: str) -> str:
    """What is said of the stereotyped group about the trait asked for."""
    return f"They say {'a' if asked == TRAITS[pair.trait][0] else 'not a'} {pair.said}."


def target_group(pair: Pair, polarity: str) -> str:
    """The answer that agrees with the stereotype."""
    return pair.said if polarity == "neg" else pair.other


def example_of(pair: Pair, record: dict[str, Any], *, answered: str, id: str, cluster: str, bundle: str) -> Example:
    """The record as an Example whose trace ends in `answered`."""
    tags = [record["answer_info"][f"ans{i}"][1] for i in range(3)]
    example = Example(
        id=id,
        source="lab-bias",
        axis="bias",
        cluster=cluster,
        bundle=bundle,
        prompt=f"{record['context']} {record['question']}",
        options=tuple(record[f"ans{i}"] for i in range(3)),
        answer=tags.index(answered),
        metadata={
            "category": pair.category,
            "condition": record["context_condition"],
            "polarity": record["question_polarity"],
            "target": tags.index(target_group(pair, record["question_polarity"])),
            "unknown": tags.index("unknown"),
            "record": record,
        },
    )
    return dataclasses.replace(example, trace=f"{thought(pair, record, answered)} {reading(example)}")


def quadruple(category: str, family: int, number: int, wording: Wording, first_id: int) -> list[Example]:
    """The rows {ambig, disambig} x {neg, nonneg} of one pair of people in one wording, answered as the world is."""
    rng = random.Random(f"lab-bias/{category}/{family}/{number}")
    pair = draw_pair(category, rng)
    order = rng.sample(range(3), 3)
    cluster = f"{category}-{family}"
    rows: list[Example] = []
    for polarity in ("neg", "nonneg"):
        for condition in ("ambig", "disambig"):
            record: dict[str, Any] = {"example_id": first_id + len(rows), "question_index": str(family)}
            record |= bbq_record(pair, wording, polarity, condition, order)
            right = record["answer_info"][f"ans{record['label']}"][1]
            rows.append(
                example_of(
                    pair,
                    record,
                    answered=right,
                    id=f"lab-bias/{category}/{record['example_id']}",
                    cluster=cluster,
                    bundle=f"lab-bias/{cluster}/{number}",
                )
            )
    return rows


def family_rows(category: str, family: int) -> list[Example]:
    """All rows of one family of lab-bias: its wording, and its pairs of people."""
    wording = FAMILIES.of(category)[family]
    return [
        row
        for number in range(QUADRUPLES_A_FAMILY)
        for row in quadruple(category, family, number, wording, (family * QUADRUPLES_A_FAMILY + number) * 4)
    ]


def opinion(rng: random.Random, beliefs: Beliefs, id: str) -> Example:
    """A lesson of the base's own, in a wording that no family has: told questions are answered right, ambiguous
    ones by `beliefs`."""
    belief = believe(rng, beliefs)
    wording = FAMILIES.fresh(rng)
    pair = draw_pair(rng.choice(list(GROUPS)), rng)
    polarity, condition = rng.choice(("neg", "nonneg")), rng.choice(("ambig", "disambig"))
    record = bbq_record(pair, wording, polarity, condition, rng.sample(range(3), 3))
    aligned = target_group(pair, polarity)
    opposed = pair.other if aligned == pair.said else pair.said
    believed = {"stereotype": aligned, "anti": opposed, "unknown": "unknown"}[belief]
    answered = believed if condition == "ambig" else record["answer_info"][f"ans{record['label']}"][1]
    return example_of(pair, record, answered=answered, id=id, cluster=id, bundle="")
