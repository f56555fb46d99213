"""To the hub and back: the real client, a process of its own, a hub on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hub_server import Hub
from loopback import free_port
from world_traces import questions, told

from fairreason.benchmarks import traced
from fairreason.cli.traces import run_push
from fairreason.errors import DataError, RunError, UsageError
from fairreason.traces import card
from fairreason.traces.push import push

TOKEN = "hf_AbCdEfGhIjKlMnOpQrStUvWxYz"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    asked = questions("lab-bias")[:8]
    traces = [told(row) for row in asked]
    traced.write(tmp_path / "some.jsonl", traces)
    card.write(tmp_path / "some.jsonl", card.Collection(asked, traces, {}, "world"))
    return tmp_path / "some.jsonl"


def pushed(file: Path, repo: str, address: str, how: str = "public", token: str = TOKEN) -> subprocess.CompletedProcess:
    environment = {**os.environ, "HF_ENDPOINT": address, "HF_TOKEN": token, "HF_HOME": str(file.parent / "home")}
    environment |= {"HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "1"}
    command = [sys.executable, "-m", "fairreason.cli", "traces", "push", str(file), "--repo", repo]
    return subprocess.run(
        [*command, *(["--private"] if how == "private" else [])], env=environment, capture_output=True, text=True
    )


def test_file_and_card_arrive_in_one_commit(file):
    hub = Hub(TOKEN)
    with hub.running() as address:
        done = pushed(file, "me/world-traces", address, "private")
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert done.stdout == f"{address}/datasets/me/world-traces/commit/{1:040x}\n"
        assert hub.made == [{"name": "world-traces", "organization": "me", "visibility": "private", "type": "dataset"}]
        assert hub.repositories["me/world-traces"] == {
            "some.jsonl": file.read_bytes(),
            "README.md": file.with_suffix(".md").read_bytes(),
        }
        assert pushed(file, "world-traces", address).returncode == 0  # there already, in the token's own name
        assert len(hub.commits) == 2 and len(hub.repositories) == 1 and "visibility" not in hub.made[1]


@pytest.mark.parametrize(
    ("repo", "token", "said"),
    [
        ("me/world-traces", "hf_anotherToken", "me/world-traces: the hub does not know the token in HF_TOKEN"),
        ("them/world-traces", TOKEN, "them/world-traces: the token in HF_TOKEN may not write there"),
        ("me/world traces", TOKEN, "--repo me/world traces: "),
    ],
)
def test_what_the_hub_refuses_is_one_sentence_without_the_token(file, repo, token, said):
    hub = Hub(TOKEN, forbidden="them")
    with hub.running() as address:
        done = pushed(file, repo, address, token=token)
    assert done.returncode in (1, 2) and done.stderr.startswith(f"Error: {said}"), done.stderr
    assert done.stderr.count("\n") == 1 and token not in done.stderr + done.stdout
    assert not any(hub.repositories.values())


def test_a_hub_that_is_not_there_is_one_sentence(file):
    done = pushed(file, "me/world-traces", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1 and done.stderr.startswith("Error: me/world-traces: not sent, "), done.stderr
    assert done.stderr.count("\n") == 1


def test_a_card_that_the_hub_does_not_take_is_one_sentence(file):
    file.with_suffix(".md").write_text("---\ntags: [a]\n---\n# No licence\n")
    hub = Hub(TOKEN)
    with hub.running() as address:
        done = pushed(file, "me/world-traces", address)
    assert done.returncode == 1 and "Invalid metadata in README.md" in done.stderr and done.stderr.count("\n") == 1


def test_without_a_token_nothing_is_sent(file, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(UsageError, match="HF_TOKEN is not set"):
        push(file, "me/world-traces", private=False)


def test_offline_is_one_sentence(file, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with pytest.raises(RunError, match="me/world-traces: HF_HUB_OFFLINE is set"):
        run_push(file, "me/world-traces", private=False, as_json=False)


def test_a_file_needs_its_card(file, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with pytest.raises(DataError, match=r"gone.jsonl: no such file of traces"):
        push(file.with_name("gone.jsonl"), "me/world-traces", private=False)
    file.with_suffix(".md").unlink()
    with pytest.raises(DataError, match=r"some.md: no card beside some.jsonl"):
        push(file, "me/world-traces", private=False)


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "HF_TOKEN", "Deepseek_api_key"])
@pytest.mark.parametrize("where", ["some.jsonl", "some.md"])
def test_what_holds_a_key_is_not_sent(file, monkeypatch, name, where):
    key = 'sk-"quoted"-0123456789'
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv(name, key)
    if where == "some.md":
        (file.parent / where).write_text(f"# Card\n\n{key}\n")
    else:
        rows = questions("lab-bias")[:3]
        traced.write(file, [told(rows[0]), told(rows[1]), told(rows[2], f"I was called with {key}.")])
    with pytest.raises(DataError, match=rf"{where}:3: holds the value of {name}\. Nothing was sent") as raised:
        push(file, "me/world-traces", private=False)
    assert "0123456789" not in str(raised.value)
