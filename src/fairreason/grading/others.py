r"""Whether what follows a chosen option calls another one right as well; then two answers were given, which are none.

| what follows `The answer is A` | another |
|---|---|
| a letter right behind: `, or B`, `; B`, `... no wait, B`, `as well as B` | B |
| a letter that is given: `, I mean B`, `; it should be B`, `, hence B`, `however, the correct one is B` | B |
| a letter or an option's text that is called right: `B is also right`, `The grandson is also right` | it |
| an option's text that is concluded: `, hence Cannot be determined.`, `. It should be the grandson.` | it |
| any of these denied: `, not B`, `rather than B`, `since B is wrong`, `it would be biased to choose B` | none |
| an option that is only mentioned: `because the grandson is younger`, `In B the man is named` | none |
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_SECOND = re.compile(
    r"[\s.,;:)\]…–—-]{0,9}(?:[,/&]|(?i:and|or|no|wait|sorry|hmm|actually|rather|maybe|perhaps|possibly|else|also|either|option"
    r"|choice|as well as|along with|but(?= (?:also|maybe|perhaps|possibly|even)\b))\b)"
    r"(?:[\s.,:;…–—-]|(?i:and|or|no|wait|actually|rather|maybe|perhaps|possibly|even|else|also|it is|it's"
    r"|option|choice)\b){0,12}\(?([A-Z])\b(?!['’])|\s{0,3};\s{0,3}\(?([A-Z])\)?[\s.]{0,9}$"
)
"""A second letter right behind the first."""
_SURE = r"(?:(?:the|a) )?(?:right|correct|better|best)\b(?!-)"
_ALSO = re.compile(
    r"\b([A-Z])\b(?!['’])[)\]]? (?:"
    r"(?:is|are|was|can|could|may|might|would|seems|looks|works|fits)\b(?!['’])"
    r"(?: be)? (?:also|equally|just as|too|as well)\b"
    rf"|(?:is|are|seems|looks|(?:can|could|may|might|would|should|must) be) (?:{_SURE}"
    r"|the (?:only )?(?:answer|one)\b|(?:possible|plausible|valid|acceptable|true) (?:too|as well)\b)"
    r"|(?:maybe|perhaps|instead|too|as well)\b)"
    r"|\b(?:so|as) (?:is|are|does|do|would|could) ([A-Z])\b(?!['’])"
)
"""Another letter that is said to be right as well: `B is also right`, `B could be correct`, `so is B`, `B instead`."""
_IS = (
    r"(?:['’]s| is| was| should be| should have been| must be| has to be| ought to be"
    r"| (?:might|may|could)(?: just)?(?: as well| also)? be)"
)
_BEST = r"(?:right|correct|best|better|real|true|actual)"
_GIVEN = re.compile(
    r"(?:\b(?i:hence|thus|therefore|so|however|correction|rather|instead|maybe|perhaps|actually|wait|sorry|I mean"
    r"|my mind|make (?:it|that)|choose|pick|select|prefer|answer|go with|switch to|change to|changed to)\b"
    r"|\b(?i:no)[,.:]"
    rf"|\b(?i:it|that|the {_BEST} (?:answer|option|choice|one)|the {_BEST} letter)(?i:{_IS})"
    r"(?i: \w+ly| in fact| rather)?)"
    r"[\s,:…]{1,4}[*_\"“(\[]{0,3}(?i:(?:the )?(?:option|choice|answer) )?\(?([A-Z])(?![\w'’])"
    r"(?! (?!because|since|as|not|instead|too|then|after)[a-z])"
)
"""A letter that is given as the answer: `I mean B`, `it should be (B)`, `so B.`, `my mind: B`."""
_CONCLUDED = re.compile(
    rf"\b(?:hence|thus|therefore|so|(?:it|the {_BEST} (?:answer|option|choice|one))(?:['’]s| is| should be| must be"
    r"|(?: might| may| could)(?: just)?(?: as well| also)? be)|i mean|correction|or rather|my mind)"
    r"[\s,:]{1,4}[\"“(*]{0,3}$"
)
_CALLED_RIGHT = re.compile(
    r"[\"”)*]{0,3} (?:is|are|would be|could be|can be|may be|might be|seems)(?: also| equally| just as)?"
    rf" (?:(?:right|correct)(?: too| as well)?\s?(?:[.;,!]|$)|(?:the|an?)(?: also)? "
    rf"(?:{_BEST}|valid|possible|acceptable) (?:answer|option|choice|one)\b|the answer\b)"
)
_STOPS = re.compile(r"[\"”)*]{0,3}(?: (?:too|instead|as well))?\s?(?:[.;!]|$)")
_BREAK = re.compile(
    r"[.!?;:\n]|\b(?:but|however|so|hence|thus|therefore|correction|mean|mind|actually|rather(?! than)"
    r"|instead(?! of))\b|\bit(?:['’]s| is| should| must)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:not|no(?![,.])|nor|neither|nothing|none|never|nobody|cannot|without|unlike|than|except|against|if|whether|some"
    r"|people|many|others|exclud\w*|eliminat\w*|rul\w+ out|reject\w*|dismiss\w*|contradict\w*|wrong|incorrect|false"
    r"|unsupported|unlikely|stereotyp\w*|bias\w*|prejudic\w*|assum\w+|guess\w*|instead of|opposed to)\b|n['’]t\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"[\s,)(]{0,6}(?:(?:but|and|only) ){0,2}(?:if|unless|assuming|provided)\b(?! (?:any|I)\b)")
_REACH = 160
"""Characters before an option in which its sentence denies it."""
_LONGEST = 20_000
"""Characters of what follows that are looked at: its two ends."""
_NAME = 4
"""Characters that an option's text has at least, to be known where it stands in a sentence."""


def another(rest: str, chosen: int, letters: Mapping[str, int], texts: Mapping[str, int]) -> int | None:
    """Another option than the chosen one that `rest`, which follows it, gives as right; -1 where the choice holds under
    a condition only; None without any.

    >>> another(", I mean B.", 0, {"A": 0, "B": 1}, {}), another(", not B.", 0, {"A": 0, "B": 1}, {})
    (1, None)
    """
    if _CONDITION.match(rest):
        return -1
    if len(rest) > _LONGEST:
        rest = rest[: _LONGEST // 2] + "\n" + rest[-_LONGEST // 2 :]
    second = _SECOND.match(rest)
    found = [(second[1] or second[2], 0)] if second else []
    found += [(match[1] or match[2], match.start(match.lastindex or 0)) for match in _ALSO.finditer(rest)]
    found += [(match[1], match.start(1)) for match in _GIVEN.finditer(rest)]
    for letter, place in found:
        if letters.get(letter, chosen) != chosen and not _denies(rest, place):
            return letters[letter]
    folded = " ".join(rest.replace("’", "'").casefold().split())
    return next((index for text, index in texts.items() if index != chosen and _given(text, folded)), None)


def _given(text: str, folded: str) -> bool:
    """Whether an option's text is called right, or concluded, somewhere."""
    place = folded.find(text) if len(text) >= _NAME else -1
    while place >= 0:
        end = place + len(text)
        concluded = _CONCLUDED.search(folded, max(0, place - _REACH), place) and _STOPS.match(folded, end)
        if (concluded or _CALLED_RIGHT.match(folded, end)) and not _denies(folded, place):
            return True
        place = folded.find(text, end)
    return False


def _denies(text: str, place: int) -> bool:
    """Whether the sentence, or what of it belongs to this place, denies what stands here."""
    before = text[max(0, place - _REACH) : place]
    breaks = [match.end() for match in _BREAK.finditer(before)]
    return _DENIED.search(before, breaks[-1] if breaks else 0) is not None
