"""The requests of one call to a server: beside each other, each tried again where that helps, all stopped where not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import openai

from fairreason.errors import DataError, ModelError, UsageError
from fairreason.models.backends.base import Prompt, Sampling, failed
from fairreason.models.backends.openai_client import BoundedClient
from fairreason.models.backends.openai_messages import BadReplyError, completion, parse, request
from fairreason.models.backends.retries import Trouble, judge, pause
from fairreason.records import Completion

Value = TypeVar("Value")
Deliver = Callable[[tuple[int, list[Completion]]], None]

HOPELESS = 8
"""Failures in a row, at least as many as there are requests at a time, after which the server counts as gone."""
SHORTEST_SECRET = 8  # a shorter key ("none", "EMPTY") hides nothing, and may well be a word of an answer
WITHOUT_A_LIST = (400, 404, 405, 500, 501)
"""How servers answer that cannot list their models (500: `transformers serve` on a machine without a hub cache)."""


class FailedError(Exception):
    """A request that failed for good."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.reason)
        self.trouble = trouble


def own_key() -> str:
    """The key in OPENAI_API_KEY, without the blanks and line ends that files bring along; "" without one. Raises
    UsageError, which does not show it, where no request could carry it."""
    found = os.environ.get("OPENAI_API_KEY", "").strip()
    if not (found.isascii() and found.isprintable()):
        raise UsageError("OPENAI_API_KEY: holds characters that no key has (printable ASCII alone); set it again")
    return found


class Session:
    """Made and used inside one event loop. `address` is `base_url` as it may be shown."""

    def __init__(self, model: str, base_url: str, address: str, concurrency: int, time_limit: float) -> None:
        self.model, self.address, self.concurrency, self.time_limit = model, address, concurrency, time_limit
        self.key = own_key()
        self.secrets = [one for one in (self.key, unquote(urlsplit(base_url).password or "")) if one]
        self.client = openai.AsyncOpenAI(
            api_key=self.key or "none",
            base_url=base_url,
            max_retries=0,
            timeout=time_limit,
            http_client=BoundedClient(timeout=time_limit),
        )
        self.answered = self.failed_in_a_row = 0
        self.not_before = 0.0
        self.limit_field = "max_tokens"
        self.error: ModelError | None = None
        self.stopped = asyncio.Event()

    async def models(self) -> list[dict[str, Any]]:
        """The models that the server lists, none where it has no list. Raises ModelError when nothing answers."""
        async with self.client:
            try:
                listed = await self._persistently(self._list, tries=3)
            except FailedError as error:
                raise self._hopeless(error.trouble) from None
        return [card for card in listed if isinstance(card, dict)] if isinstance(listed, list) else []

    async def ask(self, prompts: Sequence[Prompt], sampling: Sampling, deliver: Deliver) -> None:
        """Hands each prompt's completions to `deliver` as they are whole. Raises ModelError, behind what was under way,
        when asking on is of no use."""
        copies = sampling.samples if sampling.temperature > 0 else 1
        jobs = ((index, sample) for index in range(len(prompts)) for sample in range(copies))
        made: dict[int, dict[int, Completion]] = {}

        async def work(jobs: Iterator[tuple[int, int]]) -> None:
            for index, sample in jobs:
                answer = await self._answer(prompts[index], sampling, sample)
                if answer is None:
                    return
                own = made.setdefault(index, {})
                own[sample] = answer
                if len(own) == copies:
                    del made[index]
                    deliver((index, [own[s] for s in range(copies)] * (sampling.samples // copies)))
                if self.stopped.is_set():
                    return

        async with self.client:
            await asyncio.gather(*(work(jobs) for _ in range(min(self.concurrency, len(prompts) * copies))))
        if self.error is not None:
            raise self.error

    async def _answer(self, prompt: Prompt, sampling: Sampling, sample: int) -> Completion | None:
        """The answer, a failed one with its reason, or None when all stops."""
        try:
            fields = request(self.model, prompt, sampling, sample)
        except DataError as error:
            return failed(str(error), 1)[0]

        async def post() -> Completion:
            own = {self.limit_field if key == "max_tokens" else key: value for key, value in fields.items()}
            raw = await self.client.chat.completions.with_raw_response.create(**own)
            return completion(raw.content, sampling)

        try:
            answer = await self._persistently(post)
        except FailedError as error:
            return self._failed(error.trouble)
        self.answered += 1
        self.failed_in_a_row = 0
        return replace(answer, text=self._without_secrets(answer.text, SHORTEST_SECRET))

    def _failed(self, trouble: Trouble) -> Completion | None:
        """Counts a failure on its question, unless it shows that no question would be answered."""
        if trouble.then == "again" or not self.answered:
            self.failed_in_a_row += 1
        if trouble.then == "stop" or self.failed_in_a_row >= max(HOPELESS, self.concurrency):
            self.error = self.error or self._hopeless(trouble)
            self.stopped.set()
        return None if self.stopped.is_set() else failed(self._without_secrets(trouble.reason), 1)[0]

    async def _persistently(self, send: Callable[[], Awaitable[Value]], tries: int | None = None) -> Value:
        """What `send` gives within the time limit, tried again as `judge` says. Raises FailedError."""
        attempt = 0
        while True:
            await self._sleep(self.not_before - asyncio.get_running_loop().time())
            if self.stopped.is_set():
                raise FailedError(Trouble("stopped", "stop"))
            try:
                async with asyncio.timeout(self.time_limit):
                    return await send()
            except (openai.OpenAIError, BadReplyError, TimeoutError, ValueError, TypeError) as error:
                if self._takes_other_field(error):
                    continue
                trouble = judge(error, self.model, bool(self.key), self.time_limit)
            attempt += 1
            if trouble.then != "again" or attempt >= (tries or trouble.tries):
                raise FailedError(trouble)
            if trouble.wait is not None:  # the server means everybody
                self.not_before = max(self.not_before, asyncio.get_running_loop().time() + trouble.wait)
            await self._sleep(pause(attempt, trouble.wait))

    async def _list(self) -> Any:
        try:
            return parse((await self.client.models.with_raw_response.list()).content).get("data")
        except BadReplyError:
            return None
        except openai.APIStatusError as error:
            if error.status_code in WITHOUT_A_LIST:
                return None
            raise

    def _takes_other_field(self, error: Exception) -> bool:
        """OpenAI's reasoning models want the answer's limit under another name, which older servers do not know."""
        wants = isinstance(error, openai.BadRequestError) and "max_completion_tokens" in str(error.body)
        if wants and self.limit_field == "max_tokens":
            self.limit_field = "max_completion_tokens"
            return True
        return False

    async def _sleep(self, seconds: float) -> None:
        """Waits, or less when all stops."""
        if seconds > 0:
            try:
                await asyncio.wait_for(self.stopped.wait(), seconds)
            except TimeoutError:
                return

    def _hopeless(self, trouble: Trouble) -> ModelError:
        row = self.failed_in_a_row
        many = f", and so did the last {row} questions" if trouble.then != "stop" and row > 1 else ""
        return ModelError(f"{self.address}: {self._without_secrets(trouble.reason)}{many}")

    def _without_secrets(self, text: str, shortest: int = 1) -> str:
        for secret in self.secrets:
            if len(secret) >= shortest:
                text = text.replace(secret, "[key]")
        return text
