"""How fast a teacher is asked: `traces` against the bare openai client, on a server with a latency and a limit.

    python benchmarks_speed/traces_server.py [--questions 2000] [--times 5]

The server (asyncio, in a process of its own on loopback) takes 200 ms for an answer of about 2 kB and allows 64
requests at once; above that it says 429. `ours` is traces.ask at 64 requests at a time: each answer is read, put into
the journal and synced to disk before its slot asks on. `bare` is asyncio.gather over the openai client's own
chat.completions.create with a semaphore of 64, which keeps nothing. Order A B B A, `--times` over, a fresh journal each
time; the ratio is of the medians. The ideal is questions / 64 x 0.2 s. Void (exit 1) where an answer is missing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import openai

from fairreason.models.backends import Prompt, Sampling
from fairreason.traces import ask
from fairreason.traces.budget import Budget
from fairreason.traces.journal import Journal
from fairreason.traces.teachers import Price, Teacher

LATENCY, ALLOWED = 0.2, 64
PRICE = Price(1, 1)


async def serve(latency: float, allowed: int) -> None:
    """Prints its port; what it turned away stands in the header x-refused of every reply."""
    under_way = refused = 0
    message = {"role": "assistant", "content": r"\boxed{B}", "reasoning_content": "The text names the baker. " * 75}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": 90, "completion_tokens": 400, "total_tokens": 490}
    reply = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    answer, busy = json.dumps(reply).encode(), b'{"error": {"message": "busy"}}'

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, refused
        while head := await reader.readuntil(b"\r\n\r\n"):
            lines = head.lower().split(b"\r\n")
            length = next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length"))
            await reader.readexactly(length)
            status, content = b"200 OK", answer
            if under_way >= allowed:
                status, content = b"429 Too Many Requests", busy
                refused += 1
            else:
                under_way += 1
                await asyncio.sleep(latency)
                under_way -= 1
            fields = b"content-type: application/json\r\nx-refused: %d\r\ncontent-length: %d" % (refused, len(content))
            writer.write(b"HTTP/1.1 %b\r\n%b\r\n\r\n%b" % (status, fields, content))
            await writer.drain()

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await one(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0, backlog=1_024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def ours(url: str, prompts: list[Prompt], concurrency: int) -> int:
    teacher = Teacher("m", "m", url, price=PRICE)
    with tempfile.TemporaryDirectory(dir=".") as folder, Journal(Path(folder) / "a.answers.jsonl", {}) as journal:
        jobs = ask.missing(prompts, ask.hashes(prompts), 1, journal)
        budget = Budget(1e9, PRICE)
        return ask.ask(teacher, jobs, Sampling(512, 1.0), journal, budget, concurrency=concurrency).answered


def bare(url: str, prompts: list[Prompt], concurrency: int) -> int:
    async def work() -> int:
        gate = asyncio.Semaphore(concurrency)
        async with openai.AsyncOpenAI(api_key="none", base_url=url) as client:

            async def one(prompt: Prompt) -> int:
                async with gate:
                    made = await client.chat.completions.create(
                        model="m", messages=[{"role": "user", "content": prompt.text}], max_tokens=512, temperature=1.0
                    )
                return len(made.choices)

            return sum(await asyncio.gather(*(one(prompt) for prompt in prompts)))

    return asyncio.run(work())


def refused_so_far(url: str) -> int:
    client = openai.OpenAI(api_key="none", base_url=url)
    raw = client.chat.completions.with_raw_response.create(model="m", messages=[{"role": "user", "content": "?"}])
    return int(raw.headers["x-refused"])


def compare(url: str, options: argparse.Namespace) -> bool:
    prompts = [Prompt(f"q/{i}", f"A question of ordinary length about {i}. " * 6) for i in range(options.questions)]
    runs: dict[str, Callable[[str, list[Prompt], int], int]] = {"ours": ours, "bare": bare}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    turned_away = dict.fromkeys(runs, 0)
    for run in runs.values():
        run(url, prompts[:200], options.concurrency)  # warm
    for turn in range(options.times):
        for name in ("ours", "bare", "bare", "ours"):
            refused, start = refused_so_far(url), time.perf_counter()
            if runs[name](url, prompts, options.concurrency) != len(prompts):
                print(f"{name}: an answer is missing: VOID")
                return False
            seconds[name].append(time.perf_counter() - start)
            turned_away[name] += refused_so_far(url) - refused
        print(
            f"  turn {turn + 1}, load {os.getloadavg()[0]:.1f}: { {n: round(s[-1], 2) for n, s in seconds.items()} }",
            flush=True,
        )
    middle = {name: statistics.median(each) for name, each in seconds.items()}
    ideal = len(prompts) / ALLOWED * LATENCY
    for name, value in middle.items():
        print(f"{name}: {value:.2f} s, {len(prompts) / value:.0f} answers/s, {ideal / value:.1%} of the ideal "
              f"({ideal:.2f} s), {turned_away[name]} turned away")  # fmt: skip
    print(f"ours reaches {middle['bare'] / middle['ours']:.1%} of the bare client's throughput", flush=True)
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=2_000)
    parser.add_argument("--concurrency", type=int, default=ALLOWED)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return asyncio.run(serve(LATENCY, ALLOWED))
    print(f"$ python {shlex.join(sys.argv)}", flush=True)
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        sys.exit(not compare(f"http://127.0.0.1:{server.stdout.readline().strip()}/v1", options))
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
