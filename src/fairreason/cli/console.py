"""What stands on the screen: tables on stdout, progress with the time left on stderr, every error as one line."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fairreason.errors import FairReasonError
from fairreason.files import disk_is_full
from fairreason.study.progress import duration, rewrite

INTERRUPTED = 130
NUMBER = re.compile(r"[~<= ]*-?[\d.,]+( [GM]iB)?|-|unknown")
QUIET_SECONDS = 10.0
"""Where stderr is no terminal a progress line is printed at most this often."""


def show(value: Any) -> None:
    """One JSON value on stdout, for programs."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1))


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> None:
    """Rows as aligned text on stdout, numbers to the right; nothing is cut off. `columns` picks and orders."""
    names = list(columns or (rows[0] if rows else ()))
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [max(len(line[i]) for line in [names, *cells]) for i in range(len(names))]
    right = [all(NUMBER.fullmatch(line[i]) for line in cells) for i in range(len(names))]
    for line in [names, *cells] if rows else []:
        padded = (
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        )
        print("  ".join(padded).rstrip())


def csv_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows as CSV on stdout, an empty field for None."""
    writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


class Progress:
    """`progress(done, total)` prints how far the work is and how long it still takes, on stderr; then the note."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.start = self.shown = time.monotonic()
        self.first, self.total = 0, -1
        self.open = False

    def __call__(self, done: int, total: int, note: str = "") -> None:
        now = time.monotonic()
        if total != self.total:  # the work begins, or its next part does
            self.first, self.total, self.start = done, total, now
        terminal = sys.stderr.isatty()
        if now - self.shown < (0.1 if terminal else QUIET_SECONDS) and done < total:
            return
        self.shown = now
        new = done - self.first
        left = f", {duration((now - self.start) / new * (total - done))} left" if new > 0 and done < total else ""
        line = f"{self.label}: {done:,} of {total:,}{left}{note}"
        if terminal:
            rewrite(line, sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)
        self.open = terminal

    def close(self) -> None:
        """End the line, so that what follows starts on its own."""
        if self.open:
            print(file=sys.stderr, flush=True)
            self.open = False


def guarded(work: Callable[[], int | None]) -> int:
    """The exit code of the work, with one line on stderr where it failed on purpose or was interrupted (130)."""
    more = ""
    try:
        code = _guarded(work)
    except (KeyboardInterrupt, Interrupted) as stop:
        code, more = INTERRUPTED, str(stop)
    if code == INTERRUPTED:  # typer turns a KeyboardInterrupt into this code itself
        print(f"Interrupted. {more}".rstrip(), file=sys.stderr)
    return code


class Interrupted(BaseException):
    """Ctrl-C in work that goes on where it stopped; not an Exception, so that nobody takes it for an error."""


@contextlib.contextmanager
def resumable() -> Iterator[None]:
    """Around work that is kept in a folder of its own: Ctrl-C says that the same command goes on there."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Interrupted(str(stop) or "The same command goes on where it stopped.") from None


def _guarded(work: Callable[[], int | None]) -> int:
    """Runs the work and turns what it raises on purpose into one line on stderr; the exit code is returned.

    A mistake of ours still shows its traceback. A reader that closes our stdout (`| head`) is no error.
    """
    try:
        code = work() or 0
        flush()
        return code
    except FairReasonError as error:
        return _failed(_sentence(error), error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except Exception as error:
        if disk_is_full(error):
            where = getattr(error, "filename", None)
            return _failed(f"{where}: the disk is full" if where else "the disk is full; nothing was written over", 1)
        from fairreason.study.run import out_of_memory, reason_of

        if out_of_memory(error):
            return _failed(reason_of(error), 1)
        if isinstance(error, OSError) and error.strerror:
            return _failed(f"{error.filename}: {error.strerror}" if error.filename else error.strerror, 1)
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # typer's own: wrong use
            return _failed(_usage(error), 2)
        raise


def flush() -> None:
    """Writes out what stdout still holds, so that a full disk shows here and not when the interpreter ends."""
    if sys.stdout is None:  # the shell closed it
        return
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's own flush fails again
        raise


def _failed(message: str, code: int) -> int:
    with contextlib.suppress(OSError):
        flush()
    print(f"Error: {message}", file=sys.stderr)
    return code


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())


def _usage(error: Any) -> str:
    context = getattr(error, "ctx", None)
    message = " ".join(error.format_message().split()).rstrip(".")
    return f"{message}. See `{context.command_path} --help`" if context else message


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:z.3f}" if isinstance(value, float) else str(value)
