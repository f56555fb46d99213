"""Chat completions as plain data: what an OpenAI-compatible server is sent for a prompt, and what its reply means.

    {"model": "m", "messages": [{"role": "user", "content": "Who is left-handed?"}], "max_tokens": 64, "temperature": 0}
    {"choices": [{"message": {"content": "B", "reasoning_content": "..."}, "finish_reason": "stop"}], "usage": {...}}

The server writes the prompt into tokens by its own template, so a control token inside a question is in its hands. No
system turn is sent, and `thinking: off` alone is handed on (as `chat_template_kwargs`): hosted services refuse fields
that they do not know, and templates that have the switch think by default.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from PIL import Image

from fairreason.models.backends.base import Prompt, Sampling, sampling_key
from fairreason.pictures import data_url, open_image, read
from fairreason.records import Completion, FinishReason

SENT_AS_THEY_ARE = ("PNG", "JPEG")
FILTERED = "the server's content filter stopped the answer"
BROKEN_OFF = ("insufficient_system_resource", "abort", "error")
"""How a server says that it could not end an answer: DeepSeek; vLLM and SGLang; vLLM and OpenRouter."""
MOST_TOKENS = 2**31 - 1
ORIENTATION = 0x0112  # the EXIF tag by which a server may turn a picture


@dataclass(frozen=True, slots=True)
class Dialect:
    """Through which API a model is asked and which fields it takes: `sampled` temperature, top_p and seed, `switch` the
    template's switch for thinking; `limit` what it calls the longest answer; `more` is sent as it stands."""

    api: Literal["chat", "responses"] = "chat"
    sampled: bool = True
    switch: bool = True
    limit: str = "max_tokens"
    more: Mapping[str, Any] = field(default_factory=dict)


CHAT = Dialect()
OTHER_LIMIT = "max_completion_tokens"
"""What OpenAI's reasoning models call the longest answer."""


class Answered(NamedTuple):
    """One answer and the model's version as the server reported it, "" where it did not. `paid` False: it was refused
    or never came, the completion (finish reason `error`) says why, and the same may be asked again."""

    completion: Completion
    model: str = ""
    paid: bool = True


class BadReplyError(ValueError):
    """A reply with status 200 that holds no answer; the message says what it is instead. It may have been paid for: so
    many tokens, 0 where it names none."""

    def __init__(self, what: str, prompt_tokens: int = 0, completion_tokens: int = 0) -> None:
        super().__init__(what)
        self.prompt_tokens, self.completion_tokens = prompt_tokens, completion_tokens


def request(model: str, prompt: Prompt, sampling: Sampling, sample: int, dialect: Dialect = CHAT) -> dict[str, Any]:
    """The fields of one request. Raises DataError, naming the picture, where one cannot be opened."""
    pictures = [{"type": "image_url", "image_url": {"url": picture_url(one)}} for one in prompt.images]
    content: Any = [*pictures, {"type": "text", "text": prompt.text}] if pictures else prompt.text
    fields: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        dialect.limit: sampling.max_new_tokens,
    }
    if dialect.sampled:
        fields["temperature"] = sampling.temperature
        if sampling.temperature > 0:
            fields |= {"top_p": 1, "seed": seed_of(sampling.seed, prompt.id, sample)}
    if dialect.switch and sampling.thinking == "off":
        fields["extra_body"] = {"chat_template_kwargs": {"enable_thinking": False}}
    return {**fields, **dialect.more}


def named(fields: dict[str, Any], other: bool) -> dict[str, Any]:
    """The fields, the answer's limit under its `other` name."""
    return {OTHER_LIMIT if other and key == CHAT.limit else key: value for key, value in fields.items()}


def seed_of(seed: int, prompt_id: str, sample: int) -> int:
    """One answer's seed, of (seed, example, sample) alone (law 3): 31 bits, which every server takes."""
    return sampling_key(seed, prompt_id, sample) >> 32


def picture_url(reference: str) -> str:
    """The picture as a data URL of the pixels that every other backend sees: RGB, not turned. A file (in a zip or not)
    that already is such a PNG or JPEG is sent as it stands. Raises DataError where it cannot be opened."""
    picture = open_image(reference)
    if not reference.startswith("data:"):
        content = read(reference)
        with Image.open(io.BytesIO(content)) as stored:
            plain = stored.mode == "RGB" and stored.getexif().get(ORIENTATION, 1) == 1
            if plain and stored.format in SENT_AS_THEY_ARE:
                return data_url(content)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return data_url(buffer.getvalue())


def completion(reply: Mapping[str, Any], sampling: Sampling) -> Completion:
    """The reply as a Completion; its reasoning becomes the thinking part. Raises BadReplyError."""
    usage = reply.get("usage")
    prompt_tokens, tokens = (count(usage, name) for name in ("prompt_tokens", "completion_tokens"))
    try:
        choice = reply["choices"][0]
        message = choice["message"]
        text = _text(message.get("content") or message.get("refusal"))
        reasoning = _text(message.get("reasoning_content") or message.get("reasoning"))
    except (KeyError, IndexError, TypeError, AttributeError):
        raise BadReplyError(f"a reply without a choice: {said(reply)}", prompt_tokens, tokens) from None
    if choice.get("finish_reason") in BROKEN_OFF:
        raise BadReplyError(f"an answer that broke off ({choice['finish_reason']})", prompt_tokens, tokens)
    if choice.get("finish_reason") == "content_filter":
        return Completion(FILTERED, "error", prompt_tokens, tokens)
    reason = _finish(choice.get("finish_reason"), tokens, sampling.max_new_tokens)
    return Completion(joined(reasoning, text, reason), reason, prompt_tokens, tokens)


def parse(content: bytes) -> dict[str, Any]:
    """A reply's JSON object. Raises BadReplyError, saying what it is instead."""
    try:
        reply = json.loads(content)
    except (ValueError, RecursionError):
        start = content[:200].lstrip()[:1]
        kind = {b"": "an empty reply", b"<": "HTML", b"{": "a JSON that breaks off", b"[": "a JSON that breaks off"}
        raise BadReplyError(f"{kind.get(start, 'something else')} instead of JSON") from None
    if not isinstance(reply, dict):
        raise BadReplyError(f"a JSON {type(reply).__name__} instead of an object")
    return reply


def said(body: Any) -> str:
    """What the server says went wrong, as one printable line. It may hold a secret, whole, and be of any length:
    Session.shown takes both away, in this order.

    >>> said({"error": {"message": "the prompt is too long"}})
    'the prompt is too long'
    """
    while isinstance(body, Mapping):
        body = body.get("error") or body.get("message") or body.get("detail") or json.dumps(dict(body), default=str)
    text = printable(str(body or "nothing"))
    return "an HTML page" if text.startswith("<") else text


def printable(text: str) -> str:
    """The text as one line without signs that a terminal obeys (ESC) or that no file can hold.

    >>> printable("tiny\\x1b[2J\\nof May")
    'tiny [2J of May'
    """
    line = " ".join(text.split())
    return line if line.isprintable() else " ".join("".join(s if s.isprintable() else " " for s in line).split())


def _text(value: Any) -> str:
    """A message's text, which some servers send in parts."""
    if isinstance(value, list):
        return "".join(part["text"] for part in value if part.get("type") == "text")
    if not isinstance(value, str | None):
        raise TypeError
    return value or ""


def joined(reasoning: str, text: str, reason: FinishReason) -> str:
    """One text with the thinking part before the answer; thinking that was cut off stays open."""
    if not reasoning:
        return _storable(text)
    if not text and reason == "length":
        return _storable(f"<think>\n{reasoning}")
    return _storable(f"<think>\n{reasoning}\n</think>\n\n{text}")


def _finish(stated: Any, tokens: int, most: int) -> FinishReason:
    """Why it ended; a server that does not say has cut an answer that is as long as it may be."""
    return "length" if stated == "length" or (stated is None and tokens >= most) else "stop"


def count(usage: Any, name: str) -> int:
    """A number of tokens, 0 where the server gives none that a reply can have."""
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if type(value) is int and 0 < value <= MOST_TOKENS else 0


def _storable(text: str) -> str:
    """The text with half surrogate pairs, which no file can hold, replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
