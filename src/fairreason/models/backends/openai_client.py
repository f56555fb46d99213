"""The client's connection, bounded: a reply without end, or a small one that unpacks to gigabytes, is no reply."""

from __future__ import annotations

from typing import Any

import openai

from fairreason.models.backends.openai_messages import BadReplyError

LARGEST = 2**28
"""Bytes that a reply may have, unpacked: five times the longest answer that we have been asked to bear."""
PACKED = ("content-encoding", "content-length", "transfer-encoding")


class BoundedClient(openai.DefaultAsyncHttpxClient):
    """Reads every reply, refusals too, to its end or to LARGEST bytes."""

    async def send(self, request: Any, **options: Any) -> Any:
        """Raises BadReplyError for a reply that is larger."""
        reply = await super().send(request, **{**options, "stream": True})
        content = bytearray()
        try:
            async for part in reply.aiter_bytes():
                content += part
                if len(content) > LARGEST:
                    raise BadReplyError(f"more than {LARGEST >> 20} MB in one reply")
        finally:
            await reply.aclose()
        headers = [(name, value) for name, value in reply.headers.multi_items() if name.lower() not in PACKED]
        return type(reply)(reply.status_code, headers=headers, content=bytes(content), request=reply.request)
