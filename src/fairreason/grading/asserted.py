r"""Sentences that say of one value that it is the answer: `the largest $n$ is 34`, `Therefore $x = 5$ works.`"""

from __future__ import annotations

import re

from fairreason.grading.declared import has_doubted
from fairreason.grading.factors import factor
from fairreason.grading.marks import has_box
from fairreason.grading.values import (
    LONGEST_ANSWER,
    MATH,
    SENTENCE_END,
    first_sentence,
    inside,
    mask,
    value_of,
    words_of,
)

_SAYS = re.compile(r".*\b(?:is|are|was|be|equals|by)\s+(?=\S)|.*=\s*(?=\S)", re.DOTALL)
_CONCLUDES = re.compile(
    r"\b(?:therefore|thus|hence|so|consequently|finally|in conclusion|solution|we (?:get|find|have|obtain|conclude))\b",
    re.IGNORECASE,
)
_REASON = re.compile(r"\s*(?:[,;(]|(?:because|since|as)\b)")
_ADMITS = re.compile(
    r"[\d$)\]]\s+(?:(?:is|are|(?:would|could|may|might|can) be)\s+(?:also|equally|just as)\s+(?:a |an |the )?"
    r"(?:right|correct|valid|possible|acceptable|solution|answer)|(?:works?|fits?)\s+(?:too|as well))\b",
    re.IGNORECASE,
)
"""A second value that is let count: `but $6$ is also right`."""
_IS_FORMULA = re.compile(r"\b(?:is|are|equals)\s+(?:\$|\\[(\[])")
_ENDS_IN_FORMULA = re.compile(
    r"(?:\b(?:is|are|equals)|:)\s*((?:\$(?:\\.|[^$])+\$|\$\$(?:\\.|[^$])+\$\$|\\\(.{1,2000}?\\\)|\\\[.{1,2000}?\\\])\.?)$",
    re.DOTALL,
)
SUPPOSES = re.compile(r"\b(?:if|whether|suppose|assum(?:e|ing)|check)\b", re.IGNORECASE)
_DENIES = re.compile(r"\b(?:not|cannot|never|neither|or)\b|n't\b|\?", re.IGNORECASE)
_REJECTS = re.compile(
    r"(?:0|\d|\b(?:which|that|this|it))[\s,)]{0,3}"
    r"(?:(?:is|are|was|were|(?:would|must|has to|have to|can) be)(?: \w+ly)?"
    r" (?:(?:an?|the) )?(?:wrong|incorrect|false|impossible|excluded|eliminated|rejected|discarded|ruled out|extraneous"
    r"|invalid|absurd|contradict\w*|too \w+|spurious|inadmissible|forbidden|no solution)\b"
    r"|(?:fails?|contradicts?|violates?)\b)"
    r"|\b(?:rejects?|excludes?|discards?|eliminates?|disregards?|rules? out)\s+(?:the \w+ )?(?:0|\d)"
    r"|\b(?:wrong|incorrect|tempting|extraneous) (?:answer|value|solution|root|result)\b",
    re.IGNORECASE,
)
"""A value that is called wrong: `So $12$ is excluded`, `which is impossible`; formulas are masked as 0."""
_NUMBER = re.compile(r"(?<![\w.,^])[-+]?\\?[$€£]?\d+(?:,\d{3})*(?:\.\d+)?(?:/\d+)?(?:\s?\\?%)?(?![\w^])")


def said_in(candidate: str, ends: bool, expects_words: bool) -> str | None:
    """The value that a statement gives: it is one or, where the reply ends with it, its sentence says that something
    is one, or holds just one."""
    sentence = first_sentence(candidate)
    found = value_of(candidate) or value_of(sentence)
    if found or has_box(candidate) or _DENIES.search(MATH.sub("", sentence)):
        return found
    if expects_words:
        return words_of(sentence)
    return _explained(sentence) or ((_said_last(sentence) or _only(sentence)) if ends else None)


def _explained(sentence: str) -> str | None:
    """The value that a sentence opens with, where a comma or a reason follows: `$5$, because $2+3=5$`."""
    match = MATH.match(sentence) or _NUMBER.match(sentence)
    if match is None or not _REASON.match(sentence, match.end()) or _ADMITS.search(sentence, match.end()):
        return None
    return inside(match) if match.re is MATH else match[0]


def _said_last(sentence: str) -> str | None:
    """What a sentence ends in, behind `is` or its like or a colon, unless it says so of several formulas."""
    if len(_IS_FORMULA.findall(sentence)) > 1:
        return None
    match = _ENDS_IN_FORMULA.search(sentence)
    if match:
        return value_of(match[1])
    match = _SAYS.match(MATH.sub(mask, sentence))
    return value_of(sentence[match.end() :]) if match else None


def _only(sentence: str) -> str | None:
    """The only value of a sentence: its one formula, or where it has none its one number."""
    found = [*MATH.finditer(sentence)] or [*_NUMBER.finditer(sentence)]
    if len(found) != 1 or factor(sentence, found[0].end()):
        return None
    return inside(found[0]) if found[0].re is MATH else found[0][0]


def concluded(text: str) -> str | None:
    """The value of a last sentence that concludes."""
    text = text.rstrip()[-2 * LONGEST_ANSWER :]
    masked = MATH.sub(mask, text)
    ends = [match.end() for match in SENTENCE_END.finditer(masked.rstrip(" .!*_"))]
    sentence = text[ends[-1] if ends else 0 :].strip()
    if not sentence or len(sentence) > LONGEST_ANSWER or has_box(sentence) or has_doubted(sentence):
        return None
    if _DENIES.search(MATH.sub("", sentence)) or _REJECTS.search(MATH.sub("0", sentence)):
        return None
    if _ENDS_IN_FORMULA.search(sentence) or _CONCLUDES.search(sentence):
        only = _only(sentence) if MATH.search(sentence) else None
        return _said_last(sentence) or only
    return None
