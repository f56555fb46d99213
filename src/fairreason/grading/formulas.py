r"""Which formula a reply declares as its final answer, where the answer is LaTeX (a value, a set, an interval, words).

The places are those of grading/declared.py, in the same order, and one more at the end:

| rule | what it is |
|---|---|
| `boxed`, `tag`, `json` | `\boxed{\frac{1}{2}}`, `<answer>1/2</answer>`, `{"answer": 12}` |
| `statement` | `The answer is $\frac12$.`, `Final Answer: The largest $n$ is 34.`, `Answer \[ 9 \]` |
| `line` | a last line that is nothing but the answer: `$28$ percent`, `\frac{4}{23}`, `1,000.99` |
| `conclusion` | a last sentence that draws a conclusion and holds one value: `Therefore $x \ge 5$ is the solution.` |

A sentence gives its value as such: not one that it supposes or bounds, nor a step (grading/asserted.py). A label is a
name (`Area = 5`); `Setting $x = 5$` is prose.

Two final answers are different when neither has the other's value, so 0.5 and 1/2 are one. Beside a box only a
statement that is nothing but a value counts; words (`Answer: east`) are an answer only where the question's is words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from fairreason.grading.asserted import SUPPOSES, concluded, said_in
from fairreason.grading.declared import (
    DOUBTED,
    LONGEST,
    MOST_STATEMENTS,
    NO_ANSWER,
    TOO_LONG,
    TWO_ANSWERS,
    UNREADABLE,
    Read,
    has_doubted,
    statement_spans,
)
from fairreason.grading.doubts import taken_back
from fairreason.grading.marks import marked
from fairreason.grading.values import LONGEST_ANSWER, MATH, SENTENCE_END, first_sentence, value_of, words_of

Same = Callable[[str, str], bool]
"""Whether two answers have one value."""

_LEFTOVER = re.compile(r"<\|(?:im_start|im_end|endoftext|eot_id|end_of_text)\|>.*", re.DOTALL)
_HOPE = "I hope it is correct"
_OPENING = re.compile(r"[*_ \t]*")
_BARE_DISPLAY = re.compile(r"\banswer[*_]*\s+(?=\$\$|\\\[)", re.IGNORECASE)
_PLAIN_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_BEFORE, _TAIL = 60, 100
MOST_FORMS = 16
"""Ways in which one answer may be written in one reply; comparing more is not worth its time."""


def declared_formula(text: str, same: Same, expects_words: bool = False) -> Read:
    """The one final answer of a final part, as it was written; `expects_words` where the question's answer is words."""
    if len(text) > LONGEST:
        return Read(None, TOO_LONG)
    marks = marked(text)
    text = _LEFTOVER.sub("", text).rstrip(" .\n").removesuffix(_HOPE).rstrip()
    if marks:
        boxed = [candidate for candidate, _ in marks if candidate and candidate.strip()]
        said = [
            value
            for candidate, *_ in _stated(text)
            if (value := value_of(candidate) or value_of(first_sentence(candidate)))
        ]
        if len(boxed) < len(marks):
            return Read(None, TWO_ANSWERS if boxed or said else UNREADABLE)
        return _one([*boxed, *said], marks[0][1], same)
    said, rest = [], text
    for candidate, ends, start in _stated(text):
        if value := said_in(candidate, ends, expects_words):
            said.append(value)
            rest = text[start:]
    lines = [line for line in text.split("\n") if line.strip()]
    if said:
        bare = value_of(lines[-1]) if "\n" in rest.strip() else None
        if taken_back(MATH.sub("0", rest[: 2 * LONGEST_ANSWER])):
            return Read(None, DOUBTED)
        return _one([*said, bare] if bare and _PLAIN_NUMBER.fullmatch(bare) else said, "statement", same)
    last = value_of(lines[-1]) if lines and not has_doubted("\n".join(lines[-2:])) else None
    if not last and expects_words and len(lines) == 1:
        last = words_of(lines[0])
    if last:
        return Read(last, "line")
    ended = concluded(text)
    return Read(ended, "conclusion" if ended else NO_ANSWER)


def _one(values: list[str], rule: str, same: Same) -> Read:
    """The first of the values, where all others are the same."""
    different = list(dict.fromkeys(values))
    few = len(different) <= MOST_FORMS
    if few and all(same(different[0], other) or same(other, different[0]) for other in different[1:]):
        return Read(values[0], rule)
    return Read(None, TWO_ANSWERS)


def _stated(text: str) -> Iterable[tuple[str, bool, int]]:
    """What is stated as the answer, whether the reply ends with that sentence, and where it stands; a formula that
    opens a statement is whole, over several lines too."""
    spans = statement_spans(text) + [(match.end(), len(text)) for match in _BARE_DISPLAY.finditer(text)]
    for start, stop in spans[-MOST_STATEMENTS:]:
        if SUPPOSES.search(re.split(r"[.!?\n]", text[max(0, start - _BEFORE) : start].rstrip())[-1]):
            continue
        begin = start + len(_OPENING.match(text, start)[0])  # type: ignore[index]
        display = MATH.match(text, begin) if text.startswith(("$$", r"\["), begin) else None
        candidate = display[0] if display else text[begin:stop].partition("\n")[0]
        heading = stop < len(text) and begin + len(candidate) == stop and not SENTENCE_END.search(candidate)
        if not heading or value_of(candidate):  # `Final Answer: The final answer is ...` states one thing
            sentence = first_sentence(candidate)
            ends = not text[begin + len(sentence) : begin + len(sentence) + _TAIL].strip(" .!*_\n")
            yield candidate, ends, begin
