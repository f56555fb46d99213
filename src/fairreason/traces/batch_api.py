"""OpenAI's batch API: a file of questions goes up, one batch is made of it, its results come down.

Every request is tried again as any other (models/backends/openai_session.py). Making a batch is not the same as asking
again: where a reply may have been lost, the batch that reads the file is looked for first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import openai

from fairreason.errors import ModelError
from fairreason.models.backends import retries
from fairreason.models.backends.openai_messages import BadReplyError, parse, printable
from fairreason.models.backends.openai_session import FailedError, Session

Value = TypeVar("Value")

WITHOUT = (404, 405, 501)
URLS: dict[str, Any] = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}


class BatchError(ModelError):
    """The results of one batch do not come; those of others may."""


class Results(NamedTuple):
    """A result file's lines by custom_id, and whether each of its lines is one."""

    rows: dict[str, dict[str, Any]]
    whole: bool


class BatchApi:
    """Of the files `known` an earlier call may have made a batch; `notes` is where ids are written down."""

    def __init__(self, session: Session, notes: Path, known: Iterable[str]) -> None:
        self.session, self.notes, self.known = session, notes, set(known)
        self.url = URLS[session.dialect.api]

    async def upload(self, lines: list[str]) -> str:
        """The id of a file of these lines. Raises ModelError where the server has no batch API."""
        content = "".join(line + "\n" for line in lines).encode()

        async def send() -> str:
            try:
                create = self.session.client.files.with_raw_response.create
                return _text(await create(file=("questions.jsonl", content), purpose="batch"), "id")["id"]
            except openai.APIStatusError as error:
                if error.status_code in WITHOUT:
                    raise ModelError(
                        f"{self.session.address}: this server has no batch API ({error.status_code}); leave --batch out"
                    ) from None
                raise

        return await self._ask(send)

    async def make(self, file: str) -> str:
        """The id of the batch that reads the file; one that is there already is not made again."""

        async def send() -> str:
            if file in self.known and (there := await self._reading(file)):
                return there
            self.known.add(file)
            create = self.session.client.batches.with_raw_response.create
            return _text(await create(input_file_id=file, endpoint=self.url, completion_window="24h"), "id")["id"]

        return await self._ask(send)

    async def _reading(self, file: str) -> str:
        """The id of the batch that reads the file, "" where the server lists none."""
        try:
            async for one in self.session.client.batches.list(limit=100):
                if one.input_file_id == file:
                    return one.id
        except AttributeError:
            raise BadReplyError("a list of batches that is none") from None
        return ""

    async def look(self, id: str) -> dict[str, Any]:
        """The batch as it is now. Raises BatchError where the server does not know it."""

        async def send() -> dict[str, Any]:
            try:
                return _text(await self.session.client.batches.with_raw_response.retrieve(id), "status")
            except openai.NotFoundError:
                raise BatchError(
                    f"{self.session.address}: does not know the batch {printable(id)} that {self.notes} names; "
                    "delete that file to ask its questions again"
                ) from None

        return await self._ask(send)

    async def results(self, id: str) -> Results:
        """What a result file holds. Raises BatchError where the server has it no more."""

        async def send() -> bytes:
            try:
                return (await self.session.client.files.content(id)).content
            except openai.NotFoundError:
                raise BatchError(
                    f"{self.session.address}: has the results {printable(id)} no more, of a batch that {self.notes} "
                    "names; delete that file to ask its questions again"
                ) from None

        rows: dict[str, dict[str, Any]] = {}
        whole = True
        for line in filter(bytes.strip, (await self._ask(send)).splitlines()):
            try:
                row = parse(line)
                rows[str(row["custom_id"])] = row
            except (BadReplyError, KeyError):
                whole = False
        return Results(rows, whole)

    async def _ask(self, send: Callable[[], Awaitable[Value]]) -> Value:
        try:
            return await self.session.persistently(send, tries=retries.BUSY_TRIES)
        except FailedError as error:
            raise self.session.hopeless(error.trouble) from None


def _text(reply: Any, name: str) -> dict[str, Any]:
    """The reply's JSON object, whose field of this name is a text. Raises BadReplyError."""
    found = parse(reply.content)
    if not isinstance(found.get(name), str):
        raise BadReplyError(f"a reply without {name}")
    return found
