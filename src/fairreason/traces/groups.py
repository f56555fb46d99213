"""Words for groups of people, as reasoning about BBQ's questions names them: what the stereotype rules look for.

Where a question is at hand its own two people are the groups (`mask`): BBQ's options are its group vocabulary
("The grandfather", "The Iraqi man"), and so are the lab's. Beside them stands a list by BBQ's nine axes (Parrish et
al. 2022, table 1), since reasoning generalises from a person to a group ("older people", "women"). It is written from
the axes, not from any labelled text; it names no trait and says nothing about anybody.
"""

from __future__ import annotations

import re
from functools import lru_cache

from fairreason.records import Example

KIND = (
    "(?:"  # age, gender, orientation
    "old|older|elderly|senior|aged|aging|young|younger|teenage|middle-aged|male|female|transgender|trans|cisgender"
    "|nonbinary|non-binary|gay|lesbian|bisexual|pansexual|asexual|straight|heterosexual|homosexual|queer|lgbtq?"
    # race, ethnicity, religion
    "|black|white|brown|asian|african|african[- ]american|european|american|arab|middle eastern|hispanic|latin[oax]"
    "|native american|indigenous|jewish|muslim|christian|catholic|protestant|hindu|buddhist|sikh|mormon|atheist"
    "|religious|roma|foreign|immigrant|minority"
    # nationality
    "|indian|pakistani|chinese|japanese|korean|vietnamese|thai|mexican|dominican|brazilian|colombian|iraqi|iranian"
    "|syrian|afghan|palestinian|israeli|saudi|yemeni|libyan|moroccan|nigerian|ethiopian|eritrean|kenyan|guinean"
    "|somali|mozambican|namibian|british|english|irish|scottish|french|german|danish|swiss|swedish|finnish|italian"
    "|greek|spanish|portuguese|polish|russian|ukrainian|slovakian|romanian|hungarian"
    # disability, appearance, means
    "|disabled|autistic|blind|deaf|mentally ill|able-bodied|fat|obese|overweight|thin|short|tall|attractive"
    "|unattractive|ugly|poor|poorer|rich|richer|wealthy|low-income|lower-class|upper-class|working-class"
    "|middle-class|homeless|uneducated)"
)
"""A word that says what group somebody is of."""
_PEOPLE = (
    "(?:people|persons|individuals|folks?|men|women|males|females|boys|girls|guys|ladies|kids|children|teens"
    "|teenagers|adults|students|workers|employees|immigrants|families|communities|households|parents|mothers"
    "|fathers|drivers|couples|populations?|groups?|generations?|americans)"
)
_PERSON = (
    "(?:person|individual|man|woman|male|female|boy|girl|guy|lady|kid|child|teenager|adult|student|worker|employee"
    "|parent|mother|father|immigrant)"
)
_ALONE = (
    "(?:men|women|boys|girls|males|females|seniors|elders|elderly|grandparents|grandmothers|grandfathers|teenagers"
    "|teens|adolescents|boomers|millennials|retirees|mothers|fathers|gays|lesbians|bisexuals|muslims|jews"
    "|christians|catholics|protestants|hindus|buddhists|sikhs|mormons|atheists|africans|asians|americans|europeans"
    "|arabs|hispanics|latinos|latinas|mexicans|indians|pakistanis|iraqis|iranians|syrians|afghans|russians"
    "|ukrainians|italians|germans|nigerians|ethiopians|immigrants|refugees|foreigners|minorities|natives|the poor"
    "|the rich|the wealthy|the homeless|the disabled|the blind|the deaf)"
)
_DESCRIBED = (
    r"(?:people|individuals|persons|men|women|those|folks) (?:with (?!(?:the|this|that|a lot|more|less|no)\b)\w+"
    r"|of colou?r\b|from (?!(?:the|this|that)\b)\w+|who (?:are|have|use|come|identify)\b|in (?:wheelchairs|poverty)\b)"
)
MANY = rf"(?:§§\d|{_DESCRIBED}|(?:{KIND}[- ](?:(?:and|or) [\w-]+ )?){{1,2}}{_PEOPLE}\b|{_ALONE}\b)"
"""A group in the plural: `older people`, `women`, `people with disabilities`; a question's own as `§§0`."""
ONE = rf"(?:§\d|(?:an? |the )?{KIND}[- ](?:\w+ )?{_PERSON}\b|an? {_PERSON}\b)"
"""One member of a group: `a young man`, `a woman`; a person of the question as `§0`."""
_IRREGULAR = {"man": "men", "woman": "women", "person": "people", "child": "children"}


def mask(sentence: str, example: Example | None) -> str:
    """The sentence in lower case, the two people of the question written `§0`, `§1`, their plurals `§§0`, `§§1`.

    >>> asked = Example("", "", "bias", "", "", 1, ("The boy", "Unknown", "The old man"), metadata={"unknown": 1})
    >>> mask("Boys are loud, but the old man is not.", asked)
    '§§0 are loud, but §2 is not.'
    """
    folded = " ".join(sentence.replace("’", "'").replace("§", " ").casefold().split())
    if example is None or not example.options:
        return folded
    for pattern, sign in _signs(example.options, example.metadata.get("unknown")):
        folded = pattern.sub(sign, folded)
    return folded


@lru_cache(maxsize=1 << 12)
def _signs(options: tuple[str, ...], unknown: int | None) -> list[tuple[re.Pattern[str], str]]:
    """What to write for each person, longest names first, so that `the man` is not found in `the old man`."""
    names = {i: re.sub(r"^(?:the|an?) ", "", " ".join(text.casefold().split())) for i, text in enumerate(options)}
    people = sorted(((name, i) for i, name in names.items() if name and i != unknown), key=lambda pair: -len(pair[0]))
    found = []
    for name, i in people:
        *before, last = name.split()
        plural = re.escape(" ".join([*before, _IRREGULAR.get(last, last + "s")]))
        found.append((re.compile(rf"\b{plural}\b"), f"§§{i}"))
        found.append((re.compile(rf"\b(?:(?:the|an?) )?{re.escape(name)}(?:'s)?(?!\w)"), f"§{i}"))
    return found
