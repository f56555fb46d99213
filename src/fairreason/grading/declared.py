r"""The strict reader: which final answer a reply declares. One reader for evaluation, reward and trace filter.

Only what follows the last `</think>` (`</thinking>`, `[/THINK]`) is read, without the control tokens that end a turn,
and a reply whose thinking part never ends has no answer. Five places count; the first that is there decides:

| rule | what it is |
|---|---|
| `boxed` | `\boxed{B}`, `\boxed{12}`, `\boxed{\text{The redcap}}`, `\boxed B`; joined by a comma or `and` one set |
| `tag` | `<answer>B</answer>`, read as a box |
| `json` | `{"answer": "B"}`, a JSON object with an answer key, read as a box |
| `statement` | `Answer: B`, `The answer is (B).`, `**Final answer:** 12`, `#### 12`, `答案是 B。` |
| `statement` | a last sentence that chooses a letter: `B is correct.`, `I would go with B.` (grading/sentences.py) |
| `line` | a line that is nothing but the answer: `B`, `(B)`, `B.`, `B. The redcap`, `The redcap`, `12` |

Two different final answers are none: they are `unparsed`, as is a box that names no option. A statement beside a box
must agree with it, and what follows a box at once must not take it back. Lines that list the options, after `each
option:` or without, say nothing of the answer (grading/lists.py). A statement that is denied or supposed is none, one
that is taken back spoils the reply (grading/doubts.py), as does another answer behind it or a last line that is another
(grading/others.py).
A lower-case letter counts in a box or in brackets only, so the article "a" is never an option.
`####` marks an answer on the last line, or where a number stands alone behind it; else it is a heading.
Without braces a box holds one character, as in LaTeX; more of them (`\boxed 12`) may be meant or not: `unparsed`.
Answers that are LaTeX are found in the same places by grading/formulas.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from fairreason.grading.doubts import doubted, taken_back
from fairreason.grading.lists import IsAnswer, headings, in_lists, listed
from fairreason.grading.marks import BOX, TAG, marked
from fairreason.grading.sentences import choosing

NO_ANSWER = "no final answer"
TWO_ANSWERS = "two different answers"
DOUBTED = "an answer denied, supposed or taken back"
UNREADABLE = "a box that is no answer"
OPEN_THINKING = "thinking not closed"
LONGEST = 1_000_000
"""Characters above which a final part is not read: no answer is that long."""
TOO_LONG = f"more than {LONGEST:,} characters"
MOST_STATEMENTS = 1_000
"""A reply that states its answer more often is read by its last ones."""
_ENDS_OF_TURN = (
    "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<|end|>", "<end_of_turn>", "</s>", "<eos>"
)  # fmt: skip

_SENTENCE_END = re.compile(r"(?<=[.!?])\s")
_GOES_ON = re.compile(r"\r?\n[ \t]{0,4}(?:is|are|was|were|does|did|has|can|could|would|may|might|should|or|and|nor)\b")
_MARK = re.compile(
    r"((?:\}+|(?i:</answer>))[$*]*(?=\s{1,3}[A-Z]))|\\f?box(?:ed)?\s*\{|\\text\w{0,2}\s*\{|(?i:</?answer>)|[{}$]|\\[()\[\]]"
)
"""What marks an answer; in front of a sentence it ends a line."""
_MOST_REST = 10_000
"""Characters at each end of what follows an answer that are looked at."""
_BE = (
    r"(?:must|should) be\b[*_]{0,3}\s{0,9}:?"
    r"(?=\s{0,9}(?:[*_\"“]|[(\[]?(?:(?:option|choice) )?(?-i:[A-Z])\b(?!['’])))"
)
"""`The answer must be B`, `must be "Unknown"`, but not `must be a letter`, `should be 3 digits long`."""
_BULLET = r"(?:(?:(?<=\n)|(?<=\n[ *])|(?<=\n[ *]{2}))[-•][ \t]{1,3}[*_]{0,3})?"
_STATEMENT = re.compile(
    rf"(?:\b(?:answer|option|choice)[*_]*\s*(?:is\b[*_]*\s*:?|{_BE}|[:=：])"
    rf"|####|答案[*_]*\s*(?:[是为]\s*[:：]?|[:：]))[*_\s]*{_BULLET}",
    re.IGNORECASE,
)
THOUGHT = re.compile(r"(?i:</?think(?:ing)?\s?>)|\[/?THINK\]")
"""Where thinking opens or closes."""
_MOST_DIGITS = 100
"""Characters behind `####` among which a number alone ends."""


Parse = Callable[[str, str], int | str | None]
"""(candidate, rule) -> the value that it declares, None where it is none. The rule is `boxed` (for all that is read as
a box), `statement`, `line`, or `sentence`: a reply's last, that chooses a letter and must say no more than why. Under
`rest` the candidate goes from an answer to the reply's end, and the value is another one that it gives as right."""


class Read(NamedTuple):
    """What a reply declares (None: nothing that counts) and the rule that fired, or why none did."""

    value: int | str | None
    rule: str


def final_part(text: str) -> str | None:
    """What follows the last `</think>`, without the control tokens that end a turn; None when a thinking part stays
    open.

    >>> final_part("<think>B, surely</think> A"), final_part("<think>B"), final_part("B<|im_end|>")
    (' A', None, 'B')
    """
    start, is_open = 0, False
    for tag in THOUGHT.finditer(text):
        start, is_open = (tag.end(), False) if "/" in tag[0] else (start, True)
    return None if is_open else spoken(text[start:])


def spoken(text: str) -> str:
    """A text without the control tokens at its very end."""
    end = len(text)
    while len(text) <= LONGEST:
        last = end
        while last and text[last - 1].isspace():
            last -= 1
        token = next((token for token in _ENDS_OF_TURN if text.endswith(token, 0, last)), None)
        if token is None:
            break
        end = last - len(token)
    return text[:end]


def declared(text: str, parse: Parse, free: bool = False) -> Read:
    """The one final answer of a final part, as `parse` reads it. Where any text can be one (`free`), words after
    "answer is" need not be, so they are not held against a box, and no sentence chooses a letter."""
    if len(text) > LONGEST:
        return Read(None, TOO_LONG)
    marks = marked(text)
    chosen = [] if free else choosing(text)
    spans, doubted_to = ([], 0) if marks and free else _statements(text, parse)
    claims = [(_line(text, start, stop), "statement") for start, stop in spans]
    if chosen:  # then each sentence is read by itself
        claims = [(_SENTENCE_END.split(candidate, maxsplit=1)[0], rule) for candidate, rule in claims]
    claims += [(one.candidate, "sentence" if one.last else "statement") for one in chosen]
    values = [parse(candidate, rule) for candidate, rule in claims]
    said = [value for value in values if value is not None]
    if marks:
        values = [None if candidate is None else parse(candidate, "boxed") for candidate, _ in marks]
        if len({*values, *said}) > 1:
            return Read(None, TWO_ANSWERS)
        found = Read(values[0], UNREADABLE if values[0] is None else marks[0][1])
        return found if free or found.value is None else _left(found, _behind(text), parse)
    if said:
        if len(set(said)) > 1:
            return Read(None, TWO_ANSWERS)
        last = None if chosen or free else spans[max(i for i, value in enumerate(values) if value is not None)][0]
        return _held(Read(said[0], "statement"), text, last, parse)
    lines = [(at, value) for at, line in _lines(text, doubted_to) if (value := parse(line, "line")) is not None]
    items = in_lists(text, _is_answer(parse))
    alone = [(at, value) for at, value in lines if at not in items]
    if len({value for _, value in alone}) == 1:
        before = [] if free else choosing(text[: alone[-1][0]])
        if {parse(one.candidate, "statement") for one in before} - {None, alone[-1][1]}:
            return Read(None, TWO_ANSWERS)
        return _held(Read(alone[-1][1], "line"), text, None if free else alone[-1][0], parse)
    return Read(None, TWO_ANSWERS if lines else DOUBTED if doubted_to else NO_ANSWER)


def _is_answer(parse: Parse) -> IsAnswer:
    return lambda line: parse(line, "line") is not None


def _held(found: Read, text: str, start: int | None, parse: Parse) -> Read:
    """What was found, if the rest of the reply, from `start` on, leaves it alone, and ends in no line that is another
    answer."""
    if start is None:
        return found
    rest = text[start:] if len(text) - start <= _MOST_REST else text[start:][:_MOST_REST] + text[-_MOST_REST:]
    before, _, last = rest.rstrip().rpartition("\n")
    if before.strip() and len(before) + 1 not in listed(rest) and parse(last, "line") not in (None, found.value):
        return Read(None, TWO_ANSWERS)
    return _left(found, rest, parse)


def _left(found: Read, rest: str, parse: Parse) -> Read:
    """What was found, if `rest`, which opens with it, gives no other answer and takes nothing back."""
    if parse(rest, "rest") not in (None, found.value):
        return Read(None, TWO_ANSWERS)
    return Read(None, DOUBTED) if taken_back(rest) else found


def _behind(text: str) -> str:
    """The last box or tag's answer and what follows on its line and the next, without what marks it; a third line is
    shown as `…`."""
    opens = [match.start() for mark in (BOX, TAG) for match in mark.finditer(text)]
    rest = text[max(opens) :][:_MOST_REST] if opens else ""
    lines = [line for line in _MARK.sub(lambda mark: "\n" if mark[1] else "", rest).split("\n") if line.strip()]
    return "\n".join([*lines[:2], *("…" for _ in lines[2:3])])


def _line(text: str, start: int, stop: int) -> str:
    """The line from `start` on, with the next one where that goes on with it (`A` / `or C`)."""
    end = text.find("\n", start, stop)
    if end >= 0 and _GOES_ON.match(text, end):
        end = text.find("\n", end + 1, stop)
    return text[start : stop if end < 0 else end]


def answer_start(text: str) -> int | None:
    """Where the last box or answer tag of a final part opens, else where the last statement begins; None without any.

    >>> answer_start("It is late. The answer is B."), answer_start("late")
    (16, None)
    """
    marks = [match.start() for one in (BOX, TAG) for match in one.finditer(text)]
    return max(marks or [match.start() for match in _openings(text)], default=None)


def statements(text: str) -> list[str]:
    """What stands after each `answer:`, `answer is`, `####`, up to the line's end.

    >>> statements("The answer is B.")
    ['B.']
    """
    return [text[start:stop].partition("\n")[0] for start, stop in statement_spans(text)]


def statement_spans(text: str) -> list[tuple[int, int]]:
    """From where to where each statement goes that is not doubted (`The wrong answer is`): from behind its `answer is`
    to the next one, or the end."""
    return _statements(text)[0]


def _statements(text: str, parse: Parse | None = None) -> tuple[list[tuple[int, int]], int]:
    """The statements, and where the line ends that the last doubted one speaks of, 0 without any. Words that lead to a
    list (grading/lists.py, told by `parse`) state nothing."""
    found = _openings(text)[-MOST_STATEMENTS:]
    stops = [match.start() for match in found[1:]] + [len(text)]
    spans, doubted_to = [], 0
    over_lines = any("\n" in match[0] for match in found)
    leads_to_list = headings(text, parse and _is_answer(parse)) if over_lines else None
    for match, stop in zip(found, stops, strict=False):
        if leads_to_list and "\n" in match[0] and leads_to_list(match.end()):
            continue
        if not doubted(text, match.start()):
            spans.append((match.end(), stop))
        else:
            end = text.find("\n", match.end())
            doubted_to = len(text) if end < 0 else end
    return spans, doubted_to


def _openings(text: str) -> list[re.Match[str]]:
    """Every `answer is` and its like, without a `####` that opens a heading."""
    last = text.rfind("\n", 0, len(text.rstrip())) + 1
    return [match for match in _STATEMENT.finditer(text) if match[0][0] != "#" or _is_mark(text, match.end(), last)]


def _is_mark(text: str, end: int, last_line: int) -> bool:
    """Whether the `####` before `end` marks an answer: on the last line, or before a number alone."""
    alone = text[end : end + _MOST_DIGITS].partition("\n")[0].strip(" *_\r\t")
    return end >= last_line or (any(letter.isdigit() for letter in alone) and not re.search(r"\s|[.:)]$", alone))


def has_doubted(text: str) -> bool:
    """Whether something is called the answer without force: `The wrong answer is 12.`"""
    return _statements(text)[1] > 0


def _lines(text: str, start: int) -> Iterator[tuple[int, str]]:
    """Where each line stands that is not blank and does not go on in the next one, and the line."""
    at = start
    for line in text[start:].splitlines(keepends=True):
        if line.strip() and not _GOES_ON.match(text, at + len(line.rstrip("\r\n"))):
            yield at, line
        at += len(line)
