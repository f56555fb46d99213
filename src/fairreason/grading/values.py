r"""Texts that are nothing but a value: `$\frac12$`, `$3$ and $4$`, `$28$ percent`, `Area = 5`, `1,000.99`, `east`."""

from __future__ import annotations

import re

from fairreason.grading.latex import TEXT, is_wrapped, labelled, read
from fairreason.grading.marks import has_box

LONGEST_ANSWER = 2_000
"""Characters above which a statement or a line is prose, or nonsense, and no answer."""
MATH = re.compile(
    r"\$\$(.{1,2000}?)\$\$|\\\[(.{1,2000}?)\\\]|\\\((.{1,2000}?)\\\)"
    r"|(?<![\\\d$])\$((?:\\.|[^$\\\n]){1,2000}?)\$(?![\d$])",
    re.DOTALL,
)
_LIST = re.compile(r"[\s,;]*(?:and|or)?[\s,;]*")
SENTENCE_END = re.compile(r"(?<!\\)[.!?](?=\s|$)|。|\n\s*\n")
_UNIT = re.compile(
    r"(?!.*\b(?:is|are|was|so|which|that|because|since|as|for|if|when|where|but|our|the|this|not?)\b)"
    r"[^\W\d]+(?: [^\W\d]+)?"
)
"""A word or two behind a formula that may be its unit."""
_COMMAND = re.compile(r"\\(?:begin|end)\{\w+\*?\}|\\[A-Za-z]+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_PROSE = re.compile(
    r"\b(?:we|us|I|it|not?|never|nothing|nobody|cannot|if|whether|unless|when|where|for|with|given|let|set|put|try|check|assum\w+"
    r"|suppos\w+|using|taking|trying|(?:sett|lett|putt|substitut|plugg)ing|reject\w*|discard\w*|exclud\w*|wrong|incorrect|false)\b"
    r"|(?<!\bis )(?<!\bare )\b[^\W\d_]\s*=\s*\Z",
    re.IGNORECASE,
)
"""A label that is no name: `We get total =`, `Setting x =`; a name does not end in a variable."""
_KNOWN = frozenset(
    ("sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "log", "ln", "exp", "min", "max", "mod")
)
_PLAIN_WORDS = re.compile(r"\(?[A-Za-z][A-Za-z'’-]*\)?(?: [A-Za-z'’-]+)?")


def value_of(candidate: str) -> str | None:
    """The candidate where it is nothing but a value, or several in a list; else None."""
    text = candidate.strip().strip("*_`").strip()
    if not text or len(text) > LONGEST_ANSWER or has_box(text):
        return None
    formulas, end, after = [], 0, 0
    while match := MATH.match(text, after):
        formulas.append(inside(match))
        end = match.end()
        after = end + len(_LIST.match(text, end)[0])  # type: ignore[index]
    if formulas:
        rest = text[end:].strip(" .*_")
        if rest and not (_UNIT.fullmatch(rest) and read(f"1 {rest}").text == "1"):
            return None
        return ", ".join(formulas) + (rf"\text{{ {rest}}}" if rest else "")
    end_mark = SENTENCE_END.search(text)
    if end_mark and end_mark[0] == "?":
        return None
    text = text[: end_mark.start()] if end_mark else text
    return text if _is_formula(text) else None


def mask(formula: re.Match[str]) -> str:
    """As many letters as the formula has, so that a full stop inside it ends no sentence; one at its end does."""
    ends = "." if inside(formula).endswith(".") else "x"
    return "x" * (len(formula[0]) - 1) + ends


def words_of(sentence: str) -> str | None:
    text = sentence.strip(" .*_\n")
    return text if _PLAIN_WORDS.fullmatch(text) else None


def first_sentence(text: str) -> str:
    """The first sentence, of as much as can be an answer."""
    text = text[: 2 * LONGEST_ANSWER]
    match = SENTENCE_END.search(MATH.sub(mask, text))
    return text[: match.start()] if match else text


def inside(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None).strip()


def _is_formula(text: str) -> bool:
    """Whether a text without delimiters is a formula or a number with its unit: nothing of it is prose."""
    if _PROSE.search(labelled(text)[0]):
        return False
    value = read(text).text
    if is_wrapped(text):
        return True
    if not re.search(r"[\dA-Za-z]", value) or len(value) > LONGEST_ANSWER:
        return False
    rest = _COMMAND.sub(" ", TEXT.sub(" ", value))
    names = (word in _KNOWN or (len(word) < 4 and word.isupper()) for word in _WORD.findall(rest))  # AB: a segment
    return all(names) and bool(re.search(r"\d|\\|[-+=<>^(,]", value) or len(value) == 1)
