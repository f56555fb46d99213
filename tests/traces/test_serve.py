"""A server of another project, `transformers serve`, with the lab's base behind it, asked through the real client."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from loopback import free_port, wait_for

from fairreason.benchmarks.base import grade_one
from fairreason.models.folder import WEIGHTS
from fairreason.traces.gather import Request, gather

pytestmark = pytest.mark.usefixtures("own_time_limit")


@pytest.fixture(scope="module")
def served():
    """The address of `transformers serve`, whose fastapi and uvicorn are in our extra `dev`."""
    port = free_port()
    code = "from transformers.cli.transformers import app; app()"
    arguments = ["serve", str(WEIGHTS / "lab"), "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "DISABLE_TELEMETRY": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{port}", 100)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(20)


def request(out, teacher, bench, **options):
    return Request(bench=bench, teacher=teacher, out=out, limit=6, max_new_tokens=48, temperature=0, **options)


@pytest.mark.parametrize("bench", ["lab-math", "lab-bias-vl"])
def test_the_lab_base_behind_transformers_serve_teaches(served, tmp_path, bench, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    found = gather(request(tmp_path / "served.jsonl", str(WEIGHTS / "lab"), bench, base_url=served, concurrency=2))
    here = gather(request(tmp_path / "own.jsonl", "self", bench, model="lab"))
    assert found.asked.failed == 0 and len(found.answers) == len(here.answers) > 3
    for there, own in zip(found.answers, here.answers, strict=True):
        assert (there.id, there.prompt_hash) == (own.id, own.prompt_hash)
        said, wanted = there.completion.text, own.completion.text
        # `serve` at times leaves out an answer's first character
        assert wanted.removeprefix("<think>\n").endswith(said.removeprefix("<think>\n")), (said, wanted)
        assert there.completion.completion_tokens == own.completion.completion_tokens
        assert there.model
    grades = [
        grade_one(found.source.benchmark, e, a.completion)
        for e, a in zip(found.source.examples, found.answers, strict=True)
    ]
    assert {grade.outcome for grade in grades} & {"correct", "wrong"}
    again = gather(request(tmp_path / "served.jsonl", str(WEIGHTS / "lab"), bench, base_url=served))
    assert again.asked.answered == 0 and again.answers == found.answers
