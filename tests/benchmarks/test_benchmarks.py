"""What holds for every benchmark: gold is graded correct, every other option wrong, no cluster lies in two splits."""

import os
from dataclasses import replace

import pytest

from fairreason import benchmarks
from fairreason.benchmarks.base import (
    answer_text,
    by_split,
    choice_text,
    everything,
    folder_name,
    gold_hash,
    prompt_text,
)
from fairreason.benchmarks.bbq import CATEGORIES
from fairreason.benchmarks.bias import right_option
from fairreason.draws import LETTERS, SPLIT_SHARES, shown_order, split_of
from fairreason.errors import DataError, UsageError
from fairreason.records import Completion, Example
from fairreason.world.words import HELD_OUT

LAB = ("lab-bias", "lab-bias-vl", "lab-math", "lab-chart")
PUBLIC = ("bbq", "gsm8k", "math500", "aime2024")
VIEWS = ("bbq-open", "bbq-aligned", "vlbiasbench-authors")
"""Second views: they hold the questions of another benchmark, asked otherwise."""
CODE = ("humaneval", "mbpp")
"""Graded by running programs: test_code_benchmarks.py."""
PICTURES = ("vlbiasbench", "mathverse", "mathverse-text-only", "mathverse-site", "geometry3k", "geometry3k-free")
"""Not in the data folder, or in part: test_vlbiasbench.py, test_mathverse.py, test_geometry3k.py."""
SOURCES = ("bbq-traces", "mixture-of-thoughts", "llava-cot")
"""For training, not in the data folder: test_bbq_traces.py, test_mixture_of_thoughts.py, test_llava_cot.py."""
EVERY = [*LAB, *(pytest.param(name, marks=pytest.mark.data) for name in (*PUBLIC, "bbq-open", "bbq-aligned"))]


def test_there_is_a_parameter_for_every_benchmark():
    assert set(benchmarks.BENCHMARKS) == {*LAB, *PUBLIC, *VIEWS, *CODE, *PICTURES, *SOURCES}
    assert {name for name, one in benchmarks.BENCHMARKS.items() if one.beside} == set(VIEWS)
    assert all(name == one.name for name, one in {**benchmarks.BENCHMARKS, **benchmarks.PARTS}.items())


@pytest.mark.parametrize("name", EVERY)
def test_replies_end_as_they_should(name):
    benchmark = benchmarks.get(name)
    for split in benchmark.splits:
        for example in benchmark.load(split, None)[::11]:
            order = shown_order(example)
            thought = rf"<think>\boxed{{{LETTERS[order.index((example.answer + 1) % 3)]}}}</think>" if order else ""
            gold = answer_text(example)
            replies = [gold, f"{thought}\n\n{gold}", gold.replace(r"\boxed{", "Answer: ")[:-1]]
            for text in replies:
                assert benchmark.grade(example, Completion(text)).outcome == "correct"
            for choice, option in enumerate(example.options):
                letter = LETTERS[order.index(choice)]
                for text in (choice_text(example, choice), option, rf"\boxed{{{option}}}", f"({letter})", f"{letter}."):
                    grade = benchmark.grade(example, Completion(text))
                    assert grade.choice == choice
                    assert grade.outcome == ("correct" if choice == example.answer else "wrong")
            assert benchmark.grade(example, Completion("")).outcome == "unparsed"
            assert benchmark.grade(example, Completion(f"<think>{gold}")).outcome == "unparsed"
            assert benchmark.grade(example, Completion(gold, "length")).outcome == "truncated"
            assert benchmark.grade(example, Completion(gold, "error")).outcome == "error"


@pytest.mark.parametrize("name", EVERY)
def test_no_cluster_and_no_bundle_lies_in_two_splits(name):
    benchmark = benchmarks.get(name)
    rows = by_split(benchmark, None)
    for unit in ("cluster", "bundle", "id"):
        units = [{getattr(row, unit) for row in rows[split]} for split in benchmark.splits]
        assert len(set.union(*units)) == sum(map(len, units))
    assert {row.source for split in benchmark.splits for row in rows[split]} == {name}
    if benchmark.published:
        assert sum(map(len, rows.values())) == benchmark.published


@pytest.mark.parametrize("name", EVERY)
def test_everything_is_every_split_once(name):
    benchmark = benchmarks.get(name)
    parts = [benchmark.load(split, None) for split in benchmark.splits]
    assert everything(benchmark, None) == [row for part in parts for row in part]
    for split, part in zip(benchmark.splits, parts, strict=True):
        assert everything(benchmark, None, split) == part
    if benchmark.splits == ("test",):  # not split: all of it, whatever is asked for
        assert everything(benchmark, None, "dev") == parts[0]


@pytest.mark.parametrize("name", EVERY)
def test_every_question_has_what_its_axis_needs(name):
    benchmark = benchmarks.get(name)
    for example in benchmark.load("dev", None):
        assert example.axis == benchmark.axis and example.bundle
        assert prompt_text(example).endswith(benchmark.instruction)
        if example.axis == "bias":
            assert {"category", "condition", "target", "unknown"} <= example.metadata.keys()
            unknown = right_option(example) == example.metadata["unknown"]
            assert unknown == (example.metadata["condition"] == "ambig")
        else:
            assert example.solution and not example.options


def test_the_lab_keeps_one_category_for_the_test_split():
    for split in ("train", "dev"):
        assert HELD_OUT not in {row.metadata["category"] for row in benchmarks.get("lab-bias").load(split, None)}
    for name, least in (("lab-bias", 1000), ("lab-bias-vl", 1000), ("lab-math", 2000), ("lab-chart", 2000)):
        assert len(benchmarks.get(name).load("train", None)) >= least


def test_splits_have_their_shares():
    drawn = [split_of(f"cluster {i}") for i in range(20_000)]
    for split, share in SPLIT_SHARES.items():
        assert abs(drawn.count(split) / len(drawn) - share) < 0.01


def test_the_shown_order_is_drawn_from_the_id_alone_and_evenly():
    rows = [Example(f"q{i}", "s", "bias", "c", "?", 0, ("x", "y", "z")) for i in range(3000)]
    places = [shown_order(row).index(0) for row in rows]
    assert all(sorted(shown_order(row)) == [0, 1, 2] for row in rows)
    assert all(abs(places.count(place) - 1000) < 100 for place in range(3))  # 3.9 standard deviations
    assert prompt_text(rows[0]).splitlines()[1:] == [
        f"{letter}. {'xyz'[index]}" for letter, index in zip("ABC", shown_order(rows[0]), strict=True)
    ]


def test_names_that_do_not_exist():
    with pytest.raises(UsageError, match=r"lab-mat.*Did you mean lab-math"):
        benchmarks.get("lab-mat")
    with pytest.raises(UsageError, match="Did you mean bbq/Age"):
        benchmarks.get("bbq/age")


@pytest.mark.parametrize("name", [*PUBLIC, *CODE])
def test_absent_data_names_the_folder_and_the_file(name, tmp_path, monkeypatch):
    with pytest.raises(DataError, match=f"{name}: no data. Looked for {tmp_path}/{name}/"):
        benchmarks.get(name).load("test", tmp_path)
    monkeypatch.delenv("FAIRREASON_DATA", raising=False)
    with pytest.raises(DataError, match="pass --data DIR or set FAIRREASON_DATA"):
        benchmarks.get(name).load("test", None)


def test_folders_of_an_evaluation_are_flat_and_differ():
    names = ["bbq", *(f"bbq/{category}" for category in CATEGORIES), "items:../a.jsonl", "items:/../a.jsonl"]
    folders = {folder_name(name) for name in names}
    assert len(folders) == len(names) and not any(os.sep in folder or folder.startswith(".") for folder in folders)


def test_a_generic_benchmark_without_its_file_says_what_to_write():
    with pytest.raises(UsageError, match=r"short-answer: asks a file of your own; write short-answer:FILE"):
        benchmarks.get("short-answer")


def test_a_hash_of_what_grades_an_answer():
    """The right answer, the options and what else a grade hangs on; not what only the scores are grouped by."""
    row = Example("i", "s", "bias", "c", "?", 1, ("x", "y"), metadata={"target": 0, "tests": "assert f(1)"})
    others = [
        replace(row, answer=0),
        replace(row, answer="1"),
        replace(row, options=("y", "x")),
        replace(row, metadata={**row.metadata, "tests": "assert f(2)"}),
    ]
    assert len({gold_hash(one) for one in (row, *others)}) == 5
    assert gold_hash(replace(row, metadata={**row.metadata, "target": None, "category": "Pet"})) == gold_hash(row)
