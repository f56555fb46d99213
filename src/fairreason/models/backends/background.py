"""An asynchronous piece of work, read from plain code: its event loop runs in a thread of its own.

So it goes on while the reader is busy, and it works where a loop is already running (a notebook).
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sys
import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any, NamedTuple, TypeVar

Item = TypeVar("Item")
WAITING = "\nWaiting for the answers under way; Ctrl-C again gives them up."


class _End(NamedTuple):
    error: BaseException | None


def stream(
    work: Callable[[Callable[[Any], None]], Coroutine[Any, Any, None]], ending: asyncio.Event | None = None
) -> Generator[Any, None, None]:
    """What `work(deliver)` hands to `deliver`, as it comes; what it raises is raised here, behind the last item.

    Leaving early cancels it. So does Ctrl-C, and what has already come is still handed on. With `ending` the first
    Ctrl-C only sets that, in the work's own loop: the work shall begin nothing more and end soon. What it still
    delivers is handed on; a second Ctrl-C cancels.
    """
    items: queue.SimpleQueue[Any] = queue.SimpleQueue()
    loop = asyncio.new_event_loop()
    task = loop.create_task(work(items.put))

    def run() -> None:
        error: BaseException | None = None
        try:
            loop.run_until_complete(task)
        except BaseException as raised:  # the reader's to handle
            error = raised
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
        items.put(_End(error))

    def cancel() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has just closed
            loop.call_soon_threadsafe(task.cancel)
        thread.join()

    thread = threading.Thread(target=run, daemon=True, name="fairreason-requests")
    thread.start()
    try:
        while not isinstance(item := items.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    except KeyboardInterrupt:
        if ending is None:
            cancel()
        else:
            print(WAITING, file=sys.stderr, flush=True)
            with contextlib.suppress(RuntimeError):  # the loop has just closed
                loop.call_soon_threadsafe(ending.set)
        while thread.is_alive() or not items.empty():
            with contextlib.suppress(queue.Empty):
                if not isinstance(item := items.get(timeout=0.1), _End):
                    yield item
        raise
    finally:
        cancel()


def result(work: Callable[[], Coroutine[Any, Any, Item]]) -> Item:
    """What one coroutine returns."""

    async def deliver_one(deliver: Callable[[Any], None]) -> None:
        deliver(await work())

    (item,) = stream(deliver_one)
    return item
