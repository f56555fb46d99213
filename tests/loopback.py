"""A real HTTP server on loopback that speaks chat completions, or whatever a test makes it say instead."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """What is sent: `content` after `delay` seconds; `promised` bytes in the header where that is more than comes."""

    content: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    promised: int | None = None


def says(text: str | None, finish: str | None = "stop", **message: Any) -> Reply:
    return Reply(json.dumps(chat(text, finish, **message)).encode())


def chat(text: str | None, finish: str | None = "stop", **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return {"id": "c", "object": "chat.completion", "model": "tiny-of-may", "choices": [choice], "usage": usage}


def refuses(status: int, message: str = "no", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(json.dumps({"error": {"message": message}}).encode(), status, named)


class QuietHandler(BaseHTTPRequestHandler):
    """Keeps connections open and its log to itself."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        pass

    def write(self, status: int, content: bytes, length: int | None = None, **headers: str) -> None:
        """Sends JSON; `length` is promised where that is more than comes."""
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(length or len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address, without a path, while a server with this handler runs in threads."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


CARDS = Reply(json.dumps({"data": [{"id": "tiny", "object": "model", "created": 7, "owned_by": "us"}]}).encode())
Answer = Callable[[dict[str, Any], int], Reply | None]


class Loopback:
    """`answer(body, how often this body was asked before)` gives the Reply, None to close the connection. `asked` holds
    the bodies in the order in which they came (`paths` where to), `most` how many were open at once."""

    def __init__(self, answer: Answer, models: Reply | None = CARDS) -> None:
        self.answer, self.models = answer, models
        self.asked: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.open = self.most = 0
        self.ending = threading.Event()
        self.lock = threading.Lock()

    def reply(self, body: dict[str, Any], headers: dict[str, str], path: str) -> Reply | None:
        with self.lock:
            before = self.asked.count(body)
            self.asked.append(body)
            self.paths.append(path)
            self.headers.append(headers)
            self.open += 1
            self.most = max(self.most, self.open)
        try:
            reply = self.answer(body, before)
            if reply is not None and reply.delay:
                self.ending.wait(reply.delay)
            return reply
        finally:
            with self.lock:
                self.open -= 1

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """The address to ask, while the server runs."""
        loopback = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                self.send(loopback.models)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                self.send(loopback.reply(body, dict(self.headers), self.path))

            def send(self, reply: Reply | None) -> None:
                self.close_connection = reply is None or reply.promised is not None
                if reply is None:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                with contextlib.suppress(ConnectionError):
                    self.write(reply.status, reply.content, reply.promised, **reply.headers)

        with serving(Handler) as address:
            try:
                yield f"{address}/v1"
            finally:
                self.ending.set()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(address: str, seconds: float) -> None:
    host, port = address.removeprefix("http://").partition("/")[0].split(":")
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            assert time.monotonic() < end, f"{address} did not open"
            time.sleep(0.1)
