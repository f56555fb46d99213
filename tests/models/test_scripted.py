"""Answers known beforehand."""

from __future__ import annotations

import pytest

from fairreason.errors import DataError
from fairreason.models.backends import BACKENDS, Prompt, Sampling


def test_samples_come_in_file_order_and_a_missing_one_is_an_error(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": "a", "response": "one"}\n{"id": "a", "response": "two"}\n{"id": "b", "response": "x"}\n')
    got = dict(BACKENDS["scripted"](str(path)).generate([Prompt("b", "?"), Prompt("a", "?")], Sampling(samples=2)))
    assert [c.text for c in got[1]] == ["one", "two"]
    assert [c.finish_reason for c in got[0]] == ["stop", "error"]


def test_a_row_without_a_response_is_named(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": "b", "response": "x"}\n\n{"id": "a"}\n')
    with pytest.raises(DataError, match=r"answers\.jsonl:3"):
        BACKENDS["scripted"](str(path))
