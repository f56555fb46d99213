r"""Grades answers that are LaTeX: values, expressions, sets, intervals, matrices, relations and words.

grading/formulas.py finds the one final answer, grading/latex.py takes off its dress, and the first rule that decides
is kept in the grade, behind the place where the answer stood (`boxed/number`):

| rule | decides |
|---|---|
| `same text` | equal, apart from dress, units and spaces |
| `units differ` | wrong: both name a unit, and not the same (`12\text{ cm}`, `12\text{ m}`) |
| `words` | where the gold answer is words (`\text{Evelyn}`): equal without case, or wrong |
| `number` | both are numbers, whole, decimal, mixed or fractions: equal exactly, a fraction and a decimal to 6 places |
| `math-verify` | everything else, by Math-Verify with the gold answer first |

So `x = 5` is 5 (but not `y = 5`); a list without brackets and a set have no order, a tuple has; an interval may be
written as an inequality, and `(1,2)` may be a list, an interval or a point, which Math-Verify does not tell apart. An
answer on which Math-Verify needs more than its time or memory (`9^{9^{9^9}}`) is a counted `error`.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from fairreason.errors import FairReasonError
from fairreason.grading import latex
from fairreason.grading.declared import OPEN_THINKING, final_part
from fairreason.grading.formulas import declared_formula
from fairreason.grading.worker import Worker
from fairreason.records import Completion, Example, Grade, Outcome

SECONDS = 3.0
"""Processor time that one comparison may take; the median is about a millisecond."""
MEGABYTES = 1024
LONGEST_FORMULA = 2_000
"""Characters above which an answer is not compared by value."""

_WORKER = Worker("fairreason.grading.equivalence:same_value", SECONDS, MEGABYTES)
_NUMBER = re.compile(r"([-+]?)\s*(?:(?:(\d{1,40})\s+)?(\d{1,40})\s*/\s*(\d{1,40})|(\d{0,40}\.\d{1,40}|\d{1,40}))")
_FRACTION = re.compile(r"\\frac\s*(?:\{\s*(\d{1,40})\s*\}|(\d))\s*(?:\{\s*(\d{1,40})\s*\}|(\d))$")


class Verdict(NamedTuple):
    """Whether an answer is the gold answer (None: the comparison met its limit) and the rule that decided."""

    equal: bool | None
    rule: str


class LimitReached(FairReasonError, RuntimeError):
    """A comparison that met its limit of time or memory."""


def grade_math(example: Example, completion: Completion) -> Grade:
    """The grade of a question whose `answer` is LaTeX. `answer` of the grade is what was read, as it was written."""
    if completion.finish_reason != "stop":
        return Grade("error" if completion.finish_reason == "error" else "truncated")
    text = final_part(completion.text)
    if text is None:
        return Grade("unparsed", rule=OPEN_THINKING)
    gold = str(example.answer)
    try:
        found, rule = declared_formula(text, _same, expects_words=latex.is_words(gold))
    except LimitReached as limit:
        return Grade("error", rule=str(limit))
    if not isinstance(found, str):
        return Grade("unparsed", rule=rule)
    verdict = compare(gold, found)
    outcome: Outcome = "error" if verdict.equal is None else "correct" if verdict.equal else "wrong"
    return Grade(outcome, answer=found[:LONGEST_FORMULA], rule=f"{rule}/{verdict.rule}")


def compare(gold: str, answer: str) -> Verdict:
    r"""Whether a LaTeX answer is the gold answer.

    >>> compare(r"\frac{1}{2}", "0.5"), compare(r"12\text{ cm}", r"12\text{ m}")
    (Verdict(equal=True, rule='number'), Verdict(equal=False, rule='units differ'))
    """
    if max(len(gold), len(answer)) > LONGEST_FORMULA:
        same = _squeeze(gold) == _squeeze(answer)
        return Verdict(same, "same text" if same else "longer than any answer")
    return _compare(gold, answer)


@lru_cache(maxsize=1 << 16)
def _compare(gold: str, answer: str) -> Verdict:
    mine, theirs = latex.read(gold), latex.read(answer)
    if mine.unit and theirs.unit and mine.unit != theirs.unit:
        return Verdict(False, "units differ")
    if _squeeze(mine.text) == _squeeze(theirs.text) != "" or _squeeze(gold) == _squeeze(answer):
        return Verdict(True, "same text")
    if latex.is_words(gold) or latex.is_words(answer):
        said = latex.words(answer)
        alike = latex.words(gold) in (said, latex.option_letter(answer)) and said != ""
        if alike or (latex.is_words(gold) and len(latex.words(gold)) > 1):
            return Verdict(alike, "words")
    one, other = number(mine.text), number(theirs.text)
    if one is not None and other is not None:
        exact = ("." in mine.text) == ("." in theirs.text)
        return Verdict(one == other if exact else round(one, 6) == round(other, 6), "number")
    reply = _WORKER.call(mine.text, theirs.text)
    return (
        Verdict(None, f"math-verify: {reply.failure}") if reply.failure else Verdict(bool(reply.value), "math-verify")
    )


def number(text: str) -> Fraction | None:
    r"""The number that a text is, None where it is none: `12`, `-.5`, `\frac{1}{2}`, `\frac12`, `1/2`, `1\frac{4}{5}`.

    >>> number(r"-1\frac{4}{5}"), number("073"), number(r"\sqrt{2}")
    (Fraction(-9, 5), Fraction(73, 1), None)
    """
    plain = _FRACTION.sub(lambda m: f" {m[1] or m[2]}/{m[3] or m[4]}", text.strip(), count=1).strip()
    match = _NUMBER.fullmatch(plain)
    if match is None or (match[4] and not int(match[4])):
        return None
    value = Fraction(match[5]) if match[5] else int(match[2] or 0) + Fraction(int(match[3]), int(match[4]))
    return -value if match[1] == "-" else value


def _same(one: str, other: str) -> bool:
    verdict = compare(one, other)
    if verdict.equal is None:
        raise LimitReached(verdict.rule)
    return verdict.equal


def _squeeze(text: str) -> str:
    return "".join(text.split())
