"""Files that a kill leaves whole."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from fairreason import files
from fairreason.errors import DataError, RunError


def test_a_torn_last_line_is_dropped_before_the_next(tmp_path):
    log = tmp_path / "new" / "log.jsonl"
    files.append_lines(log, [{"a": 1}, {"a": "é"}])
    whole = log.read_bytes()
    for cut in range(len('{"a": 1}\n') + 1, len(whole)):
        log.write_bytes(whole[:cut])
        files.append_lines(log, [{"a": 3}])
        assert files.read_jsonl(log) == [{"a": 1}, {"a": 3}], cut


def test_a_long_torn_line_is_found_from_behind(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_bytes(b'{"a": 1}\n' + b"x" * 200_000)
    files.recover_lines(log)
    assert log.read_bytes() == b'{"a": 1}\n'
    log.write_bytes(b"x" * 200_000)
    files.recover_lines(log)
    assert log.read_bytes() == b""


@pytest.mark.parametrize("line", [b"{", b"[1]", b"\xff{}", b"[" * 100_000])
def test_a_broken_line_is_named(tmp_path, line):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n\n' + line + b"\n")
    with pytest.raises(DataError, match=r"rows\.jsonl:3: not "):
        files.read_jsonl(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.jsonl: cannot be read"):
        files.read_jsonl(tmp_path / "none.jsonl")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "state.json"
    files.write_json(path, {"a": 1})
    old = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=r"state\.json: cannot be written \(No space left on device\)"):
        files.write_json(path, {"a": 2})
    assert path.read_bytes() == old and list(tmp_path.iterdir()) == [path]


def test_nan_is_no_json(tmp_path):
    with pytest.raises(ValueError):
        files.write_json(tmp_path / "x.json", float("nan"))


def test_a_line_of_a_log_is_there_at_once_and_a_torn_one_is_cut_off_first(tmp_path):
    path = tmp_path / "new" / "log.jsonl"
    log = files.LineLog(path, sync_seconds=999)
    log.add({"a": "é\0"})
    assert files.read_jsonl(path) == [{"a": "é\0"}]  # what a kill would leave now
    log.close()
    path.write_bytes(path.read_bytes() + b'{"a": "to')
    log = files.LineLog(path, sync_seconds=0)
    log.add({"a": "x" * 5_000_000})
    log.close()
    assert [len(row["a"]) for row in files.read_jsonl(path)] == [2, 5_000_000]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_log_on_a_full_disk_is_a_sentence(tmp_path):
    (tmp_path / "log.jsonl").symlink_to("/dev/full")
    log = files.LineLog(tmp_path / "log.jsonl", 1)
    with pytest.raises(RunError, match=r"log\.jsonl: cannot be written \(No space left on device\)"):
        log.add({})
    with contextlib.suppress(RunError):
        log.close()
