"""Files that a kill leaves whole."""

from __future__ import annotations

import os

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
