"""MATH-500: the record as published, its id, its scores; every published solution is read as its answer."""

import json

import pytest

from fairreason import benchmarks
from fairreason.errors import DataError
from fairreason.records import Completion

MATH500 = benchmarks.get("math500")
FIRST = {
    "problem": "Convert the point $(0,3)$ in rectangular coordinates to polar coordinates.",
    "solution": r"We have that $r = 3.$ Therefore $\boxed{\left( 3, \frac{\pi}{2} \right)}.$",
    "answer": r"\left( 3, \frac{\pi}{2} \right)",
    "subject": "Precalculus",
    "level": 2,
    "unique_id": "test/precalculus/807.json",
}
SECOND = {**FIRST, "answer": "9", "subject": "Number Theory", "level": 4, "unique_id": "test/number_theory/572.json"}


def load(folder, *rows):
    (folder / "math500").mkdir(exist_ok=True)
    (folder / "math500" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return MATH500.load("test", folder)


def test_a_record_becomes_an_example(tmp_path):
    (example,) = load(tmp_path, FIRST)
    assert example.id == example.cluster == "math500/test/precalculus/807"
    assert (example.metadata["category"], example.metadata["level"]) == ("Precalculus", 2)
    assert MATH500.grade(example, Completion(r"So it is \boxed{(3, \pi/2)}")).outcome == "correct"
    assert MATH500.grade(example, Completion(r"So it is \boxed{(3, \pi)}")).outcome == "wrong"
    assert MATH500.grade(example, Completion("So it is three.")).outcome == "unparsed"


def test_accuracy_stands_by_subject_and_by_level(tmp_path):
    examples = load(tmp_path, FIRST, SECOND)
    grades = [MATH500.grade(example, Completion(r"\boxed{9}")) for example in examples]
    found = {m.category: m.values.sum() / m.weights.sum() for m in MATH500.summarize(examples, grades)}
    assert found == {None: 0.5, "Number Theory": 1, "Precalculus": 0, "level 2": 0, "level 4": 1}


@pytest.mark.parametrize("change", [{"answer": ""}, {"level": "2"}, {"unique_id": None}, {"problem": 5}])
def test_what_is_no_record(tmp_path, change):
    with pytest.raises(DataError, match=r"test.jsonl:2: needs problem"):
        load(tmp_path, FIRST, {**FIRST, **change})


@pytest.mark.data
def test_every_published_solution_is_read_as_its_answer():
    rows = MATH500.load("test", None)
    assert len(rows) == 500 and len({row.metadata["category"] for row in rows}) == 7
    failed = [row.id for row in rows if MATH500.grade(row, Completion(row.solution)).outcome != "correct"]
    assert failed == []
