"""AIME 2024: the record as published, its range, and 30 clusters however often a problem is asked."""

import json

import pytest

from fairreason import benchmarks
from fairreason.errors import DataError
from fairreason.records import Completion

AIME = benchmarks.get("aime2024")
FIRST = {"id": 75, "problem": "Eight circles ...", "solution": r"\boxed{073}", "answer": "073", "url": "https://..."}


def load(folder, *rows):
    (folder / "aime2024").mkdir(exist_ok=True)
    (folder / "aime2024" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return AIME.load("test", folder)


def test_a_record_becomes_an_example(tmp_path):
    (example,) = load(tmp_path, FIRST)
    assert (example.id, example.cluster, example.answer) == ("aime2024/75", "aime2024/75", "73")
    for text, outcome in ((r"\boxed{73}", "correct"), (r"\boxed{073}", "correct"), (r"\boxed{730}", "wrong")):
        assert AIME.grade(example, Completion(text)).outcome == outcome
    assert AIME.grade(example, Completion("<think>It is 73")).outcome == "unparsed"


def test_answers_to_one_problem_are_one_cluster(tmp_path):
    examples = [row for row in load(tmp_path, FIRST, {**FIRST, "id": 76}) for _ in range(5)]
    grades = [AIME.grade(row, Completion(r"\boxed{73}")) for row in examples]
    (measure,) = AIME.summarize(examples, grades)
    assert len(measure.values) == 10 and set(measure.clusters) == {"aime2024/75", "aime2024/76"}


@pytest.mark.parametrize(
    "change", [{"answer": "1000"}, {"answer": "-1"}, {"answer": "1.5"}, {"id": "x"}, {"problem": 1}]
)
def test_what_is_no_record(tmp_path, change):
    with pytest.raises(DataError, match=r"test.jsonl:2: "):
        load(tmp_path, FIRST, {**FIRST, **change})


@pytest.mark.data
def test_thirty_problems_with_the_published_numbers():
    rows = AIME.load("test", None)
    assert [row.id for row in rows] == [f"aime2024/{number}" for number in range(60, 90)]
    assert [rows[7].answer, rows[15].answer, rows[29].answer] == ["25", "73", "902"]
