r"""The strict reader: which final answer a reply declares. One reader for evaluation, reward and trace filter.

Only what follows the last `</think>` is read, and a reply whose thinking part never ends has no answer. Four places
count; the first that is there decides:

| rule | what it is |
|---|---|
| `boxed` | `\boxed{B}`, `\boxed{12}`, `\boxed{\text{The redcap}}`; boxes joined by a comma or `and` are one set |
| `tag` | `<answer>B</answer>`, read as a box |
| `statement` | `Answer: B`, `The answer is (B).`, `**Final answer:** 12`, `#### 12` |
| `line` | a line that is nothing but the answer: `B`, `(B)`, `B.`, `B. The redcap`, `The redcap`, `12` |

Two different final answers are none: they are `unparsed`, as is a box that names no option. A statement beside a box
must agree with it. A lower-case letter counts in a box or in brackets only, so the article "a" is never an option.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from fairreason.benchmarks.base import LETTERS, shown_order
from fairreason.records import Completion, Example, Grade

NO_ANSWER = "no final answer"
TWO_ANSWERS = "two different answers"
UNREADABLE = "a box that is no answer"
OPEN_THINKING = "thinking not closed"

LONGEST = 1_000_000
"""Characters above which a final part is not read: no answer is that long."""
_NEAR = 40

_PLAIN_BOX = re.compile(r"\s*\\boxed\{([A-Z]|-?[1-9][0-9]{0,14}|0)\}\.?\s*")
_BOX = re.compile(r"\\f?box(?:ed)?\s*\{")
_TAG = re.compile(r"<answer>(.*?)(?:</answer>?|\Z)", re.IGNORECASE | re.DOTALL)
_JOINT = re.compile(r"[\s,;$&]*(?:\\text\{\s*and\s*\}|\\quad|and)?[\s,;$&]*")
_STATEMENT = re.compile(r"(?:\b(?:answer|option|choice)[*_]*\s*(?:is\b[*_]*\s*:?|[:=])|####)[*_\s]*", re.IGNORECASE)
_WRAP = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|mbox)\s*\{([^{}]*)\}")
_DISPLAY = re.compile(r"^\\[\[(]|\\[\])]$")
_EDGES = " \t\r\n*_`$\"'“”‘’"
_LETTER = re.compile(
    r"(?:(?i:option|choice)\s+)?(?:[(\[]([A-Za-z])[)\]]|([A-Z])(?![\w'’])|([a-z])(?=\)))(.*)", re.DOTALL
)
_SECOND = re.compile(r"[\s.:)\]]*(?:(?:and|or)\b|[,/&])\s*\(?[A-Z]\b(?!['’])")
_NUMBER = re.compile(
    r"(?:\\?[$€£]\s*)?([-+−]?\s?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,40})(?:\.[0-9]{1,40})?)(?![0-9])\s*(?:\\?%)?(.*)",
    re.DOTALL,
)
_WORKING = re.compile(r"[0-9=+*/^\\]|\b(?:or|and)\b")


class Read(NamedTuple):
    """What a reply declares (None: nothing that counts) and the rule that fired, or why none did."""

    value: int | str | None
    rule: str


class Menu(NamedTuple):
    """An example's options as they are shown: letter -> published index, folded text -> published index (a text that
    two options share names neither)."""

    letters: dict[str, int]
    texts: dict[str, int]


Parse = Callable[[str, str], int | str | None]
"""(candidate, rule) -> the value that it declares, None where it is none."""


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


def final_part(text: str) -> str | None:
    """What follows the last `</think>`; None when a thinking part stays open.

    >>> final_part("<think>B, surely</think> A"), final_part("<think>B"), final_part("B")
    (' A', None, 'B')
    """
    tail = text[text.rfind("</think>") + len("</think>") :] if "</think>" in text else text
    return None if "<think>" in tail else tail


def declared(text: str, parse: Parse) -> Read:
    """The one final answer of a final part, as `parse` reads it. Where any text can be one (`short_text`), words after
    "answer is" need not be, so they are not held against a box."""
    if len(text) > LONGEST:
        return Read(None, NO_ANSWER)
    marked = [(candidate, "boxed") for candidate in boxes(text)]
    marked += [(match[1], "tag") for match in _TAG.finditer(text) if not _BOX.search(match[1])]
    stated = [] if marked and parse is short_text else statements(text)
    said = [value for value in (parse(candidate, "statement") for candidate in stated) if value is not None]
    if marked:
        values = [None if candidate is None else parse(candidate, "boxed") for candidate, _ in marked]
        if len({*values, *said}) > 1:
            return Read(None, TWO_ANSWERS)
        return Read(values[0], UNREADABLE if values[0] is None else marked[0][1])
    if said:
        return Read(None, TWO_ANSWERS) if len(set(said)) > 1 else Read(said[0], "statement")
    lines = {
        value for value in (parse(line, "line") for line in text.splitlines() if line.strip()) if value is not None
    }
    if len(lines) == 1:
        return Read(lines.pop(), "line")
    return Read(None, TWO_ANSWERS if lines else NO_ANSWER)


def boxes(text: str) -> list[str | None]:
    r"""What stands in each `\boxed{}`, boxes joined by a comma or `and` as one; None for one that is never closed.

    >>> boxes(r"\boxed{A} ... \boxed{\frac{1}{2}} and \boxed{3}"), boxes(r"\boxed{4")
    (['A', '\\frac{1}{2}, 3'], [None])
    """
    groups: list[list[str]] = []
    end, found = 0, _BOX.search(text)
    while found:
        close = _closing(text, found.end())
        if close is None:
            return [*(", ".join(dict.fromkeys(group)) for group in groups), None]
        between = text[end : found.start()] if found.start() - end < _NEAR else "."
        if not (groups and between.strip(" $") and _JOINT.fullmatch(between)):
            groups.append([])
        groups[-1].append(text[found.end() : close].strip())
        end = close + 1
        found = _BOX.search(text, end)
    return [", ".join(dict.fromkeys(group)) for group in groups]


def statements(text: str) -> list[str]:
    """What stands after each `answer:`, `answer is`, `####`, up to the line's end.

    >>> statements("The answer is B.")
    ['B.']
    """
    found = list(_STATEMENT.finditer(text))
    stops = [match.start() for match in found[1:]] + [len(text)]
    return [text[match.end() : stop].partition("\n")[0] for match, stop in zip(found, stops, strict=False)]


def option(candidate: str, menu: Menu, rule: str = "line") -> int | None:
    """The option that a candidate names by its letter, its text, or both; None where they disagree."""
    text = _bare(candidate)
    if rule == "boxed" and len(text) == 1:
        return menu.letters.get(text.upper(), menu.texts.get(_fold(text)))
    match = _LETTER.match(text)
    chosen = menu.letters.get((match[1] or match[2] or match[3]).upper()) if match else None
    rest = match[4] if match else ""
    if chosen is not None and not rest.strip(_EDGES + ".:),]"):
        return chosen
    named = menu.texts.get(_fold(text))
    if named is not None or chosen is None:
        return named if named is not None else _first_sentence(text, menu, rule)
    named = menu.texts.get(_fold(rest.lstrip(_EDGES + ".:),]-–")))
    if named is not None:
        return chosen if named == chosen else None
    said_on = rule == "statement" and rest[0] in ".,;:)" and not _SECOND.match(rest)
    return chosen if said_on else _first_sentence(text, menu, rule)


def number(candidate: str, rule: str = "line") -> str | None:
    """The number that a candidate is, in plain digits: `1,234` -> `1234`, `073` -> `73`, `12.0` -> `12`; after a
    statement or in a box words may follow (a unit), nothing that calculates.

    >>> number("1,234"), number("073"), number("12 apples", "boxed"), number("12 or 13", "statement"), number("1, 2")
    ('1234', '73', '12', None, None)
    """
    plain = _bare(candidate).replace("{,}", ",").replace(r"\!", "")
    match = _NUMBER.fullmatch(plain.rstrip("."))
    if match is None:
        return None
    rest = match[2].strip(_EDGES + ".")
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
    found, rule = (parse(plain[1], "boxed"), "boxed") if plain else declared(text, parse)
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
    return _menu_of(example.id, example.options, shown_order)


@lru_cache(maxsize=1 << 16)
def _menu_of(id: str, options: tuple[str, ...], order: Callable[[Example], tuple[int, ...]]) -> Menu:
    shown = order(Example(id, "", "bias", "", "", 0, options))
    folded = [_fold(text) for text in options]
    texts = {text: index for index, text in enumerate(folded) if folded.count(text) == 1 and text}
    return Menu(dict(zip(LETTERS, shown, strict=False)), texts)


def _first_sentence(text: str, menu: Menu, rule: str) -> int | None:
    """The option whose own words are the first sentence after a statement: `The redcap. The text says so.`"""
    return menu.texts.get(_fold(re.split(r"[.;]\s", text, maxsplit=1)[0])) if rule == "statement" else None


def _closing(text: str, start: int) -> int | None:
    """Where the brace that was opened before `start` is closed."""
    depth = 1
    for match in re.compile(r"\\[{}]|[{}]").finditer(text, start):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return match.start()
    return None


def _bare(text: str) -> str:
    """Without the quotes, asterisks, dollar signs and LaTeX wrappers around it."""
    text = _DISPLAY.sub("", _WRAP.sub(r"\1", text).strip(_EDGES))
    return text.strip(_EDGES)


def _fold(text: str) -> str:
    return " ".join(_bare(text).rstrip(".!").replace("’", "'").casefold().split())
