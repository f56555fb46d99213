"""`--batch`: the same questions through OpenAI's batch API, at half the price and within a day.

A batch's id is on disk before anything is waited for (traces/under_way.py). A run that was broken off waits for those
batches and asks nothing twice; where it was broken off between making a batch and writing its id down, the batch is
found by the file that it reads. Results go into the journal like any other answer. Under a ceiling a batch holds what
fits at its worst case; what its answers leave of the money goes into a next one, until nothing fits.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fairreason.errors import DataError
from fairreason.models.backends import background, retries
from fairreason.models.backends.base import Prompt, Sampling
from fairreason.models.backends.openai_client import LARGEST
from fairreason.models.backends.openai_messages import CHAT, OTHER_LIMIT, BadReplyError, count, named, printable, said
from fairreason.models.backends.openai_server import shown
from fairreason.models.backends.openai_session import APIS, Session
from fairreason.records import Completion
from fairreason.traces import under_way
from fairreason.traces.ask import Asked, Job, answer_of
from fairreason.traces.batch_api import BatchApi, BatchError, Results
from fairreason.traces.budget import Budget
from fairreason.traces.journal import Journal
from fairreason.traces.teachers import Teacher

Key = tuple[str, int, str]
"""Question, sample, hash of the question as it was put."""

DISCOUNT = 0.5
REQUESTS, BYTES = 50_000, 200_000_000
"""The most that one batch takes (OpenAI's limits)."""
BYTES_A_TOKEN, BYTES_AROUND = 8, 4_096  # of a result, so that a batch's results fit into one reply
FIRST_LOOK, LONGEST_LOOK = 1.0, 60.0
ENDED = ("completed", "expired", "cancelled", "failed")


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
        self.api = BatchApi(session, self.path, (batch["file"] for batch in self.open))
        self.wanted: dict[Key, Job] = {}
        self.left: list[Job] = []
        self.settled: set[Key] = set()
        self.renamed: set[Key] = set()

    async def run(self, jobs: Sequence[Job]) -> None:
        """Waits for the batches that are under way, beside new ones, and sends more while there is room."""
        self.wanted = {(job.prompt.id, job.sample, job.hash): job for job in jobs}
        begun = {_key(row): row[3] for batch in self.open for row in batch["asked"]}
        self.settled = {key for key in begun if self.journal.holds(*key)}  # killed before it wrote that down
        for key in begun.keys() - self.settled:
            self.budget.hold(begun[key])
        self.left = [job for key, job in self.wanted.items() if key not in begun]
        while True:
            for lines, rows in self._parts():
                self.open.append({"file": await self.api.upload(lines), "batch": None, "asked": rows})
                self._save()
            if not self.open:
                break
            for batch in list(self.open):
                await self._begin(batch)
            lost: BatchError | None = None
            for batch in list(self.open):
                try:
                    await self._finish(batch)
                except BatchError as error:
                    lost = lost or error
            if lost is not None:
                raise lost
        self.budget.exhausted = bool(self.left)

    def _parts(self) -> Iterator[tuple[list[str], list[list[Any]]]]:
        """Of the jobs that are left those that the budget has room for, in parts that a batch takes: its lines, and
        what they ask."""
        room = LARGEST // (self.sampling.max_new_tokens * BYTES_A_TOKEN + BYTES_AROUND)
        lines: list[str] = []
        rows: list[list[Any]] = []
        size = 0
        jobs, self.left = self.left, []
        for number, job in enumerate(jobs):
            most = self.teacher.most(job.prompt, self.sampling)
            if not self.budget.fits(most):
                self.left = jobs[number:]
                break
            try:
                fields = APIS[self.teacher.dialect.api].request(
                    self.teacher.model, job.prompt, self.sampling, job.sample, self.teacher.dialect
                )
            except DataError as error:
                self.asked.count(Completion(str(error), "error"), None, False)
                continue
            more = fields.pop("extra_body", {})
            body = {**named(fields, self.session.other_limit), **more}
            length = len(json.dumps(body))
            if rows and (len(rows) >= min(REQUESTS, max(1, room)) or size + length > BYTES // 2):
                yield lines, rows
                lines, rows, size = [], [], 0
            self.budget.hold(most)
            line = {"custom_id": str(len(rows)), "method": "POST", "url": self.api.url, "body": body}
            lines.append(json.dumps(line))
            rows.append([job.prompt.id, job.sample, job.hash, most])
            size += length
        if rows:
            yield lines, rows

    async def _begin(self, batch: dict[str, Any]) -> None:
        """Makes the batch, if it is not there."""
        if batch["batch"] is None:
            id = batch["batch"] = await self.api.make(batch["file"])
            self._save()
            self.tell(f"batch {printable(id)}: {len(batch['asked']):,} questions; its id is in {self.path}")

    async def _finish(self, batch: dict[str, Any]) -> None:
        """Waits for the batch and puts what it gave into the journal. Where that is less than the server says it has,
        the batch stays written down: BatchError."""
        asked = batch["asked"]
        for attempt in range(1, retries.TRIES + 1):
            found = await self._ended(batch)
            results, whole = await self._results(found, len(asked))
            if whole or attempt == retries.TRIES:
                break
            await self.session.sleep(retries.pause(attempt))
        lack = f"the batch {self.session.shown(found['status'])} without it ({self._why(found)})"
        await asyncio.gather(  # together, so that the journal writes them as groups
            *(
                self._result(_key(row), row[3], results.get(str(number)), lack)
                for number, row in enumerate(asked)
                if _key(row) not in self.settled and (whole or str(number) in results)
            )
        )
        if not whole:
            raise BatchError(
                f"{self.session.address}: the results of batch {printable(batch['batch'])} do not come whole, "
                f"{len(results):,} of {len(asked):,} are here; {self.path} still names it: the same "
                "command looks again, and without that file the others are asked again"
            )
        self.open.remove(batch)
        self._save()

    async def _ended(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The batch when the server is done with it."""
        pause, said_last = FIRST_LOOK, ""
        while (found := await self.api.look(batch["batch"]))["status"] not in ENDED:
            done = count(found.get("request_counts"), "completed")
            line = f"batch {printable(batch['batch'])}: {self.session.shown(found['status'])}, {done:,} of "
            line += f"{len(batch['asked']):,}"
            if line != said_last:
                self.tell(line)
            said_last = line
            await self.session.sleep(pause)
            pause = min(pause * 1.5, LONGEST_LOOK)
        return found

    async def _results(self, found: dict[str, Any], asked: int) -> Results:
        """What an ended batch gave to so many questions; whole when each has a result, or when each line could be read
        and no answer is missing that the server counts."""
        results: dict[str, dict[str, Any]] = {}
        whole = True
        for id in (found.get("output_file_id"), found.get("error_file_id")):
            if isinstance(id, str):
                more = await self.api.results(id)
                results, whole = results | more.rows, whole and more.whole
        sound = sum(_response(row).get("status_code") == 200 for row in results.values())
        lacks = sound < count(found.get("request_counts"), "completed")
        return Results(results, results.keys() >= set(map(str, range(asked))) or (whole and not lacks))

    def _why(self, found: dict[str, Any]) -> str:
        """The first reason that the server gives for how a batch ended."""
        errors = found.get("errors")
        data = errors.get("data") if isinstance(errors, dict) else None
        return self.session.shown(said(data[0])) if isinstance(data, list) and data else "no reason given"

    async def _result(self, key: Key, most: float, result: dict[str, Any] | None, lack: str) -> None:
        """Keeps an answer, also one that a smaller limit does not want any more: it was paid for."""
        job = self.wanted.get(key, Job(Prompt(key[0], ""), *key[1:]))
        response = _response(result or {})
        body, cost, kept = response.get("body") or (result or {}).get("error"), None, False
        try:
            if response.get("status_code") != 200 or not isinstance(body, dict):
                raise BadReplyError(said(body))
            reply = self.session.read(body, self.sampling)
            made, kept = reply.completion, True
            cost = self.teacher.cost(made, most)
            await self.journal.keep(answer_of(job, made, reply.model, cost))
        except BadReplyError as error:
            made = Completion(self.session.shown(str(error)) if result else lack, "error")
            cost = self.teacher.lost(error) or None
        self.budget.settle(most, cost or 0.0)
        if key not in self.wanted:
            return
        if not kept and self._wants_the_other_limit(made.text) and key not in self.renamed:
            self.session.other_limit = True
            self.renamed.add(key)
            self.left.append(job)
            return
        self.asked.count(made, cost, kept)
        self.progress(self.asked)

    def _wants_the_other_limit(self, refusal: str) -> bool:
        dialect = self.teacher.dialect
        return dialect.api == "chat" and dialect.limit == CHAT.limit and OTHER_LIMIT in refusal

    def _save(self) -> None:
        under_way.save(self.path, self.journal.settings, self.open)


def _response(result: dict[str, Any]) -> dict[str, Any]:
    """The response in a line of results, empty where there is none."""
    found = result.get("response")
    return found if isinstance(found, dict) else {}


def _key(row: Sequence[Any]) -> Key:
    """Which answer a row of under_way.py asks for."""
    id, sample, prompt_hash, _ = row
    return id, sample, prompt_hash
