"""A real server on loopback with OpenAI's batch API: files, batches, results in any order."""

from __future__ import annotations

import contextlib
import email
import email.policy
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

from loopback import QuietHandler, serving

Line = dict[str, Any]
Answer = Callable[[Line], Line | None]


def done(body: Line) -> Line:
    """A result that is a chat completion."""
    return {"response": {"status_code": 200, "request_id": "r", "body": body}, "error": None}


class BatchServer:
    """`answer(line of the input)` gives the line of the results without its custom_id, None for no line at all. A batch
    is in progress for `looks` looks, then it ends as `status`. `fail(what, how often before)` True: that request gets a
    500 after it was done; `mangle(what, how often before, value)` gives what is sent instead. A list of batches holds
    `page` of them at most."""

    def __init__(self, answer: Answer, looks: int = 0, status: str = "completed") -> None:
        self.answer, self.looks, self.status = answer, looks, status
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Line] = {}
        self.asked: list[Line] = []
        self.keys: set[str] = set()
        self.page = 100
        self.fail: Callable[[str, int], bool] = lambda what, before: False
        self.mangle: Callable[[str, int, Any], Any] = lambda what, before, value: value
        self.seen: dict[str, int] = {}
        self.lock = threading.Lock()

    def post(self, path: str, content: bytes, kind: str) -> Line:
        if path == "/v1/files":
            parsed = email.message_from_bytes(
                f"content-type: {kind}\r\n\r\n".encode() + content, policy=email.policy.HTTP
            )
            parts = {part.get_param("name", header="content-disposition"): part for part in parsed.iter_parts()}
            assert parts["purpose"].get_payload() == "batch"
            name = f"file-{len(self.files)}"
            self.files[name] = parts["file"].get_payload(decode=True)
            return {"id": name, "object": "file", "bytes": 1, "created_at": 1, "filename": "q", "purpose": "batch"}
        given = json.loads(content)
        assert given["completion_window"] == "24h"
        name = f"batch_{len(self.batches)}"
        lines = [json.loads(line) for line in self.files[given["input_file_id"]].splitlines()]
        assert {line["url"] for line in lines} == {given["endpoint"]} and len(
            {line["custom_id"] for line in lines}
        ) == len(lines)
        self.asked += lines
        self.batches[name] = {**given, "id": name, "object": "batch", "created_at": 1, "looks": 0, "lines": lines}
        return self.shown(name)

    def get(self, path: str, after: str = "") -> Line | bytes | None:
        if path == "/v1/batches":
            names = list(self.batches)
            rest = names[names.index(after) + 1 :] if after else names
            data = [self.shown(name) for name in rest[: self.page]]
            return {"object": "list", "data": data, "has_more": len(rest) > self.page}
        kind, _, name = path.removeprefix("/v1/").partition("/")
        if kind == "batches" and name in self.batches:
            self.batches[name]["looks"] += 1
            return self.shown(name)
        return self.files.get(name.removesuffix("/content")) if kind == "files" else None

    def shown(self, name: str) -> Line:
        batch = self.batches[name]
        ended = batch["looks"] > self.looks
        public = {key: value for key, value in batch.items() if key not in ("looks", "lines", "sound")}
        more: Line = {"status": self.status if ended else "in_progress"}
        if ended and "output_file_id" not in batch:
            rows = [(line["custom_id"], self.answer(line)) for line in reversed(batch["lines"])]
            good, bad = [], []
            for id, row in rows:
                if row is not None:
                    sound = (row.get("response") or {}).get("status_code") == 200
                    (good if sound else bad).append(json.dumps({"id": "x", "custom_id": id, **row}))
            for key, lines in (("output_file_id", good), ("error_file_id", bad)):
                if lines:
                    batch[key] = f"{name}-{key}"
                    self.files[batch[key]] = "\n".join(lines).encode()
                    public[key] = batch[key]
            batch["sound"] = len(good)
        done = batch.get("sound", min(batch["looks"], len(batch["lines"])))
        more["request_counts"] = {"total": len(batch["lines"]), "completed": done, "failed": 0}
        if self.status == "failed":
            more["errors"] = {"object": "list", "data": [{"message": "the model does not exist", "code": "x"}]}
        return {**public, **more}

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        outer = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                with outer.lock:
                    self.send(f"GET {path}", outer.get(path, *parse_qs(query).get("after", [])))

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                outer.keys.add(self.headers["authorization"])
                with outer.lock:
                    self.send(f"POST {self.path}", outer.post(self.path, content, self.headers["content-type"]))

            def send(self, what: str, value: Line | bytes | None) -> None:
                before = outer.seen.get(what, 0)
                outer.seen[what] = before + 1
                value = outer.mangle(what, before, value)
                status = 500 if outer.fail(what, before) else 404 if value is None else 200
                content = (
                    value if isinstance(value, bytes) else json.dumps(value or {"error": {"message": "no"}}).encode()
                )
                self.write(status, content)

        with serving(Handler) as address:
            yield f"{address}/v1"
