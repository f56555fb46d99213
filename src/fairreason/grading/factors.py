"""What stands behind a number and makes it another one: `12 million`, `12 squared`, `12½`, `12x`.

| what | examples | a number with it is |
|---|---|---|
| a scale | `million`, `lakh`, `dozen`, `万` | 12,000,000 in mathematics, elsewhere no answer |
| a calculation | `squared`, `halves`, `minus three`, `½`, `π` | no answer, or the formula that it is |
| a variable | `12x`, `12B`, `12 k` | no answer, or the formula that it is |

Letters that are units are none of these (`12m`, `12 g`), nor are `quarters` and `pairs`, which may be counted. A
letter apart counts where nothing follows (`12 B`, not `12 B vitamins`).
"""

from __future__ import annotations

import re
from decimal import Decimal

_SCALES = {
    "hundred": 100,
    "thousand": 1_000,
    "million": 1_000_000,
    "billion": 1_000_000_000,
    "trillion": 1_000_000_000_000,
    "dozen": 12,
    "lakh": 100_000,
    "lac": 100_000,
    "crore": 10_000_000,
    "万": 10_000,
    "萬": 10_000,
    "亿": 100_000_000,
    "億": 100_000_000,
}
_SCALE = re.compile(rf"(?:{'|'.join(_SCALES)})s?(?![A-Za-z])", re.IGNORECASE)
_COUNT = r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|a (?:hundred|thousand|million))\b"
_PART = r"(?:half|halves|(?:third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|hundredth|thousandth)s?)"
_END = r"[\s$)}*_]*(?:[.,;!](?!\w)|\n|\Z)"
_CALCULATES = re.compile(
    r"(?:squared|cubed|factorial|plus|minus|divided|multiplied|sqrt|pi)\b|(?:mln|bn|(?-i:[kKM]))(?![\w&'’-])"
    rf"|{_PART}(?={_END}|\s+of\b)|(?:and |, )?(?:a|one|two|three)[ -](?:{_PART}|quarters?)\b|quarters? of\b"
    rf"|(?:times|x|root) {_COUNT}|over {_COUNT}(?={_END})|point (?:zero|one|{_COUNT})"
    r"|(?:more|less|fewer) than (?-i:[b-z])\b|[½⅓⅔¼¾⅕⅛²³π√×÷·±十百兆만억]|千(?![克米瓦卡帕])",
    re.IGNORECASE,
)
_LETTER = "bcdefijknopqrtuvwxyzBKMT"
_TOUCHES = re.compile(rf"[a{_LETTER}](?![^\W\d_]|['’.-]\w)")
_APART = re.compile(rf"[{_LETTER}](?={_END})")
_GAP = re.compile(r"(?:[ \t$~]|\\[,;: ]|\\(?:text|textbf|mbox|mathrm)\s?\{){0,6}")
_SCALED = re.compile(
    r"([-+]?\s?(?:\\?[$€£])?\s?)((?:\d{1,3}(?:,\d{3})+|\d{1,30})(?:\.\d{1,30})?)(?:\s|~|\\[,;: ]){0,4}"
    rf"(\\(?:text|textbf|mbox|mathrm)\s?\{{\s?)?({_SCALE.pattern})(.*)",
    re.DOTALL | re.IGNORECASE,
)


def factor(text: str, end: int) -> str:
    """What stands behind a number that ends at `end` and makes it another one, "" for none.

    >>> [factor(text, 2) for text in ("12 million", "12 squared", "12½", "12x", "12 apples", "12 m", "12 a day")]
    ['million', 'squared', '½', 'x', '', '', '']
    """
    start = _GAP.match(text, end).end()  # type: ignore[union-attr]
    letter = _TOUCHES.match(text, end) if start == end else _APART.match(text, start)
    found = _SCALE.match(text, start) or _CALCULATES.match(text, start) or letter
    return found[0] if found else ""


def is_scale(word: str) -> bool:
    """Whether a factor is a scale."""
    return _SCALE.fullmatch(word) is not None


def scaled(text: str) -> str:
    r"""A number with the word that multiplies it as one number.

    >>> scaled("1.5 million"), scaled(r"\$12\text{ thousand dollars}"), scaled("12 apples")
    ('1500000', '\\$12000\\text{ dollars}', '12 apples')
    """
    match = _SCALED.fullmatch(text)
    if match is None:
        return text
    sign, digits, wrap, word, behind = match.groups()
    number = format(Decimal(digits.replace(",", "")) * _SCALES[word.casefold().rstrip("s")], "f")
    rest = (r"\text{" + behind if behind.strip() != "}" else "") if wrap else behind
    return sign + (number.rstrip("0").rstrip(".") if "." in number else number) + rest
