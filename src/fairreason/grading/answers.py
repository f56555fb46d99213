r"""Grades by the strict reader: options, numbers and short texts that a reply declares as its final answer.

grading/declared.py finds where a final answer stands; this module says what it means. A letter and an option's text
must agree. A lower-case letter counts in a box or in brackets only, so the article "a" is never an option.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from fairreason.draws import LETTERS, question_id, shown_order
from fairreason.grading.declared import OPEN_THINKING, Parse, declared, final_part
from fairreason.grading.factors import factor
from fairreason.grading.others import another
from fairreason.records import Completion, Example, Grade

_PLAIN_BOX = re.compile(r"\s*\\boxed\{([A-Z]|-?[1-9][0-9]{0,14}|0)\}\.?\s*")
"""What nearly every trained reply ends in, read without more ado."""
_WRAP = re.compile(r"\\(?:text(?:bf|it|rm|sf|tt)?|math(?:rm|bf|it)|mbox)\s*\{([^{}]*)\}")
_DISPLAY = re.compile(r"^\\[\[(]|\\[\])]$")
_EDGES = " \t\r\n*_`$\"'“”‘’。"
_MARKS = _EDGES + ".:(),[]-–—~"
"""What stands between a letter and its option's text."""
_WIDE = str.maketrans("（）" + "".join(chr(ord("Ａ") + i) for i in range(26)), "()" + string.ascii_uppercase)
_LINK = re.compile(
    r"[\s.,;:(–—-]{0,9}(?:i\.e\.|that is|namely|which is|meaning)[\s,:]{1,3}|[\s,:()–—-]{0,9}", re.IGNORECASE
)
"""What leads from a letter to words that say the same; a full stop or a semicolon leads to another sentence."""
_LETTER = re.compile(
    r"(?:(?i:option|choice)\s+)?(?:[(\[]([A-Za-z])[)\]]|([A-Z])(?![\w'’])|([a-z])(?=\)))(.*)", re.DOTALL
)
_REASON = re.compile(r"[\s,)]{1,3}(?:because|since|as|due to|given)\b")
_WHY = re.compile(r"[\s,)]{1,3}(?:because|since|due to|given)\b")
"""A reason behind a verb that chooses: `I choose A as ...` may call it anything."""
_PART_END = re.compile(r"[,:.;]\s|\s[–—-]\s")
_STOP = re.compile(r"[.!?;]\s")
_NUMBER = re.compile(
    r"(?:\\?[$€£]\s*)?([-+−]?\s?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,40})(?:\.[0-9]{1,40})?)(?![0-9])\s*(?:\\?%)?(.*)",
    re.DOTALL,
)
_WORKING = re.compile(r"[0-9=+*/^\\]|\b(?:or|and)\b")


class Menu(NamedTuple):
    """An example's options as they are shown: letter -> published index, folded text -> published index (a text that
    two options share names neither)."""

    letters: dict[str, int]
    texts: dict[str, int]


def grade_choice(example: Example, completion: Completion) -> Grade:
    """The grade of a question with options. `choice` counts in the published order."""
    early = _without_reading(completion)
    if early:
        return early
    menu = _menu(example)
    text = final_part(completion.text)
    if text is None:
        return Grade("unparsed", rule=OPEN_THINKING)
    plain = _PLAIN_BOX.fullmatch(text)
    if plain and plain[1] in menu.letters:
        choice, rule = menu.letters[plain[1]], "boxed"
    else:
        found, rule = declared(text, lambda candidate, rule: option(candidate, menu, rule))
        if not isinstance(found, int):
            return Grade("unparsed", rule=rule)
        choice = found
    return Grade("correct" if choice == example.answer else "wrong", choice=choice, rule=rule)


def grade_integer(example: Example, completion: Completion) -> Grade:
    """The grade of a question whose answer is a whole number; another number that was declared is wrong."""
    return _grade_short(example, completion, number)


def grade_text(example: Example, completion: Completion) -> Grade:
    """The grade of a question whose answer is a text, compared without case, edge punctuation and double spaces; a
    whole number is compared as one."""
    return _grade_short(example, completion, short_text if number(str(example.answer), "boxed") is None else number)


def option(candidate: str, menu: Menu, rule: str = "line") -> int | None:
    """The option that a candidate names by its letter, its text, or both; None where they disagree. Under the rule
    `rest` the candidate is a reply from an answer on, and the option another one that it gives as right."""
    if rule == "rest":
        if len(candidate.split()) < 2:
            return None
        first = option(candidate.partition("\n")[0], menu, "statement")
        return None if first is None else another(candidate, first, *menu)
    text = _bare(candidate.translate(_WIDE))
    if rule == "boxed" and len(text) == 1:
        return menu.letters.get(text.upper(), menu.texts.get(_fold(text)))
    match = _LETTER.match(text)
    chosen = menu.letters.get((match[1] or match[2] or match[3]).upper()) if match else None
    rest = match[4] if match else ""
    if chosen is not None and not rest.strip(_EDGES + ".:),]"):
        return chosen
    named = menu.texts.get(_fold(text))
    if named is not None or chosen is None:
        return named if named is not None else _named(text, menu, rule)
    named = _text_of(rest.lstrip(_MARKS), menu)
    if named is None and another(rest, chosen, *menu) is not None:
        return None
    if named is None and rule == "statement":
        words = rest.lstrip("*_")
        words = words[_LINK.match(words).end() :]  # type: ignore[union-attr]
        named = _first_sentence(words.lstrip(".; "), menu)
        named = _text_of(_PART_END.split(words, maxsplit=1)[0], menu) if named is None else named
    if named is not None:
        return chosen if named == chosen else None
    said_on = rule == "statement" and (rest.lstrip("*_")[0] in ".,;:)，。；" or _REASON.match(rest))
    if rule == "sentence":
        said_on = _WHY.match(rest) and not _STOP.search(rest)
    return chosen if said_on else _named(text, menu, rule)


def number(candidate: str, rule: str = "line") -> str | None:
    """The number that a candidate is, in plain digits: `1,234` -> `1234`, `073` -> `73`, `12.0` -> `12`; after a
    statement or in a box words may follow (a unit), nothing that makes it another number (grading/factors.py).

    >>> number("1,234"), number("073"), number("12 apples", "boxed"), number("12 or 13", "statement"), number("1, 2")
    ('1234', '73', '12', None, None)
    """
    plain = _bare(candidate).replace("{,}", ",").replace(r"\!", "")
    match = _NUMBER.fullmatch(plain.rstrip("."))
    if match is None:
        return None
    rest = match[2].strip(_EDGES + ".")
    if rule == "rest" or factor(plain, match.end(1)):
        return None
    if rest and (rule == "line" or (rule == "boxed" and rest[0] in ",-") or _WORKING.search(rest)):
        return None
    digits = match[1].replace(",", "").replace("−", "-").replace(" ", "").removeprefix("+")
    whole, _, part = digits.partition(".")
    part = part.rstrip("0")
    value = str(int(whole)) if whole.strip("-0") or not part else ("-" if whole.startswith("-") else "") + "0"
    return f"{value}.{part}" if part else value


def short_text(candidate: str, rule: str = "line") -> str | None:
    """The candidate without case, edge punctuation and double spaces; None when nothing is left."""
    return _fold(candidate) or None


def _grade_short(example: Example, completion: Completion, parse: Parse) -> Grade:
    early = _without_reading(completion)
    if early:
        return early
    text = final_part(completion.text)
    if text is None:
        return Grade("unparsed", rule=OPEN_THINKING)
    plain = _PLAIN_BOX.fullmatch(text)
    found, rule = (parse(plain[1], "boxed"), "boxed") if plain else declared(text, parse, free=parse is short_text)
    if found is None:
        return Grade("unparsed", rule=rule)
    gold = parse(str(example.answer), "boxed")
    return Grade("correct" if found == gold else "wrong", answer=str(found), rule=rule)


def _without_reading(completion: Completion) -> Grade | None:
    """The grade of a completion that is not read at all: one that failed, one that was cut."""
    if completion.finish_reason == "stop":
        return None
    return Grade("error" if completion.finish_reason == "error" else "truncated")


def _menu(example: Example) -> Menu:
    return _menu_of(question_id(example), example.options, shown_order, example.metadata.get("order"))


@lru_cache(maxsize=1 << 16)
def _menu_of(
    id: str, options: tuple[str, ...], order: Callable[[Example], tuple[int, ...]], published: str | None
) -> Menu:
    shown = order(Example(id, "", "bias", "", "", 0, options, metadata={"order": published}))
    return Menu(dict(zip(LETTERS, shown, strict=False)), _texts_of(options))


@lru_cache(maxsize=1 << 16)
def _texts_of(options: tuple[str, ...]) -> dict[str, int]:
    folded = [_fold(text) for text in options]
    return {text: index for index, text in enumerate(folded) if folded.count(text) == 1 and text}


def _named(text: str, menu: Menu, rule: str) -> int | None:
    """The option whose own words a candidate is, with its letter behind it in brackets or not."""
    found = _text_of(text, menu)
    return _first_sentence(text, menu) if found is None and rule == "statement" else found


def _first_sentence(text: str, menu: Menu) -> int | None:
    """The option whose own words are what follows a statement, up to its stop or its reason: `The redcap. The text says
    so.`, `The redcap because ...`"""
    sentence = re.split(r"[.;]\s", text, maxsplit=1)[0]
    found = _text_of(sentence, menu)
    return _text_of(_REASON.split(sentence, maxsplit=1)[0], menu) if found is None else found


def _text_of(words: str, menu: Menu) -> int | None:
    """The option whose text the words are; in brackets, or with its own letter in brackets behind it."""
    found = menu.texts.get(_fold(words), menu.texts.get(_fold(words.strip(_EDGES + "()."))))
    if found is not None:
        return found
    before, _, letter = words.rstrip(_EDGES + ".)").rpartition("(")
    named = menu.texts.get(_fold(before))
    return named if named is not None and menu.letters.get(letter.rpartition(" ")[2]) == named else None


def _bare(text: str) -> str:
    """Without the quotes, asterisks, dollar signs and LaTeX wrappers around it."""
    if "\\" in text:
        text = _DISPLAY.sub("", _WRAP.sub(r"\1", text).strip(_EDGES))
    return text.strip(_EDGES)


def _fold(text: str) -> str:
    ends = _EDGES + ".!"
    return " ".join(_bare(text.rstrip(ends)).rstrip(ends).replace("’", "'").casefold().split())
