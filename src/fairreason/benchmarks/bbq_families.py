"""BBQ's templates: which are the same story, which split a story falls into, which are about people with names.

147 of the 343 templates have a near-copy under another index, mostly the same text once with group labels and once
with names. Templates are joined when their masked disambiguated contexts agree; a template that is not listed is a
family of its own, and a family is named after its first template. It is BBQ's cluster: no split cuts it.

    "Race_ethnicity-2": templates 2 and 27 of Race_ethnicity, 1 and 2 of Race_x_gender

The split is a rule of names alone: inside a category the families are ordered by the hash of their names, and the first
become train, the next dev, the rest test, as many as the shares give by largest remainder. Hashing each name into a
split by itself would leave small categories without one (Race_x_SES: 12, 0 and 1 of 13 families).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from fairreason.draws import SPLIT_SHARES, Split, unit_hash

TEMPLATES: dict[str, tuple[int, ...]] = {
    "Age": tuple(range(1, 26)),
    "Disability_status": tuple(range(1, 26)),
    "Gender_identity": tuple(range(1, 51)),
    "Nationality": tuple(range(1, 26)),
    "Physical_appearance": tuple(range(1, 26)),
    "Race_ethnicity": tuple(range(1, 51)),
    "Race_x_SES": tuple(range(1, 27)),
    "Race_x_gender": tuple(index for index in range(1, 45) if index not in (10, 16)),
    "Religion": tuple(range(1, 26)),
    "SES": tuple(range(1, 26)),
    "Sexual_orientation": tuple(range(1, 26)),
}
"""The question indices of each category, 343 in all."""

NAMED: dict[str, frozenset[int]] = {
    "Gender_identity": frozenset(range(26, 51)),
    "Race_ethnicity": frozenset(range(26, 51)),
    "Race_x_SES": frozenset(range(2, 27, 2)),
    "Race_x_gender": frozenset({2, 4, 6, 8, 12, 14, 18, 20, 23, 25, 27, 29, 31, 33, 35, 37, 40, 42, 44}),
}
"""Templates whose people have names, not group labels: `label_type` of the authors' metadata, which makes of them the
official categories "X (names)". It hangs on the template alone, so it is known without that file."""

SAME_CATEGORY: dict[str, str] = {
    "Gender_identity": (
        "1+26 2+27 3+28 4+29 5+30 6+31 7+32 8+33 9+34 10+35 11+36 13+37 14+38 15+45 18+40 19+43 20+39 21+44 "
        "22+46 24+49 25+47"
    ),
    "Race_ethnicity": (
        "1+26 2+27 3+40 4+28 5+29 6+30 7+31 8+32 11+33 12+34 13+35 14+36 17+37 18+38 19+39 20+41 21+42 22+43 "
        "23+44 25+45"
    ),
    "Race_x_SES": "1+2 3+4 5+6 7+8 9+10 11+12 13+14 15+16 17+18 19+20 21+22 23+24 25+26",
    "Race_x_gender": "11+12 13+14 17+18 19+20 22+23 24+25 26+27 28+29 30+31 32+33 34+35 36+37 39+40 41+42 43+44",
}
"""Templates of one category that tell one story: 1+26 are one family."""

OTHER_CATEGORY: dict[str, tuple[str, str]] = {
    "Race_ethnicity-2": ("Race_x_gender", "1+2"),
    "Race_ethnicity-8": ("Race_x_gender", "3+4"),
    "Race_ethnicity-12": ("Race_x_gender", "5+6"),
    "Race_ethnicity-16": ("Race_x_gender", "7+8"),
}
"""Families that go on in another category."""


def _table() -> dict[tuple[str, str], str]:
    table: dict[tuple[str, str], str] = {}
    for category, families in SAME_CATEGORY.items():
        for family in families.split():
            members = family.split("+")
            table |= {(category, index): f"{category}-{members[0]}" for index in members}
    for name, (category, indices) in OTHER_CATEGORY.items():
        table |= {(category, index): name for index in indices.split("+")}
    return table


FAMILY_OF = _table()


def family(category: str, question_index: str) -> str:
    """The family of a template.

    >>> family("Race_x_gender", "1"), family("Gender_identity", "26"), family("Age", "7")
    ('Race_ethnicity-2', 'Gender_identity-1', 'Age-7')
    """
    return FAMILY_OF.get((category, question_index), f"{category}-{question_index}")


def official_category(category: str, question_index: str) -> str:
    """The official category of a template: rows about people with names are one of their own.

    >>> official_category("Race_x_SES", "2"), official_category("Race_x_SES", "1")
    ('Race_x_SES (names)', 'Race_x_SES')
    """
    return f"{category} (names)" if int(question_index) in NAMED.get(category, ()) else category


def family_split(family: str) -> Split:
    """The split of a family; of one that BBQ does not have, what the hash of its name would be at the end of its
    category: test."""
    return _splits().get(family, "test")


@lru_cache(maxsize=1)
def _splits() -> Mapping[str, Split]:
    found: dict[str, Split] = {}
    families = dict.fromkeys(family(category, str(index)) for category, all_ in TEMPLATES.items() for index in all_)
    for category in TEMPLATES:
        own = sorted((one for one in families if one.rpartition("-")[0] == category), key=_place)
        found.update(zip(own, _parts(len(own)), strict=True))
    return found


def _place(family: str) -> float:
    return unit_hash(f"split/bbq/{family}")


def _parts(count: int) -> list[Split]:
    """So many families by split, by largest remainder; of equal remainders the earlier split comes first.

    >>> parts = _parts(25)
    >>> [parts.count(split) for split in ("train", "dev", "test")]
    [15, 3, 7]
    """
    quotas = {split: round(count * share, 9) for split, share in SPLIT_SHARES.items()}
    whole = {split: int(quota) for split, quota in quotas.items()}
    by_remainder = sorted(quotas, key=lambda split: whole[split] - quotas[split])
    for split in by_remainder[: count - sum(whole.values())]:
        whole[split] += 1
    return [split for split, number in whole.items() for _ in range(number)]
