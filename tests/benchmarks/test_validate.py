"""Validation finds what is wrong: a reader that guesses, one that misses, a split that cuts a cluster, a lost row."""

import dataclasses

import pytest

from fairreason import benchmarks
from fairreason.benchmarks.validate import cases, summary, validate, without_bodies
from fairreason.errors import UsageError
from fairreason.records import Completion, Example, Grade

BIAS, MATH = benchmarks.get("lab-bias"), benchmarks.get("lab-math")


def few(benchmark, count=4, **changes):
    """The benchmark with its first questions alone."""
    return dataclasses.replace(benchmark, load=lambda split, data: benchmark.load(split, data)[:count], **changes)


def test_what_is_sound_passes():
    assert validate(few(BIAS), None) == ("passed", {"train": 4, "dev": 4, "test": 4}, [], 0)
    assert validate(few(MATH), None).status == "passed"


@pytest.mark.data
@pytest.mark.parametrize("name", [*benchmarks.BENCHMARKS])
def test_no_benchmark_fails_on_its_first_questions(name):
    found = validate(few(benchmarks.get(name), 12, published=None), None)
    assert found.status in ("passed", "absent", "not run") and (found.problems == []) == (found.status == "passed")


def test_what_is_not_there_is_absent_and_never_passed(tmp_path):
    found = validate(benchmarks.get("bbq"), tmp_path)
    assert found.status == "absent" and found.splits == {}
    assert str(tmp_path) in found.problems[0]


def test_a_file_that_cannot_be_read_has_failed(tmp_path):
    broken = tmp_path / "math500" / "test.jsonl"
    broken.parent.mkdir()
    broken.write_text("garbage\n")
    found = validate(benchmarks.get("math500"), tmp_path)
    assert found.status == "failed" and found.splits == {} and "test.jsonl:1: not JSON" in found.problems[0]


def test_what_may_not_be_graded_is_not_run_and_what_cannot_be_is_counted():
    def refuse():
        raise UsageError("not without permission")

    found = validate(few(BIAS, needs=refuse), None)
    assert found.status == "not run" and found.problems == ["not without permission"]

    rows = MATH.load("dev", None)[:4]
    open_ = [dataclasses.replace(row, metadata={**row.metadata, "checkable": False}, answer="?") for row in rows[:3]]
    some = dataclasses.replace(MATH, load=lambda split, data: [*open_, *rows[3:]], splits=("test",))
    assert validate(some, None) == ("passed", {"test": 4}, [], 3)


@pytest.mark.parametrize(
    ("grade", "problem"),
    [
        (lambda e, c: Grade("correct", choice=e.answer, rule="lenient"), "'' must be unparsed, is correct (lenient)"),
        (lambda e, c: Grade("wrong", choice=0), "'' must be unparsed, is wrong"),
        (lambda e, c: BIAS.grade(e, Completion(c.text)), "must be truncated, is correct"),
        (lambda e, c: BIAS.grade(e, Completion(c.text.replace("<think>", ""), c.finish_reason)), "must be unparsed"),
        (lambda e, c: 1 / 0, "is error (ZeroDivisionError: division by zero)"),
    ],
)
def test_a_reader_that_misreads_fails(grade, problem):
    found = validate(few(BIAS, grade=grade), None)
    assert found.status == "failed" and any(problem in one for one in found.problems)


def test_splits_ids_and_counts():
    rows = BIAS.load("dev", None)[:8]
    found = validate(dataclasses.replace(BIAS, load=lambda split, data: rows, published=25), None)
    assert f"cluster {rows[0].cluster} lies in train and in dev" in found.problems
    assert f"{rows[0].id} stands twice" in found.problems
    assert "24 questions, but 25 were published" in found.problems
    assert summary(found.problems).endswith(f"; and {len(found.problems) - 3:,} more")


def test_two_options_of_one_text_are_named_by_letter_alone():
    twice = Example("q", "s", "bias", "c", "?", 0, ("Ann", "Ann", "Unknown"))
    replies = [case.completion.text for case in cases(twice)]
    assert "Ann" not in replies and "Unknown" in replies


def test_bodies_are_emptied_methods_too():
    program = "class A:\n    def f(self):\n        return 1\n\nasync def g():\n    return 2\n"
    scope: dict = {}
    exec(without_bodies(program), scope)
    assert scope["A"]().f() is None and "return" not in without_bodies(program)
