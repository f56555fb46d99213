"""Foreign text in Markdown: what a teacher, a server or a data set says is shown and does nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

LONGEST = 200
"""Characters of a foreign text that are shown."""
MARKDOWN: Mapping[str, str] = {
    **{sign: f"\\{sign}" for sign in "\\`*_{}[]()#+!|~$:@^"},
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
}
"""What a sign is written as, so that it is shown and nothing else."""


def plain(foreign: object, most: int = LONGEST) -> str:
    r"""A foreign text on one line, cut to `most` characters, in which nothing is Markdown, HTML, link or control sign.

    >>> plain("<b>| [x](y)\n")
    '&lt;b&gt;\\| \\[x\\]\\(y\\)'
    """
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in str(foreign)).split())
    cut = line if len(line) <= most else f"{line[:most]}..."
    return re.sub(r"(?i)\bwww\.", r"www\\.", "".join(MARKDOWN.get(sign, sign) for sign in cut))


def near(said: str) -> str:
    """An error without the folders of whoever met it: of a path its last two names.

    >>> near("/home/me/data/math500/test.jsonl:3: needs problem")
    'math500/test.jsonl:3: needs problem'
    """
    return re.sub(r"(?<![\w.])(?:/[^/\s:]+)+/([^/\s:]+/[^/\s:]+)", r"\1", said)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of foreign texts; the head is ours."""
    lines = [head, ["---"] * len(head)]
    shown = [" | ".join(line) for line in lines] + [" | ".join(map(plain, row)) for row in rows]
    return "\n".join(f"| {line} |" for line in shown)
