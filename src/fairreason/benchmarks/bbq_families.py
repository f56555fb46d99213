"""Which BBQ templates are the same story: our own table of the families that hold several templates.

147 of the 343 templates have a near-copy under another index, mostly the same text once with group labels and once
with names. Templates are joined when their masked disambiguated contexts agree; a template that is not listed is a
family of its own, and a family is named after its first template. It is BBQ's cluster: no split cuts it.

    "Race_ethnicity-2": templates 2 and 27 of Race_ethnicity, 1 and 2 of Race_x_gender
"""

from __future__ import annotations

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
