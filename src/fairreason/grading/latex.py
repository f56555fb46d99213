r"""What a LaTeX answer says once its dress is off: one value, and the unit that it names.

    >>> read(r"$15\mbox{ cm}^2.$"), read(r"\$32,\!348"), read("2516_8")
    (Value(text='15', unit='cm^2'), Value(text='32348', unit='$'), Value(text='2516', unit='base 8'))

Both sides alike:

* Dress: math delimiters, `\left \right`, thin spaces, `\dfrac`, a final full stop say nothing.
* Thousands: `10,\!080`, `10{,}080`, `10,080` and `10 080` are one number, behind `x =` too; a comma with a space after
  it parts a list; a comma is never a decimal point.
* Units: words, units, currencies, per cent and degree signs, ordinals and the base of a numeral may be left out. Where
  both sides name a unit of the table below, they must name the same. `50\%` is 50, not 1/2.
* `12 million` is 12,000,000, and `12 dozen` 144: what multiplies a number is no unit.
* Plain writing: `pi`, `sqrt(2)`, `infinity`, `<=`, `π`, `√`, `≤` are their LaTeX.
* Labels: `Area = 5` is 5.
* Lists: `and` and `or` between values are commas.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from fairreason.grading.factors import scaled
from fairreason.grading.units import TEXT, without_unit


class Value(NamedTuple):
    """The answer without its unit, and the unit ("" where there is none, or none of the table)."""

    text: str
    unit: str


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
_DOLLAR = re.compile(r"(?<!\\)\$")
_ENDS = re.compile(r"^(?:\\[\[(]|[\s*_`]|\$(?!\d))+|(?:\\[\])]|[\s*_`.,;:]|(?<![\\\d])\$)+$")
_THOUSANDS = re.compile(r"([^=,<>]{1,40}=\s*)?([-+]?\d{1,3})((?:,\d{3})+|(?:[  ]\d{3})+)(\.\d+)?")
_FUNCTION = r"(?!(?:arc)?(?:sin|cos|tan|cot|sec|csc|log|ln|exp)h?\b)"
_BARE_WORDS = re.compile(rf"{_FUNCTION}[A-Za-z]{{4,}}(?: [A-Za-z]+)*")
_LABEL = re.compile(
    rf"(?<![A-Za-z\\]){_FUNCTION}(?:[A-Z][A-Za-z.]+|[a-z]{{4,}})(?: [A-Za-z.]+)*\s*=(?!.*[=<>])\s*"
    r"|^=\s*",
    re.DOTALL,
)
_BRACKETED = re.compile(r"\([A-Za-z]\)|\[[A-Za-z]\]")
_OPTION = re.compile(r"\(([A-Z])\)\s*\S")


@lru_cache(maxsize=1 << 14)
def read(latex: str) -> Value:
    """The answer without its dress and its unit."""
    text = scaled(labelled(latex)[1])
    unit = ""
    while True:  # 12^{\mathrm{th}} \text{ grade}, 5 \text{ cents}: one piece after the other
        shorter, named = without_unit(text)
        if shorter == text:
            break
        text, unit = shorter, unit or named
    text = _unwrap(text)
    match = _THOUSANDS.fullmatch(text)
    if match:
        text = (match[1] or "") + match[2] + re.sub(r"\D", "", match[3]) + (match[4] or "")
    return Value(text, unit)


@lru_cache(maxsize=1 << 14)
def labelled(latex: str) -> tuple[str, str]:
    """The label of an undressed answer, "" for none, and the answer without it.

    >>> labelled("Area = 5"), labelled("x = 5")
    (('Area = ', '5'), ('', 'x = 5'))
    """
    text = _unwrap(undress(latex))
    label = _LABEL.search(text) if "=" in text else None
    return (label[0], _LABEL.sub("", text)) if label else ("", text)


def undress(latex: str) -> str:
    r"""Without math delimiters, spacing and other dress; plain writing becomes LaTeX.

    >>> undress(r"\(\left( 3, \dfrac{π}{2} \right).\)")
    '( 3, \\frac{\\pi }{2} )'
    """
    text = latex.replace("\0", "")
    if len(_DOLLAR.findall(text)) % 2 == 0:
        text = _DOLLAR.sub("", text)
    text = _ENDS.sub("", text)
    for pattern, new in _DRESS:
        text = pattern.sub(new, text)
    for written, new in _WRITING.items():
        text = text.replace(written, new)
    parts = _AND.split(_ENDS.sub("", text))
    return ("; " if len(parts) > 1 and all("," in part for part in parts) else ", ").join(parts)


def _unwrap(text: str) -> str:
    whole = TEXT.fullmatch(text)
    return whole[1].strip() if whole else text


def is_words(latex: str) -> bool:
    r"""Whether the answer is words: `\text{Evelyn}`, `\text{(C)}`, or bare ones of four letters and more (`even`)."""
    return is_wrapped(latex) or _BARE_WORDS.fullmatch(undress(latex)) is not None


def is_wrapped(latex: str) -> bool:
    r"""Whether the answer is nothing but `\text{words}`."""
    whole = TEXT.fullmatch(undress(latex))
    return bool(whole and re.search("[A-Za-z]", whole[1]) and not re.search(r"\d", whole[1]))


def words(latex: str) -> str:
    r"""The words of an answer, without case, brackets and double spaces.

    >>> words(r"\text{(C)}"), words("Even"), words(r"\textbf{East}")
    ('c', 'even', 'east')
    """
    text = TEXT.sub(r"\1", undress(latex)).strip(" .")
    return " ".join((text[1:-1] if _BRACKETED.fullmatch(text) else text).casefold().split())


def option_letter(latex: str) -> str | None:
    r"""The letter of an option that is named with its text, as competitions print them.

    >>> option_letter(r"\textbf{(C)}\ 12"), option_letter("C")
    ('c', None)
    """
    match = _OPTION.match(TEXT.sub(r"\1", undress(latex)))
    return match[1].casefold() if match else None
