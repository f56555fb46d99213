r"""What a LaTeX answer says once its dress is off: one value, and the unit that it names.

    >>> read(r"$15\mbox{ cm}^2.$"), read(r"\$32,\!348"), read("2516_8")
    (Value(text='15', unit='cm^2'), Value(text='32348', unit='$'), Value(text='2516', unit='base 8'))

Both sides alike:

* Dress: math delimiters, `\left \right`, thin spaces, `\dfrac`, a final full stop say nothing.
* Thousands: `10,\!080`, `10{,}080`, `10,080` and `10 080` are one number; a comma with a space after it parts a list; a
  comma is never a decimal point.
* Units: words, units, currencies, per cent and degree signs, ordinals and the base of a numeral may be left out. Where
  both sides name a unit of the table below, they must name the same. `50\%` is 50, not 1/2.
* Plain writing: `pi`, `sqrt(2)`, `infinity`, `<=`, `π`, `√`, `≤` are their LaTeX.
* Lists: `and` and `or` between values are commas.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


class Value(NamedTuple):
    """The answer without its unit, and the unit ("" where there is none, or none of the table)."""

    text: str
    unit: str


_TEXT = r"\\(?:text|textbf|textit|textrm|textnormal|mbox|hbox|mathrm|mathbf|mathit|operatorname)\s*\{([^{}]*)\}"
TEXT = re.compile(_TEXT)
"""Words inside a formula."""

_UNITS = {
    "mm": "millimeter millimetre",
    "cm": "centimeter centimetre",
    "m": "meter metre",
    "km": "kilometer kilometre",
    "in": "inch inches",
    "ft": "foot feet",
    "yd": "yard",
    "mi": "mile",
    "mg": "milligram",
    "g": "gram",
    "kg": "kilogram",
    "oz": "ounce",
    "lb": "pound lbs",
    "s": "second sec",
    "min": "minute",
    "h": "hour hr",
    "day": "",
    "week": "",
    "month": "",
    "year": "yr",
    "ml": "milliliter millilitre",
    "l": "liter litre",
    "gal": "gallon",
    "mph": "",
    "°": "degree deg",
    "rad": "radian",
    "%": "percent percentage pct",
    "$": "dollar usd",
    "cent": "",
    "€": "euro eur",
    "£": "gbp",
}
_NAMES = {
    form: unit for unit, forms in _UNITS.items() for name in (unit, *forms.split()) for form in (name, name + "s")
}

_WRITING = {
    "−": "-",
    "–": "-",
    "×": r"\times ",
    "·": r"\cdot ",
    "÷": "/",
    "π": r"\pi ",
    "∞": r"\infty ",
    "≤": r"\le ",
    "≥": r"\ge ",
    "≠": r"\ne ",
    "±": r"\pm ",
    "∪": r"\cup ",
    "∈": r"\in ",
    "²": "^2",
    "³": "^3",
    "½": r"\frac{1}{2}",
    "°": r"^\circ",
    "<=": r"\le ",
    ">=": r"\ge ",
    "!=": r"\ne ",
}
_DRESS: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    (re.compile(r"\\\\\s*\[-?[\d.]+\s*[a-z]+\]"), r"\\\\ "),
    (re.compile(r",\s*\\!\s*(?=\d{3})|\{,\}(?=\d{3})"), ""),
    (re.compile(r"(?<!\\)\\(?:left|right|[bB]ig+[lr]?|displaystyle|limits)(?![A-Za-z])|(?<!\\)\\!"), ""),
    (re.compile(r"(?<!\\)\\(?:[,;: ]|q?quad(?![A-Za-z]))|~"), " "),
    (re.compile(r"\\[dtc]frac(?![A-Za-z])"), r"\\frac"),
    (re.compile(r"(?<![\\A-Za-z])(?:pi|PI|Pi)(?![A-Za-z])"), r"\\pi "),
    (re.compile(r"(?<![\\A-Za-z])(?:infinity|infty|inf|oo)(?![A-Za-z])"), r"\\infty "),
    (
        re.compile(r"√\s*\(([^()]*)\)|√\s*(\w+)|(?<![\\A-Za-z])sqrt\s*\(([^()]*)\)"),
        lambda m: rf"\sqrt{{{m[1] or m[2] or m[3]}}}",
    ),
]
_AND = re.compile(r",?\s*(?:\\text\s*\{\s*(?:and|or)\s*\}|(?<![\\A-Za-z])(?:and|or)(?![A-Za-z]))\s*")
_ENDS = re.compile(r"^(?:\\[\[(]|[\s*_`]|\$)+|(?:\\[\])]|[\s*_`.,;:]|(?<!\\)\$)+$")
_THOUSANDS = re.compile(r"([-+]?\d{1,3})((?:,\d{3})+|(?:[  ]\d{3})+)(\.\d+)?")
_CURRENCY = re.compile(r"([-+]?)\s*(?:\\?\$|([€£]))\s*(?=[\d.])|(?<=\d)\s*(?:\\?\$|([€£]))$")
_PERCENT = re.compile(r"\s*\\?%$")
_DEGREES = re.compile(r"\s*(?:\^\s*(?:\{\s*\\circ\s*\}|\\circ)|\\degree)$")
_BASE = re.compile(r"(\d+)_(?:\{(\d+)\}|(\d+))")
_ORDINAL = re.compile(r"(?<=\d)\s*\^?\s*\{?\s*(?:\\(?:text|mathrm)\s*\{\s*)?(?:st|nd|rd|th)(?![A-Za-z])\s*\}?\s*\}?")
_TAIL = re.compile(
    rf"(.*?[\d)}}\]a-z])\s*(?:{_TEXT}|(?<=[\d)}}\]])\s*([A-Za-z][A-Za-z .]*?))\s*(?:\^\s*\{{?([23])\}}?)?$", re.DOTALL
)
_BRACKETED = re.compile(r"\([A-Za-z]\)|\[[A-Za-z]\]")
_FUNCTION = re.compile(r"(?:sin|cos|tan|cot|sec|csc|log|ln|exp|arc|max|min|mod)")


def read(latex: str) -> Value:
    """The answer without its dress and its unit."""
    text = undress(latex)
    unit = ""
    while True:  # 12^{\mathrm{th}} \text{ grade}, 5 \text{ cents}: one piece after the other
        shorter, named = _without_unit(text)
        if shorter == text:
            break
        text, unit = shorter, unit or named
    whole = TEXT.fullmatch(text)
    text = whole[1].strip() if whole else text
    match = _THOUSANDS.fullmatch(text)
    if match:
        text = match[1] + re.sub(r"\D", "", match[2]) + (match[3] or "")
    return Value(text, unit)


def undress(latex: str) -> str:
    r"""Without math delimiters, spacing and other dress; plain writing becomes LaTeX.

    >>> undress(r"\(\left( 3, \dfrac{π}{2} \right).\)")
    '( 3, \\frac{\\pi }{2} )'
    """
    text = _ENDS.sub("", latex.replace("\0", ""))
    for pattern, new in _DRESS:
        text = pattern.sub(new, text)
    for written, new in _WRITING.items():
        text = text.replace(written, new)
    parts = _AND.split(_ENDS.sub("", text))
    return ("; " if len(parts) > 1 and all("," in part for part in parts) else ", ").join(parts)


def is_words(latex: str) -> bool:
    r"""Whether the answer is words, as `\text{Evelyn}` and `\text{(C)}` are."""
    whole = TEXT.fullmatch(undress(latex))
    return bool(whole and re.search("[A-Za-z]", whole[1]) and not re.search(r"\d", whole[1]))


def words(latex: str) -> str:
    r"""The words of an answer, without case, brackets and double spaces.

    >>> words(r"\text{(C)}"), words("Even"), words(r"\textbf{East}")
    ('c', 'even', 'east')
    """
    text = TEXT.sub(r"\1", undress(latex)).strip(" .")
    return " ".join((text[1:-1] if _BRACKETED.fullmatch(text) else text).casefold().split())


def _without_unit(text: str) -> tuple[str, str]:
    """One piece of unit less at the end (a currency may stand before), and its name, "" where the table has none."""
    base = _BASE.fullmatch(text)
    if base:
        return base[1], f"base {base[2] or base[3]}"
    for pattern, unit in ((_PERCENT, "%"), (_DEGREES, "°")):
        shorter = pattern.sub("", text)
        if shorter and shorter != text:
            return shorter, unit
    money = _CURRENCY.match(text) or _CURRENCY.search(text)
    if money:
        return text[: money.start()] + (money[1] or "") + text[money.end() :], money[2] or money[3] or "$"
    plain = _ORDINAL.sub(" ", text).strip()
    if plain != text:
        return plain, ""
    tail = _TAIL.fullmatch(text)
    name = _unit_name(tail) if tail else None
    return (text, "") if tail is None or name is None else (tail[1].strip(), name)


def _unit_name(tail: re.Match[str]) -> str | None:
    """The unit that stands at the end, "" for words that are none, None for letters that may be variables."""
    wrapped, bare, power = tail[2], tail[3], tail[4]
    name = " ".join((wrapped if wrapped is not None else bare).casefold().strip(" .").split())
    for square in ("square ", "sq. ", "sq ", "cubic "):
        if name.startswith(square):
            name, power = name.removeprefix(square), "3" if square == "cubic " else "2"
    unit = _NAMES.get(name)
    if unit and (wrapped is not None or len(name) > 1):
        return f"{unit}^{power}" if power else unit
    if wrapped is not None:
        return None if len(name) == 1 or power else ""
    apart = tail.string[tail.end(1) : tail.start(3)] != ""
    return "" if apart and len(name) > 3 and not _FUNCTION.match(name) and not power else None
