"""A run's folder after a kill, its reason when it fails, and a collapse that only its evaluation shows."""

from pathlib import Path

import pytest
import torch

from fairreason.errors import UsageError
from fairreason.evaluation.folder import Result
from fairreason.files import sweep
from fairreason.records import Score
from fairreason.study.run import always_unknown, check_own, reason_of


def result(rate, category=None, condition="disambig"):
    return Result([Score("b", "unknown_rate", category, condition, rate, None, None, None, 40, 10)], {})


def test_a_kill_in_the_first_write_leaves_a_folder_that_the_same_command_takes(tmp_path):
    (tmp_path / ".lock").touch()
    (tmp_path / ".recipe.json.41-140.tmp").touch()
    check_own(tmp_path, {"recipe.json"}, "run")
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(UsageError, match=r"holds other files \(thesis.txt"):
        check_own(tmp_path, {"recipe.json"}, "run")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_named_where_torch_writes():
    with pytest.raises(RuntimeError) as caught:
        torch.save({"state": torch.zeros(100_000)}, "/dev/full")
    assert reason_of(caught.value) == "the disk is full"
    assert reason_of(RuntimeError("shapes differ")) != "the disk is full"


@pytest.mark.parametrize(
    ("results", "collapsed"),
    [
        ([result(0.95), result(0.95)], True),
        ([result(1.0), result(0.7)], False),  # the mean over benchmarks, .85
        ([result(0.9)], False),  # .9 is not above .9
        ([result(1.0, condition="ambig"), result(1.0, category="Pet")], False),  # unknown is right there; one category
        ([result(None)], False),
        ([], False),
    ],
)
def test_a_collapse_shows_in_the_evaluation(results, collapsed):
    assert always_unknown(results) is collapsed
