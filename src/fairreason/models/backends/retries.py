"""What a failed request means: ask again, count it on its question, or stop asking altogether.

A fault that may pass (429, 5xx, a time-out, a closed connection, HTML or half a JSON) is asked again after a pause that
doubles, with jitter, and never before the server wants it (Retry-After). What every question would meet (a refused key,
an unknown model, an empty account) stops the work at once: what has been answered by then is kept.
"""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import openai

from fairreason.models.backends.openai_key import Key
from fairreason.models.backends.openai_messages import BadReplyError, said

TRIES, BUSY_TRIES, TIMEOUT_TRIES = 5, 8, 3
"""A busy server (429, 503) is alive and worth waiting for; one that does not answer costs the time limit each time."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
LONGEST_WAIT = 120.0
"""Seconds that a server may ask to wait (Retry-After); above them the work stops and says so."""
PASSING = {408, 409, 425, 429}
BUSY = (429, 503)


class Trouble(NamedTuple):
    """`reason` in a few words without secrets; `then` what to do; `wait` seconds that the server asks for; `tries` at
    most."""

    reason: str
    then: Literal["again", "count", "stop"]
    wait: float | None = None
    tries: int = TRIES


def judge(error: Exception, model: str, key: Key, seconds: float, shown: Callable[[str], str]) -> Trouble:
    """What to do about a request's failure. `seconds`: the time limit that it had; `shown` makes words of the server's
    fit to be seen."""
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return Trouble(f"no answer within {seconds:g} s", "again", tries=TIMEOUT_TRIES)
    if isinstance(sent := error if isinstance(error, BadReplyError) else error.__cause__, BadReplyError):
        return Trouble(f"the server sent {shown(str(sent))}", "again")
    if isinstance(error, openai.APIStatusError):
        return _judge_status(error, model, key, shown)
    if isinstance(error, openai.APIConnectionError):
        cause = error.__cause__ or error
        return Trouble(f"no connection, or it was closed ({shown(str(cause)) or type(cause).__name__})", "again")
    return Trouble(f"{type(error).__name__}: {shown(str(error))}", "count")


def _judge_status(error: openai.APIStatusError, model: str, key: Key, shown: Callable[[str], str]) -> Trouble:
    status, message = error.status_code, shown(said(error.body or error.response.text))
    if status == 401:
        lack = f"refuses the key in {key.variable}" if key.value else f"asks for a key, and {key.variable} is not set"
        return Trouble(f"the server {lack} (401)", "stop")
    if status == 402 or error.code == "insufficient_quota":
        return Trouble(f"the account has nothing left to pay with ({status}: {message})", "stop")
    if status == 403:
        return Trouble(f"this key may not use {model} (403: {message})", "stop")
    if status == 404:
        return Trouble(f"nothing there answers as {model} (404: {message})", "stop")
    if status not in PASSING and status < 500:
        return Trouble(f"the server refuses the request ({status}: {message})", "count")
    wait = retry_after(error.response.headers)
    if wait is not None and wait > LONGEST_WAIT:
        return Trouble(f"the server asks to wait {wait:.0f} s ({status}); run the same again then", "stop")
    return Trouble(f"{status}: {message}", "again", wait, BUSY_TRIES if status in BUSY else TRIES)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a server asks to wait, None where it does not say.

    >>> retry_after({"retry-after": "7"}), retry_after({"retry-after-ms": "250"}), retry_after({"retry-after": "soon"})
    (7.0, 0.25, None)
    """
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        return seconds if 0 <= seconds < float("inf") else None
    date = email.utils.parsedate_tz(headers.get("retry-after", ""))
    try:
        return None if date is None else max(0.0, email.utils.mktime_tz(date) - time.time())
    except (ValueError, OverflowError):  # a year that no calendar has
        return None


def pause(attempt: int) -> float:
    """Seconds before try `attempt` + 1 (from 1): doubling, spread by a half so that many do not come back at once."""
    return min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE) * random.uniform(0.5, 1.5)


def spread() -> float:
    """Seconds behind a wait that all requests share, so that they do not end it at the same instant."""
    return random.uniform(0, FIRST_PAUSE / 2)
