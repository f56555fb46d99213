r"""MathVerse's gold answers and choices, brought into a form that a rule can compare.

The published scoring asks a language model, so the published answers need not be clean: `Volume $=904.78
\mathrm{~cm}^{3}$`, `118掳T` (a degree sign read in the wrong encoding), `56.55 units $^{3}$`, `C\nD`. Choices stand
inside the question's text, `A:40°` or `A.40°` a line, below `Choices:` or `Choice:`.
"""

from __future__ import annotations

import re

from fairreason.draws import LETTERS
from fairreason.errors import DataError
from fairreason.grading.answers import Menu, option, short_text
from fairreason.grading.declared import OPEN_THINKING, declared, final_part
from fairreason.records import Completion, Example, Grade

_HEAD = re.compile(r"^[ \t]*Choices?:[ \t]*$", re.MULTILINE)
_CHOICE = re.compile(r"^[ \t]*\(?([A-H])\)?[ \t]*[:.][ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
_NAMED = re.compile(r"\$?(?:\\mathrm\{SA\}|(?:[A-Z][A-Za-z]+|S\.A\.|slope|diameter)[A-Za-z. ]*)\$?=(.+)", re.DOTALL)
_UNITS = re.compile(
    r"\s*\$?\s*(?:\\text\s*\{\s*units?\s*\}|(?:(?:cubic|square)\s+)?units?|[Ll]itres)\s*\$?\s*(?:\^\{?\d\}?)?\s*\$?\s*$"
)
_SEVERAL = re.compile(r"[\s,;&]*(?:and\b)?[\s,;&]*")


def clean_gold(answer: str) -> str:
    r"""A free answer without the name of what it measures, the word "units" and a wrongly read degree sign.

    >>> clean_gold(r"Volume $=904.78 \mathrm{~cm}^{3}$"), clean_gold("56.55 units $^{3}$"), clean_gold("$y=x-5$")
    ('904.78 \\mathrm{~cm}^{3}', '56.55', '$y=x-5$')
    """
    text = answer.replace("掳", "°").strip()
    lines = {line.strip() for line in text.splitlines() if line.strip()}
    text = lines.pop() if len(lines) == 1 else text
    named = _NAMED.fullmatch(text)
    text = named[1].strip() if named else text
    text = _UNITS.sub("", re.sub(r"^\$?=\s*", "", text)) or text
    if text.count("$") == 1:
        text = text.strip("$")
    return re.sub(r"(?<=\d)\.(?=\\|$)", "", text).strip()


def choices_of(question: str) -> dict[str, str]:
    r"""Letter -> text of the choices inside a question, empty where there are none.

    >>> choices_of("What is it?\nChoices:\nA:40°\nB:60°")
    {'A': '40°', 'B': '60°'}
    """
    heads = list(_HEAD.finditer(question))
    return dict(_CHOICE.findall(question[heads[-1].end() :])) if heads else {}


def gold_letters(answer: str, choices: dict[str, str], where: str) -> str:
    r"""The right choice's letter, several joined by commas, from a letter, letters or a choice's text; else DataError.

    >>> gold_letters("(C)", {}, ""), gold_letters("C\nD", {}, ""), gold_letters("False", {"A": "False"}, "")
    ('C', 'C, D', 'A')
    """
    letters = _letters(answer)
    if letters is None:
        named = [letter for letter, text in choices.items() if text == answer.strip()]
        letters = named[0] if len(named) == 1 else None
    if letters is None:
        found = ", ".join(choices) or "none were found"
        raise DataError(f"{where}: the answer {answer!r} names none of the choices ({found})")
    return ", ".join(letters)


def grade_letters(example: Example, completion: Completion) -> Grade:
    """The grade of a question whose choices stand in its own text or picture: by letter or by a choice's text, both
    in the question's own order; where two are right, both are wanted."""
    if completion.finish_reason != "stop":
        return Grade("error" if completion.finish_reason == "error" else "truncated")
    text = final_part(completion.text)
    if text is None:
        return Grade("unparsed", rule=OPEN_THINKING)
    choices = example.metadata["choices"]
    folded = [short_text(text) for text in choices.values()]
    letters = {letter: index for index, letter in enumerate(LETTERS[:8])}
    pairs = zip(folded, choices, strict=True)
    texts = {name: letters[letter] for name, letter in pairs if name and folded.count(name) == 1}
    menu = Menu({letter: index for letter, index in letters.items() if letter in choices or not choices}, texts)
    several = "," in str(example.answer)
    found, rule = declared(text, lambda candidate, rule: _read(candidate, menu, rule, several))
    if not isinstance(found, str):
        return Grade("unparsed", rule=rule)
    return Grade("correct" if found == example.answer else "wrong", answer=found, rule=rule)


def _read(candidate: str, menu: Menu, rule: str, several: bool) -> str | None:
    """The letters that a candidate names, joined by commas, None where it names none."""
    found = _letters(candidate.strip(" $*.")) if several and rule != "rest" else None
    if found:
        return ", ".join(found) if all(letter in menu.letters for letter in found) else None
    index = option(candidate, menu, rule)
    return None if index is None else LETTERS[index]


def _letters(text: str) -> str | None:
    """The letters of a text that is nothing but letters of choices: `C`, `(C)`, `C and D`, `CD`, else None."""
    found = re.findall(r"(?<![A-Za-z])\(?([A-H]{1,4})\)?(?![A-Za-z])", text)
    rest = re.sub(r"(?<![A-Za-z])\(?[A-H]{1,4}\)?(?![A-Za-z])", " ", text)
    letters = "".join(found)
    if not letters or len(set(letters)) < len(letters) or not _SEVERAL.fullmatch(" ".join(rest.split())):
        return None
    return "".join(sorted(letters))
