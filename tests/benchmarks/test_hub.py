"""Reading from the hub: a server on loopback answers its protocol, and the real client fetches from there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from loopback import QuietHandler, serving

from fairreason.benchmarks import hub
from fairreason.benchmarks.sources import find, find_all
from fairreason.errors import DataError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "HuggingFaceH4/MATH-500": {"test.jsonl": b'{"problem": "1 + 1?"}\n'},
    "open-r1/Mixture-of-Thoughts": {
        "math/train-00000-of-00002.parquet": b"first",
        "math/train-00001-of-00002.parquet": b"second",
        "code/train-00000-of-00001.parquet": b"other",
    },
    "Aaron080108/BBQ_Benchmark_Reasoning_Trace": {},
}


class Hub(QuietHandler):
    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        self.asked.append(f"{self.command} {self.path}")
        content, status = self._content()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{len(content)}-{hash(content)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if status == 404:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.end_headers()
        if body:
            self.wfile.write(content)

    def _content(self) -> tuple[bytes, int]:
        for repository, files in FILES.items():
            if self.path.startswith(f"/api/datasets/{repository}/revision/"):
                return json.dumps({"id": repository, "sha": COMMIT}).encode(), 200
            if self.path.startswith(f"/api/datasets/{repository}/tree/"):
                tree = [{"type": "file", "path": n, "oid": COMMIT, "size": len(c)} for n, c in files.items()]
                return json.dumps(tree).encode(), 200
            for name, content in files.items():
                if self.path.startswith(f"/datasets/{repository}/resolve/") and self.path.endswith(f"/{name}"):
                    return content, 200
        return b"", 404


@pytest.fixture
def endpoint() -> Iterator[str]:
    Hub.asked = []
    with serving(Hub) as address:
        yield address


def ask(code: str, endpoint: str, home: Path, offline: bool = False) -> str:
    """What the code prints, in a process that knows the hub under another address."""
    away = {"FAIRREASON_DATA", "HF_TOKEN", "HF_HUB_CACHE"}
    environment = {key: value for key, value in os.environ.items() if key not in away}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1" if offline else "0"}
    lines = (
        "from fairreason.benchmarks.hub import nothing_fetched",
        "from fairreason.benchmarks.sources import find, find_all",
        "from fairreason.errors import DataError",
        f"try:\n    {code}",
        "except DataError as error:\n    print('DataError:', error)",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


ONE = "print(find('math500', 'test.jsonl', None).path.read_text())"
SEVERAL = "print([s.path.read_text() for s in find_all('mixture-of-thoughts', ['math/train-*.parquet'], None)])"


def test_without_a_folder_a_file_comes_from_the_hub_and_stays(endpoint: str, tmp_path: Path) -> None:
    assert ask(ONE, endpoint, tmp_path) == '{"problem": "1 + 1?"}'
    Hub.asked.clear()
    assert ask(ONE, endpoint, tmp_path, offline=True) == '{"problem": "1 + 1?"}'
    assert Hub.asked == []


def test_all_parts_of_a_pattern_and_no_others(endpoint: str, tmp_path: Path) -> None:
    assert ask(SEVERAL, endpoint, tmp_path) == "['first', 'second']"
    assert not any("code/" in path for path in Hub.asked)
    assert ask(SEVERAL, endpoint, tmp_path, offline=True) == "['first', 'second']"


def test_a_plan_fetches_nothing(endpoint: str, tmp_path: Path) -> None:
    printed = ask(f"with nothing_fetched(): {ONE}", endpoint, tmp_path)
    assert printed.startswith("DataError: math500: no data folder, nor the hub's HuggingFaceH4/MATH-500 (no network")
    assert Hub.asked == []


@pytest.mark.parametrize("code", [ONE, SEVERAL])
def test_with_neither_folder_nor_hub_the_error_names_both_and_the_file(code: str, tmp_path: Path) -> None:
    for offline in (True, False):  # port 9 of this machine: nobody answers
        printed = ask(code, "http://127.0.0.1:9", tmp_path, offline)
        assert printed.startswith("DataError: ") and len(printed.splitlines()) == 1
        assert "pass --data DIR or set FAIRREASON_DATA" in printed
        assert "test.jsonl" in printed or "math/train-*.parquet" in printed


def test_a_file_that_the_hub_does_not_hold(endpoint: str, tmp_path: Path) -> None:
    printed = ask("find_all('bbq-traces', ['*_traces_cleaned.jsonl'], None)", endpoint, tmp_path)
    assert "the hub's Aaron080108/BBQ_Benchmark_Reasoning_Trace (it holds no such file" in printed


def test_what_the_hub_holds_otherwise_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAIRREASON_DATA", raising=False)
    assert hub.holds("gsm8k", "test.jsonl") is None
    with pytest.raises(DataError, match=r"^gsm8k: no data folder\. Put test\.jsonl .* into DIR/gsm8k and pass --data"):
        find("gsm8k", "test.jsonl", None)


def test_a_folder_with_a_part_missing_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "mixture-of-thoughts" / "math"
    folder.mkdir(parents=True)
    patterns = ["math/train-*.parquet", "math/train*.jsonl"]
    with pytest.raises(DataError, match=rf"no data. Looked for {folder}/train-\*\.parquet \(or math/train\*\.jsonl\)"):
        find_all("mixture-of-thoughts", patterns, tmp_path)
    for number in (0, 2):
        (folder / f"train-0000{number}-of-00003.parquet").touch()
    with pytest.raises(DataError, match=rf"1 of 3 parts are missing, {folder}/train-00001-of-00003.parquet first"):
        find_all("mixture-of-thoughts", patterns, tmp_path)
    (folder / "train-00001-of-00003.parquet").touch()
    assert [int(one.path.name[6:11]) for one in find_all("mixture-of-thoughts", patterns, tmp_path)] == [0, 1, 2]
