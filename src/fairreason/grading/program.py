"""Where a reply's program stands: in its last block that defines the wanted function, or in the bare text.

| rule | what it is |
|---|---|
| `block` | the last closed block fenced as Python (or as nothing) that defines the function |
| `body` | a single such block that only continues the question's own text: its first line is indented |
| `bare` | no fence: from the first line that starts a program (`import`, `from`, `def`, `class`, `@`) to the end |
| `completion` | no fence, first line indented: the text goes on where the question ended |

Blocks are never joined: a model that shows drafts, tests and a final version means the last. Before `block` and `bare`
the question's own text is run (`prelude`), so its imports and helpers need not be repeated, as all public harnesses
have it. Nothing here parses or runs the program: that happens in the sandbox, and what does not compile is wrong.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from fairreason.grading.declared import LONGEST, OPEN_THINKING, TOO_LONG, final_part

NO_PROGRAM = "no program"
OPEN_BLOCK = "a block that is not closed"
NOT_DEFINED = "no block defines the function"

PYTHON = ("", "py", "python", "python3")
_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})[ \t]*([\w+-]*)")
_START = re.compile(r"^(?:import|from|def|class|async def)\s|^@\w", re.MULTILINE)


class Found(NamedTuple):
    """A reply's program, in the parts in which it is run, its own text, and the rule; no parts: why there is none."""

    parts: tuple[str, ...]
    text: str
    rule: str


def find_program(reply: str, wanted: str, prelude: str = "") -> Found:
    """The program of a reply that must define `wanted`; `prelude` is the question's own code.

    >>> find_program("Use a sum:\\n```python\\ndef add(a, b):\\n    return a + b\\n```\\nDone.", "add").text
    'def add(a, b):\\n    return a + b\\n'
    >>> find_program("    return a + b", "add", "def add(a, b):\\n").parts
    ('def add(a, b):\\n    return a + b',)
    >>> find_program("I cannot say.", "add").rule
    'no program'
    """
    text = final_part(reply)
    if text is None or len(text) > LONGEST:
        return Found((), "", OPEN_THINKING if text is None else TOO_LONG)
    every, is_open = fenced(text)
    blocks = [code for language, code in every if language in PYTHON]
    if not every and not is_open:
        return _bare(text, wanted, prelude)
    if not blocks:
        return Found((), "", OPEN_BLOCK if is_open else NO_PROGRAM)
    for block in reversed(blocks):
        if defines(block, wanted):
            return _whole(block, prelude, "block")
    if len(blocks) == 1 and prelude and _is_indented(blocks[0]):
        return Found((prelude + blocks[0],), blocks[0], "body")
    return Found((), "", NOT_DEFINED)


def defines(program: str, name: str) -> bool:
    """Whether a line at the left edge defines the name, as function, class or value."""
    name = re.escape(name)
    return bool(re.search(rf"^(?:(?:async[ \t]+)?def|class)[ \t]+{name}\b|^{name}[ \t]*=(?!=)", program, re.MULTILINE))


def fenced(text: str) -> tuple[list[tuple[str, str]], bool]:
    """The closed blocks, each as (language, text without the fence's indentation), and whether a last one stays open.

    >>> fenced("```Py\\na\\n```\\n```sh\\nls\\n```\\n```\\nb")
    ([('py', 'a\\n'), ('sh', 'ls\\n')], True)
    """
    blocks: list[tuple[str, str]] = []
    fence: re.Match[str] | None = None
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        match = _FENCE.match(line)
        if fence is None:
            fence, lines = match, []
        elif match and match[2].startswith(fence[2]) and not line[match.end(2) :].strip():
            blocks.append((fence[3].lower(), "".join(lines)))
            fence = None
        else:
            lines.append(line.removeprefix(fence[1]))
    return blocks, fence is not None


def _bare(text: str, wanted: str, prelude: str) -> Found:
    if prelude and _is_indented(text):
        return Found((prelude + text.lstrip("\r\n"),), text, "completion")
    start = _START.search(text)
    if start is None or not defines(text, wanted):
        return Found((), "", NO_PROGRAM)
    return _whole(text[start.start() :], prelude, "bare")


def _whole(program: str, prelude: str, rule: str) -> Found:
    return Found((prelude, program) if prelude else (program,), program, rule)


def _is_indented(text: str) -> bool:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return first[:1] in (" ", "\t")
