"""`--batch`: the same questions through OpenAI's batch API, at half the price and within a day.

A batch's id is on disk before anything is waited for (traces/under_way.py). A run that was broken off waits for those
batches and asks nothing twice; where it was broken off between making a batch and writing its id down, the batch is
found by the file that it reads. Results go into the journal like any other answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

import openai

from fairreason.errors import DataError, ModelError
from fairreason.models.backends import background, retries
from fairreason.models.backends.base import Prompt, Sampling
from fairreason.models.backends.openai_client import LARGEST
from fairreason.models.backends.openai_messages import BadReplyError, said
from fairreason.models.backends.openai_server import shown
from fairreason.models.backends.openai_session import APIS, FailedError, Session
from fairreason.records import Completion
from fairreason.traces import under_way
from fairreason.traces.ask import Asked, Job, answer_of
from fairreason.traces.budget import Budget
from fairreason.traces.journal import Journal
from fairreason.traces.teachers import Teacher

Value = TypeVar("Value")

DISCOUNT = 0.5
REQUESTS, BYTES = 50_000, 200_000_000
"""The most that one batch takes (OpenAI's limits)."""
BYTES_A_TOKEN, BYTES_AROUND = 8, 4_096  # of a result, so that a batch's results fit into one reply
FIRST_LOOK, LONGEST_LOOK = 1.0, 60.0
WITHOUT = (404, 405, 501)
ENDED = ("completed", "expired", "cancelled", "failed")
URLS: dict[str, Any] = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}


def ask_batch(
    teacher: Teacher,
    jobs: Sequence[Job],
    sampling: Sampling,
    journal: Journal,
    budget: Budget,
    *,
    time_limit: float = 600.0,
    progress: Callable[[Asked], None] = lambda asked: None,
    tell: Callable[[str], None] = lambda line: None,
) -> Asked:
    """Asks the jobs in batches and waits for them. Raises ModelError where the server has no batch API."""
    asked = Asked(wanted=len(jobs))

    async def work() -> None:
        session = Session(
            teacher.model, teacher.base_url, shown(teacher.base_url), 1, time_limit, teacher.key, teacher.dialect
        )
        async with session.client:
            await _Batches(session, teacher, sampling, journal, budget, asked, progress, tell).run(jobs)

    background.result(work)
    if budget.exhausted:
        asked.stopped = f"--max-cost {budget.ceiling:g} leaves no room for another answer"
    return asked


class _Batches:
    """The batches of one call: those that an earlier call left, then new ones."""

    def __init__(
        self,
        session: Session,
        teacher: Teacher,
        sampling: Sampling,
        journal: Journal,
        budget: Budget,
        asked: Asked,
        progress: Callable[[Asked], None],
        tell: Callable[[str], None],
    ) -> None:
        self.session, self.teacher, self.sampling, self.journal = session, teacher, sampling, journal
        self.budget, self.asked, self.progress, self.tell = budget, asked, progress, tell
        self.path = under_way.batch_path(journal.path)
        self.open: list[dict[str, Any]] = under_way.read(self.path, journal.settings)

    async def run(self, jobs: Sequence[Job]) -> None:
        for batch in self.open:
            for *_, most in batch["asked"]:
                self.budget.hold(most)
        begun = {(id, sample) for batch in self.open for id, sample, *_ in batch["asked"]}
        for lines, rows in self._parts([job for job in jobs if (job.prompt.id, job.sample) not in begun]):
            await self._upload(lines, rows)
        for batch in list(self.open):
            await self._begin(batch)
        for batch in list(self.open):
            await self._finish(batch)

    def _parts(self, jobs: Sequence[Job]) -> Iterator[tuple[list[str], list[list[Any]]]]:
        """The jobs that the budget has room for, in parts that a batch takes: its lines, and what they ask."""
        room = LARGEST // (self.sampling.max_new_tokens * BYTES_A_TOKEN + BYTES_AROUND)
        lines: list[str] = []
        rows: list[list[Any]] = []
        size = 0
        for job in jobs:
            most = self.teacher.most(job.prompt, self.sampling)
            if not self.budget.fits(most):
                self.budget.exhausted = True
                break
            try:
                fields = APIS[self.teacher.dialect.api].request(
                    self.teacher.model, job.prompt, self.sampling, job.sample, self.teacher.dialect
                )
            except DataError as error:
                self.asked.count(Completion(str(error), "error"), None, False)
                continue
            body = {**fields, **fields.pop("extra_body", {})}
            length = len(json.dumps(body))
            if rows and (len(rows) >= min(REQUESTS, max(1, room)) or size + length > BYTES // 2):
                yield lines, rows
                lines, rows, size = [], [], 0
            self.budget.hold(most)
            line = {"custom_id": str(len(rows)), "method": "POST", "url": URLS[self.teacher.dialect.api], "body": body}
            lines.append(json.dumps(line))
            rows.append([job.prompt.id, job.sample, job.hash, most])
            size += length
        if rows:
            yield lines, rows

    async def _upload(self, lines: list[str], rows: list[list[Any]]) -> None:
        content = "".join(line + "\n" for line in lines).encode()

        async def send() -> Any:
            try:
                return await self.session.client.files.create(file=("questions.jsonl", content), purpose="batch")
            except openai.APIStatusError as error:
                if error.status_code in WITHOUT:
                    raise ModelError(
                        f"{self.session.address}: this server has no batch API ({error.status_code}); leave --batch out"
                    ) from None
                raise

        file = await self._ask(send)
        self.open.append({"file": file.id, "batch": None, "asked": rows})
        self._save()

    async def _begin(self, batch: dict[str, Any]) -> None:
        """Makes the batch, if it is not there: a request whose reply was lost is not made again."""

        async def send() -> Any:
            listed = (await self.session.client.batches.list(limit=100)).data
            own = next((one for one in listed if one.input_file_id == batch["file"]), None)
            return own or await self.session.client.batches.create(
                input_file_id=batch["file"], endpoint=URLS[self.teacher.dialect.api], completion_window="24h"
            )

        if batch["batch"] is None:
            batch["batch"] = (await self._ask(send)).id
            self._save()
            self.tell(f"batch {batch['batch']}: {len(batch['asked']):,} questions; its id is in {self.path}")

    async def _finish(self, batch: dict[str, Any]) -> None:
        """Waits for the batch and puts what it gave into the journal."""
        pause, said_last = FIRST_LOOK, ""
        while True:
            found = await self._ask(lambda: self._look(batch["batch"]))
            if found.status in ENDED:
                break
            done = getattr(found.request_counts, "completed", 0)
            line = f"batch {found.id}: {found.status}, {done:,} of {len(batch['asked']):,}"
            if line != said_last:
                self.tell(line)
            said_last = line
            await self.session.sleep(pause)
            pause = min(pause * 1.5, LONGEST_LOOK)
        results: dict[str, dict[str, Any]] = {}
        for id in (found.output_file_id, found.error_file_id):
            if id:
                results |= _by_id(await self._ask(lambda id=id: self._content(id)))  # type: ignore[misc]
        errors = getattr(found.errors, "data", None) or []
        lack = f"the batch {found.status} without it ({said(errors[0].message) if errors else 'no reason given'})"
        await asyncio.gather(  # together, so that the journal writes them as groups
            *(
                self._result(Job(Prompt(id, ""), sample, prompt_hash), most, results.get(str(number)), lack)
                for number, (id, sample, prompt_hash, most) in enumerate(batch["asked"])
            )
        )
        self.open.remove(batch)
        self._save()

    async def _result(self, job: Job, most: float, result: dict[str, Any] | None, lack: str) -> None:
        response = (result or {}).get("response") or {}
        body, cost, kept = response.get("body") or (result or {}).get("error"), None, False
        try:
            if response.get("status_code") != 200 or not isinstance(body, dict):
                raise BadReplyError(said(body) if result else lack)
            reply = self.session.read(body, self.sampling)
            made, kept = reply.completion, True
            cost = self.teacher.cost(made, most)
            if not self.journal.holds(job.prompt.id, job.sample, job.hash):
                await self.journal.keep(answer_of(job, made, reply.model, cost))
        except BadReplyError as error:
            made = Completion(self.session.without_secrets(str(error)), "error")
        self.budget.settle(most, cost or 0.0)
        self.asked.count(made, cost, kept)
        self.progress(self.asked)

    async def _look(self, id: str) -> Any:
        try:
            return await self.session.client.batches.retrieve(id)
        except openai.NotFoundError:
            raise ModelError(
                f"{self.session.address}: does not know the batch {id} that {self.path} names; "
                "delete that file to ask its questions again"
            ) from None

    async def _content(self, id: str) -> bytes:
        return (await self.session.client.files.content(id)).content

    def _save(self) -> None:
        under_way.save(self.path, self.journal.settings, self.open)

    async def _ask(self, send: Callable[[], Awaitable[Value]]) -> Value:
        try:
            return await self.session.persistently(send, tries=retries.BUSY_TRIES)
        except FailedError as error:
            raise self.session.hopeless(error.trouble) from None


def _by_id(content: bytes) -> dict[str, dict[str, Any]]:
    """A result file's lines by custom_id; a line that is none is left out, its question then has no result."""
    found = {}
    for line in content.splitlines():
        try:
            row = json.loads(line)
            found[str(row["custom_id"])] = row
        except (ValueError, KeyError, TypeError):
            continue
    return found
