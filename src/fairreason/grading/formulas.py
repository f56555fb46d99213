r"""Which formula a reply declares as its final answer, where the answer is LaTeX (a value, a set, an interval, words).

The places are those of grading/declared.py, in the same order, and one more at the end:

| rule | what it is |
|---|---|
| `boxed`, `tag`, `json` | `\boxed{\frac{1}{2}}`, `<answer>1/2</answer>`, `{"answer": 12}` |
| `statement` | `The answer is $\frac12$.`, `Final Answer: The largest $n$ is 34.`, `Answer \[ 9 \]` |
| `line` | a last line that is nothing but the answer: `$28$ percent`, `\frac{4}{23}`, `1,000.99` |
| `conclusion` | a last sentence that draws a conclusion and holds one value: `Therefore $x \ge 5$ is the solution.` |

Two final answers are different when neither has the other's value, so 0.5 and 1/2 are one. Beside a box only a
statement that is nothing but a value counts; words (`Answer: east`) are an answer only where the question's is words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from fairreason.grading.declared import (
    DOUBTED,
    LONGEST,
    MOST_STATEMENTS,
    NO_ANSWER,
    TWO_ANSWERS,
    UNREADABLE,
    Read,
    has_doubted,
    statement_spans,
)
from fairreason.grading.doubts import taken_back
from fairreason.grading.factors import factor
from fairreason.grading.latex import TEXT, is_wrapped, read
from fairreason.grading.marks import has_box, marked

Same = Callable[[str, str], bool]
"""Whether two answers have one value."""

_MATH = re.compile(
    r"\$\$(.{1,2000}?)\$\$|\\\[(.{1,2000}?)\\\]|\\\((.{1,2000}?)\\\)"
    r"|(?<![\\\d$])\$((?:\\.|[^$\\\n]){1,2000}?)\$(?![\d$])",
    re.DOTALL,
)
_LIST = re.compile(r"[\s,;]*(?:and|or)?[\s,;]*")
_LEFTOVER = re.compile(r"<\|(?:im_start|im_end|endoftext|eot_id|end_of_text)\|>.*", re.DOTALL)
_HOPE = "I hope it is correct"
_SENTENCE_END = re.compile(r"(?<!\\)[.!?](?=\s|$)|。|\n\s*\n")
_OPENING = re.compile(r"[*_ \t]*")
_BARE_DISPLAY = re.compile(r"\banswer[*_]*\s+(?=\$\$|\\\[)", re.IGNORECASE)
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
_UNIT = re.compile(
    r"(?!.*\b(?:is|are|was|so|which|that|because|since|as|for|if|when|where|but|our|the|this|not?)\b)"
    r"[^\W\d]+(?: [^\W\d]+)?"
)
"""A word or two behind a formula that may be its unit."""
_SUPPOSES = re.compile(r"\b(?:if|whether|suppose|assum(?:e|ing)|check)\b", re.IGNORECASE)
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
_COMMAND = re.compile(r"\\(?:begin|end)\{\w+\*?\}|\\[A-Za-z]+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_KNOWN = frozenset(
    ("sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "log", "ln", "exp", "min", "max", "mod")
)
_NUMBER = re.compile(r"(?<![\w.,^])[-+]?\\?[$€£]?\d+(?:,\d{3})*(?:\.\d+)?(?:/\d+)?(?:\s?\\?%)?(?![\w^])")
_PLAIN_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_PLAIN_WORDS = re.compile(r"\(?[A-Za-z][A-Za-z'’-]*\)?(?: [A-Za-z'’-]+)?")
_BEFORE, _TAIL = 60, 100
MOST_FORMS = 16
"""Ways in which one answer may be written in one reply; comparing more is not worth its time."""
LONGEST_ANSWER = 2_000
"""Characters above which a statement or a line is prose, or nonsense, and no answer."""


def declared_formula(text: str, same: Same, expects_words: bool = False) -> Read:
    """The one final answer of a final part, as it was written; `expects_words` where the question's answer is words."""
    if len(text) > LONGEST:
        return Read(None, NO_ANSWER)
    marks = marked(text)
    text = _LEFTOVER.sub("", text).rstrip(" .\n").removesuffix(_HOPE).rstrip()
    if marks:
        boxed = [candidate for candidate, _ in marks if candidate and candidate.strip()]
        said = [value for candidate, *_ in _stated(text) if (value := _value(candidate) or _value(_first(candidate)))]
        if len(boxed) < len(marks):
            return Read(None, TWO_ANSWERS if boxed or said else UNREADABLE)
        return _one([*boxed, *said], marks[0][1], same)
    said, rest = [], text
    for candidate, ends, start in _stated(text):
        if value := _said(candidate, ends, expects_words):
            said.append(value)
            rest = text[start:]
    lines = [line for line in text.split("\n") if line.strip()]
    if said:
        bare = _value(lines[-1]) if "\n" in rest.strip() else None
        if taken_back(_MATH.sub("0", rest[: 2 * LONGEST_ANSWER])):
            return Read(None, DOUBTED)
        return _one([*said, bare] if bare and _PLAIN_NUMBER.fullmatch(bare) else said, "statement", same)
    last = _value(lines[-1]) if lines and not has_doubted("\n".join(lines[-2:])) else None
    if not last and expects_words and len(lines) == 1:
        last = _words(lines[0])
    if last:
        return Read(last, "line")
    ended = _conclusion(text)
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
        if _SUPPOSES.search(re.split(r"[.!?\n]", text[max(0, start - _BEFORE) : start].rstrip())[-1]):
            continue
        begin = start + len(_OPENING.match(text, start)[0])  # type: ignore[index]
        display = _MATH.match(text, begin) if text.startswith(("$$", r"\["), begin) else None
        candidate = display[0] if display else text[begin:stop].partition("\n")[0]
        heading = stop < len(text) and begin + len(candidate) == stop and not _SENTENCE_END.search(candidate)
        if not heading or _value(candidate):  # `Final Answer: The final answer is ...` states one thing
            sentence = _first(candidate)
            ends = not text[begin + len(sentence) : begin + len(sentence) + _TAIL].strip(" .!*_\n")
            yield candidate, ends, begin


def _value(candidate: str) -> str | None:
    """The candidate where it is nothing but a value, or several in a list; else None."""
    text = candidate.strip().strip("*_`").strip()
    if not text or len(text) > LONGEST_ANSWER or has_box(text):
        return None
    formulas, end, after = [], 0, 0
    while match := _MATH.match(text, after):
        formulas.append(_inside(match))
        end = match.end()
        after = end + len(_LIST.match(text, end)[0])  # type: ignore[index]
    if formulas:
        rest = text[end:].strip(" .*_")
        if rest and not (_UNIT.fullmatch(rest) and read(f"1 {rest}").text == "1"):
            return None
        return ", ".join(formulas) + (rf"\text{{ {rest}}}" if rest else "")
    text = text[: m.start()] if (m := _SENTENCE_END.search(text)) else text
    return text if _is_formula(text) else None


def _said(candidate: str, ends: bool, expects_words: bool) -> str | None:
    """The value that a statement gives: it is one or, where the reply ends with it, its sentence says that something
    is one, or holds just one."""
    sentence = _first(candidate)
    found = _value(candidate) or _value(sentence)
    if found or has_box(candidate) or _DENIES.search(_MATH.sub("", sentence)):
        return found
    if expects_words:
        return _words(sentence)
    return _explained(sentence) or ((_said_last(sentence) or _only(sentence)) if ends else None)


def _explained(sentence: str) -> str | None:
    """The value that a sentence opens with, where a comma or a reason follows: `$5$, because $2+3=5$`."""
    match = _MATH.match(sentence) or _NUMBER.match(sentence)
    if match is None or not _REASON.match(sentence, match.end()) or _ADMITS.search(sentence, match.end()):
        return None
    return _inside(match) if match.re is _MATH else match[0]


def _said_last(sentence: str) -> str | None:
    """What a sentence ends in, behind `is` or its like or a colon, unless it says so of several formulas."""
    if len(_IS_FORMULA.findall(sentence)) > 1:
        return None
    match = _ENDS_IN_FORMULA.search(sentence)
    if match:
        return _value(match[1])
    match = _SAYS.match(_MATH.sub(_mask, sentence))
    return _value(sentence[match.end() :]) if match else None


def _only(sentence: str) -> str | None:
    """The only value of a sentence: its one formula, or where it has none its one number."""
    found = [*_MATH.finditer(sentence)] or [*_NUMBER.finditer(sentence)]
    if len(found) != 1 or factor(sentence, found[0].end()):
        return None
    return _inside(found[0]) if found[0].re is _MATH else found[0][0]


def _conclusion(text: str) -> str | None:
    """The value of a last sentence that concludes."""
    text = text.rstrip()[-2 * LONGEST_ANSWER :]
    masked = _MATH.sub(_mask, text)
    ends = [match.end() for match in _SENTENCE_END.finditer(masked.rstrip(" .!*_"))]
    sentence = text[ends[-1] if ends else 0 :].strip()
    if not sentence or len(sentence) > LONGEST_ANSWER or has_box(sentence) or has_doubted(sentence):
        return None
    if _DENIES.search(_MATH.sub("", sentence)) or _REJECTS.search(_MATH.sub("0", sentence)):
        return None
    if _ENDS_IN_FORMULA.search(sentence) or _CONCLUDES.search(sentence):
        only = _only(sentence) if _MATH.search(sentence) else None
        return _said_last(sentence) or only
    return None


def _mask(formula: re.Match[str]) -> str:
    """As many letters as the formula has, so that a full stop inside it ends no sentence; one at its end does."""
    ends = "." if _inside(formula).endswith(".") else "x"
    return "x" * (len(formula[0]) - 1) + ends


def _words(sentence: str) -> str | None:
    text = sentence.strip(" .*_\n")
    return text if _PLAIN_WORDS.fullmatch(text) else None


def _first(text: str) -> str:
    """The first sentence, of as much as can be an answer."""
    text = text[: 2 * LONGEST_ANSWER]
    match = _SENTENCE_END.search(_MATH.sub(_mask, text))
    return text[: match.start()] if match else text


def _inside(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None).strip()


def _is_formula(text: str) -> bool:
    """Whether a text without delimiters is a formula or a number with its unit: nothing of it is prose."""
    value = read(text).text
    if is_wrapped(text):
        return True
    if not re.search(r"[\dA-Za-z]", value) or len(value) > LONGEST_ANSWER:
        return False
    rest = _COMMAND.sub(" ", TEXT.sub(" ", value))
    names = (word in _KNOWN or (len(word) < 4 and word.isupper()) for word in _WORD.findall(rest))  # AB: a segment
    return all(names) and bool(re.search(r"\d|\\|[-+=<>^(,]", value) or len(value) == 1)
