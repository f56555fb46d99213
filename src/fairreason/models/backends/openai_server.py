"""Any OpenAI-compatible server: hosted services, `vllm serve`, `transformers serve`, llama.cpp, ...

    fairreason eval Qwen/Qwen3-8B --backend openai --base-url http://127.0.0.1:8000/v1 --bench bbq --out out/bbq

Requests run beside each other; answers are handed on as they come, so what was paid for is on disk at once. The key is
read from OPENAI_API_KEY and stands nowhere else. A remote model's weights cannot be hashed: its fingerprint is the
address, the model's name, what the server says of the model and the `revision` that the caller vouches for. Order and
concurrency change nothing that is asked; whether the server answers alike beside other requests is in its hands. Serve
with `--generation-config vllm` (vLLM), so that the model folder's own sampling settings do not count.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit, urlunsplit

from fairreason.errors import UsageError
from fairreason.models.backends import background
from fairreason.models.backends.base import Prompt, Sampling
from fairreason.models.backends.openai_key import own_key
from fairreason.models.backends.openai_session import Session
from fairreason.records import Completion

OPENAI = "https://api.openai.com/v1"
CARD = ("id", "root", "parent", "owned_by", "max_model_len")  # of a model's entry in /models: what stays the same
CARD_SECONDS = 30.0


class OpenAIBackend:
    """Asks `model` at `base_url` (None: OPENAI_BASE_URL, else OpenAI's own), `concurrency` requests at a time, each
    within `time_limit` seconds. `revision` is the caller's word for which weights the server has."""

    name = "openai"

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        *,
        concurrency: int = 8,
        time_limit: float = 600.0,
        revision: str | None = None,
    ) -> None:
        self.model = model
        self.base_url = (base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI).rstrip("/")
        self.address = shown(self.base_url)
        self.concurrency = concurrency
        self.time_limit = time_limit
        self.revision = revision
        self.weights_are_known = revision is not None
        own_key()  # one that cannot be sent is an error now

    @functools.cached_property
    def fingerprint(self) -> str:
        """Raises ModelError when nothing answers at the address, or the key is refused."""
        models = background.result(lambda: self._session(min(self.time_limit, CARD_SECONDS)).models())
        own = [{key: card[key] for key in CARD if key in card} for card in models if card.get("id") == self.model]
        settled = json.dumps([self.address, self.model, self.revision, own], sort_keys=True)
        return f"openai-{hashlib.sha256(settled.encode()).hexdigest()}"

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, first: int = 0
    ) -> Iterator[tuple[int, list[Completion]]]:
        """See base.Backend. Raises ModelError when asking on is of no use; what was under way is handed on before, as
        it is on a first Ctrl-C."""
        ending = asyncio.Event()
        return background.stream(
            lambda deliver: self._session(self.time_limit, ending).ask(prompts, sampling, deliver, first), ending
        )

    def _session(self, time_limit: float, stopped: asyncio.Event | None = None) -> Session:
        return Session(self.model, self.base_url, self.address, self.concurrency, time_limit, stopped=stopped)


def shown(base_url: str) -> str:
    """The address without name, password and query. Raises UsageError where it is none.

    >>> shown("https://me:secret@models.example/v1?key=secret")
    'https://models.example/v1'
    """
    try:
        parts = urlsplit(base_url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        visible = base_url.rpartition("@")[2].partition("?")[0]
        raise UsageError(f"--base-url: must be an address such as http://127.0.0.1:8000/v1, got {visible}")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
