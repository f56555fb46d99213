r"""Sentences that say of one value that it is the answer: `the largest $n$ is 34`, `Therefore $x = 5$ works.`"""

from __future__ import annotations

import re
from typing import NamedTuple

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
    r"\b(?:therefore|thus|hence|so|then|consequently|finally|in conclusion|solution"
    r"|we (?:get|find|have|obtain|conclude))\b"
    r"|it follows|^(?!(?:check|try|test|suppos|assum)\w*ing\b)\w+ing\b[^,;$=]*\b(?:gives|yields)\b",
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
    r"|(?:fails?|contradicts?|violates?|(?:gives?|yields?|leads? to) an? contradiction)\b)"
    r"|\b(?:rejects?|excludes?|discards?|eliminates?|disregards?|rules? out)\s+(?:the \w+ )?(?:0|\d)"
    r"|\b(?:wrong|incorrect|tempting|extraneous) (?:answer|value|solution|root|result)\b",
    re.IGNORECASE,
)
"""A value that is called wrong: `So $12$ is excluded`, `which is impossible`; formulas are masked as 0."""
_CLAUSE = re.compile(r"[,;:]|\b(?:so|thus|hence|therefore|then)\b", re.IGNORECASE)
_NONE = re.compile(r"\b(?:no|none|nothing|nobody|without|except|unless|until|let|try|consider|recall)\b", re.IGNORECASE)
_CHANGES = re.compile(
    r"(?:\b(?:minus|negative|plus|times|modulo|over|under|above|below|beyond|than|least|most|almost|nearly|half|double"
    r"|twice|thrice|triple|from|up to|close to|out of|as many as|exceeds?|divides?|(?:divid|multipli|multiply)\w* by"
    r"|depends? on|step|case|page|section|theorem|equation|eq)"
    r"|\b(?:root|square|cube|multiple|factor|divisor|reciprocal|inverse|half|thirds?|quarters?|fourths?|fifths?|percent"
    r"|fraction|opposite|negative|logarithm|log|sine|cosine|tangent|factorial|quotient"
    r"|power|the (?:sum|product|difference)) of(?: the)?(?: number| value)?)[\s($\\\[*_.]*\Z",
    re.IGNORECASE,
)
"""What stands before a value and makes it another one, a bound, or the number of something."""
_AT = re.compile(
    r"(?<!\bis )(?<!\bare )\b(?:at|for|with|when|where|from|since|because|given|using|tak(?:e|ing)|try|trying"
    r"|choose|pick|(?:sett|lett|putt|substitut)ing|set|put|plugging in)[\s$(\\\[]*\Z",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"[A-Za-z]{1,2}\s*(?:[=<>≤≥≠]|\\(?:[lg](?:eq?|t)|neq?|in)(?![A-Za-z]))")
_VARIABLE_IS = re.compile(r"(?<![^\s(])[A-Za-z]{1,2}\s*=\s*\Z")
"""What sets a variable, unlike `3 + 9 = 12`."""
_WE_OPERATE = re.compile(
    r"\b(?:we|us|I)\b.*\b(?:(?:add|subtract|comput|calculat|evaluat|divid|multipl|plug|substitut|insert|check|test|consider"
    r"|us(?:e\b|ing)|tak|replac|start|begin|continu|proceed|mov|factor|simplif|expand|rewrit|appl|solv|eliminat|remov|drop"
    r"|ignor|compar|examin|verif|reject|discard|exclud)\w*|try|set|put|write|look|work with)\b",
    re.DOTALL,
)
_REACHES = re.compile(
    r"\b(?:is|are|was|were|be|equals?|gets?|getting|got|have|had|has|obtain\w*|find|found|see|know|conclude|need|require"
    r"|left with|giv(?:es?|ing)|leav(?:es?|ing))\b(?:\s+(?!to\b)[\w'’-]+){0,4}\W*\Z"
)
"""How one comes to a value; what else `we` do with one is a step (`we subtract $12$`)."""
_NUMBER = re.compile(r"(?<![\w.,^])[-+]?\\?[$€£]?\d+(?:,\d{3})*(?:\.\d+)?(?:/\d+)?(?:\s?\\?%)?(?![\w^])")
_MUST = re.compile(r"\b(?:need|needs|must|should|has|have)(?: to)? (?!subtract|divide|multiply)\w+\W*\Z")
_COUNTS = re.compile(
    r"[$)\]\\]{0,2}\s+(?!(?:more|to|from|by|on|in|into|of|for|with|and|or|at|as|both|times|terms|cases|steps)\b)[a-z]{3}"
)
"""Things that one must have or handle: `we need to use $12$ bags`, not `we need to add $12$ to it`."""


class _Found(NamedTuple):
    """A value, and where it stands in its sentence."""

    value: str
    start: int
    end: int


def said_in(candidate: str, ends: bool, expects_words: bool) -> str | None:
    """The value that a statement gives: it is one or, where the reply ends with it, its sentence says that something
    is one, or holds just one."""
    sentence = first_sentence(candidate)
    found = value_of(candidate) or value_of(sentence)
    if found or has_box(candidate) or _DENIES.search(MATH.sub("", sentence)):
        return found
    if expects_words:
        return words_of(sentence)
    if explained := _explained(sentence):
        return explained
    last = (_said_last(sentence) or _only(sentence)) if ends else None
    return last.value if last and _is_meant(sentence, last) else None


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
    if not (_ENDS_IN_FORMULA.search(sentence) or _CONCLUDES.search(sentence)):
        return None
    found = _said_last(sentence) or (_only(sentence) if MATH.search(sentence) else None)
    return found.value if found and _is_meant(sentence, found) and not _is_step(sentence, found) else None


def _explained(sentence: str) -> str | None:
    """The value that a sentence opens with, where a comma or a reason follows: `$5$, because $2+3=5$`."""
    match = MATH.match(sentence) or _NUMBER.match(sentence)
    if match is None or not _REASON.match(sentence, match.end()) or _ADMITS.search(sentence, match.end()):
        return None
    return inside(match) if match.re is MATH else match[0]


def _said_last(sentence: str) -> _Found | None:
    """What a sentence ends in, behind `is` or its like or a colon, unless it says so of several formulas."""
    if len(_IS_FORMULA.findall(sentence)) > 1:
        return None
    match = _ENDS_IN_FORMULA.search(sentence)
    if match:
        start = match.start(1)
    else:
        match = _SAYS.match(MATH.sub(mask, sentence))
        if match is None:
            return None
        start = match.end()
    value = value_of(sentence[start:])
    return _Found(value, start, len(sentence)) if value else None


def _only(sentence: str) -> _Found | None:
    """The only value of a sentence: its one formula, or where it has none its one number."""
    found = [*MATH.finditer(sentence)] or [*_NUMBER.finditer(sentence)]
    if len(found) != 1:
        return None
    value = inside(found[0]) if found[0].re is MATH else found[0][0]
    return _Found(value, *found[0].span())


def _is_meant(sentence: str, found: _Found) -> bool:
    """Whether a sentence gives its value as such: not one that it supposes, bounds or calculates with."""
    before, setting = _led_to(sentence, found)
    clause = _CLAUSE.split(before)[-1]
    if SUPPOSES.search(clause) or _NONE.search(clause) or _CHANGES.search(before) or factor(sentence, found.end):
        return False
    return not (setting and _AT.search(before))


def _is_step(sentence: str, found: _Found) -> bool:
    """Whether the value is one with which `we` do something on the way; an equation of numbers is a result."""
    before, setting = _led_to(sentence, found)
    clause = _CLAUSE.split(before)[-1]
    result = not setting and ("=" in found.value or sentence[: found.start].rstrip().endswith("="))
    counts = _MUST.search(clause) and _COUNTS.match(sentence, found.end)
    return bool(_WE_OPERATE.search(clause)) and not (_REACHES.search(clause) or result or counts)


def _led_to(sentence: str, found: _Found) -> tuple[str, bool]:
    """What stands before a value, without the variable that is set to it, and whether one is."""
    before = MATH.sub(mask, sentence[: found.start])
    variable = _VARIABLE_IS.search(before)
    if variable:
        return before[: variable.start()], True
    return before, _VARIABLE.match(found.value) is not None
