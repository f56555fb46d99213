"""OpenAI's Responses API as plain data: the only one through which their models give any of their reasoning.

    {"model": "m", "input": "Who is left-handed?", "max_output_tokens": 64, "store": false,
     "reasoning": {"effort": "medium", "summary": "auto"}}
    {"model": "m-2025", "status": "completed", "usage": {"input_tokens": 7, "output_tokens": 30}, "output": [
     {"type": "reasoning", "summary": [{"type": "summary_text", "text": "..."}]},
     {"type": "message", "content": [{"type": "output_text", "text": "B"}]}]}

What they give is a summary, at times none; it becomes the thinking part, as a chat completion's `reasoning_content`
does. Open servers put the reasoning itself into the item's `content`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fairreason.models.backends.base import Prompt, Sampling
from fairreason.models.backends.openai_messages import (
    FILTERED,
    BadReplyError,
    Dialect,
    count,
    joined,
    picture_url,
    said,
)
from fairreason.records import Completion, FinishReason


def request(model: str, prompt: Prompt, sampling: Sampling, sample: int, dialect: Dialect) -> dict[str, Any]:
    """The fields of one request; the server is asked to keep nothing. Raises DataError, naming the picture, where one
    cannot be opened."""
    pictures = [{"type": "input_image", "image_url": picture_url(one), "detail": "auto"} for one in prompt.images]
    parts = [*pictures, {"type": "input_text", "text": prompt.text}]
    fields: dict[str, Any] = {
        "model": model,
        "input": [{"role": "user", "content": parts}] if pictures else prompt.text,
        dialect.limit: sampling.max_new_tokens,
        "store": False,
    }
    if dialect.sampled:
        fields["temperature"] = sampling.temperature
    return {**fields, **dialect.more}


def completion(reply: Mapping[str, Any], sampling: Sampling) -> Completion:
    """The reply as a Completion; its reasoning becomes the thinking part. Raises BadReplyError."""
    usage = reply.get("usage")
    prompt_tokens, tokens = (count(usage, name) for name in ("input_tokens", "output_tokens"))
    try:
        status = reply["status"]
        reasoning = "\n\n".join(_texts(reply["output"], "reasoning"))
        text = "".join(_texts(reply["output"], "message"))
        stopped = (reply.get("incomplete_details") or {}).get("reason")
    except (KeyError, TypeError, AttributeError):
        raise BadReplyError(f"a reply without an output: {said(reply)}", prompt_tokens, tokens) from None
    if stopped == "content_filter":
        return Completion(FILTERED, "error", prompt_tokens, tokens)
    if status not in ("completed", "incomplete"):
        raise BadReplyError(f"a reply with status {status}: {said(reply.get('error'))}", prompt_tokens, tokens)
    reason: FinishReason = "length" if status == "incomplete" else "stop"
    return Completion(joined(reasoning, text, reason), reason, prompt_tokens, tokens)


def _texts(output: Any, kind: str) -> Iterator[str]:
    """The texts of the items of one type: a refusal is the message's text, the summary stands before the content."""
    for item in output:
        if item.get("type") == kind:
            for part in [*(item.get("summary") or []), *(item.get("content") or [])]:
                text = part.get("text") or part.get("refusal")
                if text:
                    yield str(text)
