"""The requests of one call to a server: beside each other, each tried again where that helps, all stopped where not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import openai

from fairreason.errors import DataError, ModelError
from fairreason.models.backends import openai_messages, openai_responses
from fairreason.models.backends.base import Prompt, Sampling, failed
from fairreason.models.backends.limit import Limit
from fairreason.models.backends.openai_client import BoundedClient
from fairreason.models.backends.openai_key import KEY, SHORTEST_SECRET, own_key, secrets, without
from fairreason.models.backends.openai_messages import (
    CHAT,
    OTHER_LIMIT,
    Answered,
    BadReplyError,
    Dialect,
    named,
    parse,
    printable,
)
from fairreason.models.backends.retries import BUSY, Trouble, judge, pause, spread
from fairreason.records import Completion

Value = TypeVar("Value")
Job = TypeVar("Job")
Deliver = Callable[[tuple[int, list[Completion]]], None]

HOPELESS = 8
"""Failures in a row, at least as many as there are requests at a time, after which the server counts as gone."""
SHOWN = 200  # characters of a server's own words that a sentence quotes
WITHOUT_A_LIST = (400, 404, 405, 500, 501)
"""How servers answer that cannot list their models (500: `transformers serve` on a machine without a hub cache)."""
APIS: dict[str, Any] = {"chat": openai_messages, "responses": openai_responses}
"""What writes a request and reads its reply."""


class FailedError(Exception):
    """A request that failed for good."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.reason)
        self.trouble = trouble


class Session:
    """Used inside one event loop. `address` is `base_url` as it may be shown. Once `stopped` is set nothing more is
    sent; what is under way still comes."""

    def __init__(
        self,
        model: str,
        base_url: str,
        address: str,
        concurrency: int,
        time_limit: float,
        key_variable: str = KEY,
        dialect: Dialect = CHAT,
        stopped: asyncio.Event | None = None,
    ) -> None:
        self.model, self.address, self.concurrency, self.time_limit = model, address, concurrency, time_limit
        self.key = own_key(key_variable)
        self.dialect = dialect
        self.limit = Limit(concurrency)
        self.secrets = secrets(self.key, base_url)
        self.client = openai.AsyncOpenAI(
            api_key=self.key.value or "none",
            base_url=base_url,
            max_retries=0,
            timeout=time_limit,
            http_client=BoundedClient(timeout=time_limit),
        )
        self.answered = self.failed_in_a_row = 0
        self.not_before = 0.0
        self.other_limit = False
        self.error: Exception | None = None
        self.stopped = stopped or asyncio.Event()

    async def models(self) -> list[dict[str, Any]]:
        """The models that the server lists, none where it has no list. Raises ModelError when nothing answers."""
        async with self.client:
            try:
                listed = await self.persistently(self._list, tries=3)
            except FailedError as error:
                raise self.hopeless(error.trouble) from None
        return [card for card in listed if isinstance(card, dict)] if isinstance(listed, list) else []

    async def ask(self, prompts: Sequence[Prompt], sampling: Sampling, deliver: Deliver, first: int = 0) -> None:
        """Hands each prompt's completions, from sample `first` on, to `deliver` as they are whole. Raises ModelError,
        behind what was under way, when asking on is of no use."""
        copies = sampling.samples if sampling.temperature > 0 else 1
        made: dict[int, dict[int, Completion]] = {}

        async def one(job: tuple[int, int]) -> bool:
            index, sample = job
            answered = await self.answer(prompts[index], sampling, first + sample)
            if answered is None:
                return False
            own = made.setdefault(index, {})
            own[sample] = answered.completion
            if len(own) == copies:
                del made[index]
                deliver((index, [own[s] for s in range(copies)] * (sampling.samples // copies)))
            return True

        await self.work([(index, sample) for index in range(len(prompts)) for sample in range(copies)], one)

    async def work(self, jobs: Sequence[Job], one: Callable[[Job], Awaitable[bool]]) -> None:
        """Does the jobs, `concurrency` at a time; a slot takes its next one when `one` has returned, and none after
        False. Closes the connection. Raises, behind what was under way, what stopped the work."""
        left = iter(jobs)

        async def slot() -> None:
            for job in left:
                try:
                    going = await one(job)
                except Exception as error:  # raised below, when what is under way is kept
                    self.stop(error)
                    return
                if not going or self.stopped.is_set():
                    return

        async with self.client:
            await asyncio.gather(*(slot() for _ in range(min(self.concurrency, len(jobs)))))
        if self.error is not None:
            raise self.error

    async def answer(
        self, prompt: Prompt, sampling: Sampling, sample: int, again: Callable[[BadReplyError], bool] = lambda bad: True
    ) -> Answered | None:
        """The answer, a failed one with its reason, or None when all stops. `again` says whether a question whose reply
        held no answer may be asked once more."""
        try:
            fields = APIS[self.dialect.api].request(self.model, prompt, sampling, sample, self.dialect)
        except DataError as error:
            return Answered(failed(str(error), 1)[0], paid=False)

        async def post() -> Answered:
            reply = parse(await self._posted(fields))
            try:
                return self.read(reply, sampling)
            except BadReplyError as bad:
                if again(bad):
                    raise
                raise FailedError(self._judged(bad)) from None

        try:
            answered = await self.persistently(post)
        except FailedError as error:
            made = self._failed(error.trouble)
            return None if made is None else Answered(made, paid=False)
        self.answered += 1
        self.failed_in_a_row = 0
        return answered

    def read(self, reply: dict[str, Any], sampling: Sampling) -> Answered:
        """What a reply's JSON says. Raises BadReplyError."""
        made = APIS[self.dialect.api].completion(reply, sampling)
        model = reply.get("model")
        return Answered(
            replace(made, text=without(self.secrets, made.text, SHORTEST_SECRET)),
            self.shown(model) if isinstance(model, str) else "",
        )

    async def _posted(self, fields: dict[str, Any]) -> bytes:
        """The reply. OpenAI's reasoning models want the answer's limit under another name, which older servers do not
        know: where a server says so, it is sent that."""
        if self.dialect.api == "responses":
            return (await self.client.responses.with_raw_response.create(**fields)).content
        create, other = self.client.chat.completions.with_raw_response.create, self.other_limit
        try:
            return (await create(**named(fields, other))).content
        except openai.BadRequestError as error:
            if other or CHAT.limit not in fields or OTHER_LIMIT not in str(error.body):
                raise
            self.other_limit = True
            return (await create(**named(fields, True))).content

    def _failed(self, trouble: Trouble) -> Completion | None:
        """Counts a failure on its question, unless it shows that no question would be answered."""
        if trouble.then == "again" or not self.answered:
            self.failed_in_a_row += 1
        if trouble.then == "stop" or self.failed_in_a_row >= max(HOPELESS, self.concurrency):
            self.stop(self.hopeless(trouble))
        return None if self.stopped.is_set() else failed(trouble.reason, 1)[0]

    async def persistently(self, send: Callable[[], Awaitable[Value]], tries: int | None = None) -> Value:
        """What `send` gives within the time limit, tried again as `judge` says. Raises FailedError."""
        attempt = 0
        while True:
            try:
                return await self._once(send)
            except (openai.OpenAIError, BadReplyError, TimeoutError, ValueError, TypeError) as error:
                trouble = self._judged(error)
            attempt += 1
            if trouble.then != "again" or attempt >= (tries or trouble.tries):
                raise FailedError(trouble)
            if trouble.wait is not None:  # the server means everybody
                self.not_before = max(self.not_before, asyncio.get_running_loop().time() + trouble.wait)
            await self.sleep(pause(attempt))

    def _judged(self, error: Exception) -> Trouble:
        return judge(error, self.model, self.key, self.time_limit, self.shown)

    async def _once(self, send: Callable[[], Awaitable[Value]]) -> Value:
        """One try, when the server has a place for it and is to be asked again."""
        clock = asyncio.get_running_loop().time
        async with self.limit:
            while not self.stopped.is_set() and (wait := self.not_before - clock()) > 0:  # it may have grown meanwhile
                await self.sleep(wait + spread())
            if self.stopped.is_set():
                raise FailedError(Trouble("stopped", "stop"))
            sent = clock()
            try:
                async with asyncio.timeout(self.time_limit):
                    value = await send()
            except openai.APIStatusError as error:
                if error.status_code in BUSY:
                    self.limit.busy(sent, clock())
                raise
            self.limit.answered()
            return value

    async def _list(self) -> Any:
        try:
            return parse((await self.client.models.with_raw_response.list()).content).get("data")
        except BadReplyError:
            return None
        except openai.APIStatusError as error:
            if error.status_code in WITHOUT_A_LIST:
                return None
            raise

    def stop(self, error: Exception) -> None:
        self.error = self.error or error
        self.stopped.set()

    async def sleep(self, seconds: float) -> None:
        """Waits, or less when all stops."""
        if seconds > 0:
            try:
                await asyncio.wait_for(self.stopped.wait(), seconds)
            except TimeoutError:
                return

    def hopeless(self, trouble: Trouble) -> ModelError:
        """The trouble as the sentence that ends the work."""
        row = self.failed_in_a_row
        many = f", and so did the last {row} questions" if trouble.then != "stop" and row > 1 else ""
        return ModelError(f"{self.address}: {trouble.reason}{many}")

    def shown(self, text: str) -> str:
        """A server's words for people's eyes: printable, without secrets, and only then cut to SHOWN characters."""
        return without(self.secrets, printable(text))[:SHOWN]
