"""Examples whose long texts stay on disk: conversations in a memory-mapped Arrow table, read when they are asked for.

Mixture-of-Thoughts holds some gigabytes of thinking. The `datasets` library writes its files once as Arrow tables into
its cache (as large as the texts) and maps them; an example then keeps its place in the table instead of its texts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fairreason.benchmarks.choices import choices
from fairreason.errors import DataError
from fairreason.grading.declared import final_part
from fairreason.records import Example

COLUMNS = ("messages", "source")


class Shelf:
    """Rows of conversations. `question` and `reply` read one row's first user and first assistant message."""

    def __init__(self, files: Sequence[Path], name: str) -> None:
        table = _table(files, name)
        self.name = name
        self._messages = table.column("messages")
        self._sources = table.column("source")

    def rows(self) -> Iterator[tuple[int, str, str, str]]:
        """(row, question, reply, source) of all rows in order. Raises DataError for one that is no conversation."""
        row = 0
        for batch, sources in zip(self._messages.chunks, self._sources.chunks, strict=True):
            for messages, source in zip(batch, sources, strict=True):
                question, reply = _pair(messages.as_py(), f"{self.name}, row {row}")
                yield row, question, reply, str(source.as_py() or "")
                row += 1

    def question(self, row: int) -> str:
        return self._pair(row)[0]

    def reply(self, row: int) -> str:
        return self._pair(row)[1]

    def _pair(self, row: int) -> tuple[str, str]:
        return _pair(self._messages[row].as_py(), f"{self.name}, row {row}")


class Shelved(Example):
    """An example whose prompt, solution, trace and long answer are read from its shelf. `of` makes one; called like
    Example it gives a plain Example, so that `dataclasses.replace` and pickle need no shelf."""

    __slots__ = ("_row", "_shelf", "_short")
    _row: int
    _shelf: Shelf
    _short: int | str | None

    def __new__(cls, *args: Any, **kwargs: Any) -> Example:  # type: ignore[misc]
        return Example(*args, **kwargs)

    @classmethod
    def of(cls, shelf: Shelf, row: int, answer: int | str | None, **fields: Any) -> Example:
        """`answer` None: the final text itself."""
        made = object.__new__(cls)
        values = {"axis": "reasoning", "images": (), "_shelf": shelf, "_row": row, "_short": answer, **fields}
        for name, value in values.items():
            object.__setattr__(made, name, value)
        return made

    @property
    def prompt(self) -> str:  # type: ignore[override]
        question = self._shelf.question(self._row)
        return choices(question).stem if self.options else question.strip()

    @property
    def answer(self) -> int | str:  # type: ignore[override]
        return final_text(self._shelf.reply(self._row)) if self._short is None else self._short

    @property
    def solution(self) -> str | None:  # type: ignore[override]
        return None if self._short is None else final_text(self._shelf.reply(self._row))

    @property
    def trace(self) -> str | None:  # type: ignore[override]
        return thinking(self._shelf.reply(self._row))

    def __reduce__(self) -> tuple[Any, ...]:
        return Example, tuple(getattr(self, field.name) for field in dataclasses.fields(Example))


def thinking(reply: str) -> str | None:
    """What stands in the reply's thinking part, None where there is none that ends.

    >>> thinking("<think>\\n1 + 1 is 2.\\n</think>\\n\\nTwo."), thinking("Two.")
    ('1 + 1 is 2.', None)
    """
    inside, closed, _ = reply.rpartition("</think>")
    return inside.strip().removeprefix("<think>").strip() if closed else None


def final_text(reply: str) -> str:
    """What follows the thinking part, "" where that never ends."""
    return (final_part(reply) or "").strip()


def _pair(messages: Any, where: str) -> tuple[str, str]:
    turns = [turn for turn in messages or () if turn and turn.get("role") != "system"]
    texts = [turn.get("content") for turn in turns[:2]]
    if [turn.get("role") for turn in turns[:2]] != ["user", "assistant"] or not all(texts):
        raise DataError(f"{where}: messages must be a user's and an assistant's, each with a text")
    return str(texts[0]), str(texts[1])


def _table(files: Sequence[Path], name: str) -> Any:
    """The files as one memory-mapped table with columns `messages` and `source`."""
    import datasets

    kind = "parquet" if files[0].suffix == ".parquet" else "json"
    shown = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        loaded = datasets.load_dataset(kind, data_files=[str(file) for file in files], split="train")
        return loaded.data.table.select(COLUMNS)
    except (datasets.exceptions.DatasetsError, ValueError, OSError, KeyError) as error:
        reason = str(error.__cause__ or error).splitlines()[0][:200]
        raise DataError(f"{files[0]}: not rows of {name} with messages and source ({reason})") from None
    finally:
        if shown:
            datasets.enable_progress_bars()
