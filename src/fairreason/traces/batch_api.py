"""OpenAI's batch API: a file of questions goes up, one batch is made of it, its results come down.

Every request is tried again as any other (models/backends/openai_session.py). Making a batch is not the same as asking
again: where a reply may have been lost, the batch that reads the file is looked for first.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import openai

from fairreason.errors import ModelError
from fairreason.models.backends import retries
from fairreason.models.backends.openai_messages import printable
from fairreason.models.backends.openai_session import FailedError, Session

Value = TypeVar("Value")

WITHOUT = (404, 405, 501)
URLS: dict[str, Any] = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}


class BatchApi:
    """Of the files `known` an earlier call may have made a batch; `notes` is where ids are written down."""

    def __init__(self, session: Session, notes: Path, known: Iterable[str]) -> None:
        self.session, self.notes, self.known = session, notes, set(known)
        self.url = URLS[session.dialect.api]

    async def upload(self, lines: list[str]) -> str:
        """The id of a file of these lines. Raises ModelError where the server has no batch API."""
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

        return (await self._ask(send)).id

    async def make(self, file: str) -> str:
        """The id of the batch that reads the file; one that is there already is not made again."""

        async def send() -> Any:
            if file in self.known:
                async for one in self.session.client.batches.list(limit=100):
                    if one.input_file_id == file:
                        return one
            self.known.add(file)
            return await self.session.client.batches.create(
                input_file_id=file, endpoint=self.url, completion_window="24h"
            )

        return (await self._ask(send)).id

    async def look(self, id: str) -> Any:
        """The batch as it is now. Raises ModelError where the server does not know it."""

        async def send() -> Any:
            try:
                return await self.session.client.batches.retrieve(id)
            except openai.NotFoundError:
                raise ModelError(
                    f"{self.session.address}: does not know the batch {printable(id)} that {self.notes} names; "
                    "delete that file to ask its questions again"
                ) from None

        return await self._ask(send)

    async def results(self, id: str) -> dict[str, dict[str, Any]]:
        """A result file's lines by custom_id; a line that is none is left out, its question then has no result."""

        async def send() -> bytes:
            return (await self.session.client.files.content(id)).content

        found = {}
        for line in (await self._ask(send)).splitlines():
            try:
                row = json.loads(line)
                found[str(row["custom_id"])] = row
            except (ValueError, KeyError, TypeError):
                continue
        return found

    async def _ask(self, send: Callable[[], Awaitable[Value]]) -> Value:
        try:
            return await self.session.persistently(send, tries=retries.BUSY_TRIES)
        except FailedError as error:
            raise self.session.hopeless(error.trouble) from None
