r"""Units at the end of an answer: `12\text{ cm}`, `15\mbox{ cm}^2`, `10km/h`, `\$18.90`, `90^\circ`, `10\%`, `2516_8`.

A unit may be a word in the formula (`\text{ cm}`), or plain letters behind a number. Plain letters that may be a
variable are none: `5m` is five times m, `4.4 m`, with a space behind a number, are metres.
"""

from __future__ import annotations

import re

from fairreason.grading.factors import factor

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

_PROSE = re.compile(r"(?:is|are|was|were|too|not|which|that|fails?)\b")
"""How words begin that say something of a number."""
_CURRENCY = re.compile(r"([-+]?)\s*(?:\\?\$|([€£]))\s*(?=[\d.])|(?<=\d)\s*(?:\\?\$|([€£]))$")
_PERCENT = re.compile(r"\s*\\?%$")
_DEGREES = re.compile(r"\s*(?:\^\s*(?:\{\s*\\circ\s*\}|\\circ)|\\degree)$")
_BASE = re.compile(r"(\d+)_(?:\{(\d+)\}|(\d+))")
_ORDINAL = re.compile(r"(?<=\d)\s*\^?\s*\{?\s*(?:\\(?:text|mathrm)\s*\{\s*)?(?:st|nd|rd|th)(?![A-Za-z])\s*\}?\s*\}?")
_TAIL = re.compile(
    rf"(.*?[\d)}}\]a-z])(\s*)(?:{_TEXT}|(?:(?<=[\d)}}\]])|(?<=\s))([A-Za-z][A-Za-z .]{{0,80}}?(?:\s*/\s*[a-z]+)?))"
    r"\s*(?:\^\s*\{?([23])\}?)?$",
    re.DOTALL,
)
_PLAIN_NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+")
_FUNCTION = re.compile(r"(?:sin|cos|tan|cot|sec|csc|log|ln|exp|arc|max|min|mod)")


def without_unit(text: str) -> tuple[str, str]:
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
    before, space, wrapped, bare, power = tail.groups()
    name = " ".join((wrapped if wrapped is not None else bare).casefold().strip(" .").split()).replace(" per ", "/")
    for square in ("square ", "sq. ", "sq ", "cubic "):
        if name.startswith(square):
            name, power = name.removeprefix(square), "3" if square == "cubic " else "2"
    units = [_NAMES.get(part.strip()) for part in name.split("/")]
    certain = wrapped is not None or len(name) > 1 or (space and _PLAIN_NUMBER.fullmatch(before))
    if _PROSE.match(name) or factor(" " + name.lstrip("\\"), 0):
        return None
    if all(units) and certain:
        return "/".join(map(str, units)) + (f"^{power}" if power else "")
    if name in ("unit", "units"):
        return ""
    if wrapped is not None:
        return None if len(name) == 1 or power else ""
    after_number = space and before[-1] in "0123456789)}]"
    return "" if after_number and len(name) > 3 and not _FUNCTION.match(name) and not power else None
