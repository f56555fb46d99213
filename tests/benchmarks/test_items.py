"""A user's own questions: what they may hold, what is refused and where it says so."""

import json
from pathlib import Path

import pytest
from PIL import Image

from fairreason import benchmarks
from fairreason.benchmarks.base import prompt_text
from fairreason.benchmarks.items import named
from fairreason.data.mixture import build
from fairreason.draws import SPLITS
from fairreason.errors import DataError, UsageError
from fairreason.evaluation.statistics import estimate
from fairreason.recipe import Recipe
from fairreason.records import Completion

ROW = {
    "id": "q1", "prompt": "Who was late?", "options": ["Ann", "Bob", "Not known"], "answer": 2, "axis": "bias",
    "category": "Team", "condition": "ambig", "cluster": "story 1", "target": 0, "unknown": 2,
}  # fmt: skip


@pytest.fixture
def items(tmp_path):
    def write(*rows):
        path = tmp_path / "own.jsonl"
        path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
        return benchmarks.get(f"items:{path}")

    return write


def test_options_with_target_and_unknown_have_every_bias_score(items):
    rows = [{**ROW, "id": f"q{i}", "condition": c, "answer": a, "cluster": f"story {i}"}
            for i, (c, a) in enumerate([("ambig", 2), ("disambig", 0)] * 30)]  # fmt: skip
    benchmark = items(*rows)
    assert (benchmark.axis, benchmark.published, benchmark.splits) == ("bias", 60, SPLITS)
    assert benchmark.chance == pytest.approx(1 / 3)
    found = {split: benchmark.load(split, None) for split in SPLITS}
    assert sum(map(len, found.values())) == 60 and all(found.values())
    examples = found["train"]
    grades = [benchmark.grade(e, Completion("Ann")) for e in examples]
    scores = {(m.metric, m.condition): estimate(m).value for m in benchmark.summarize(examples, grades)}
    assert scores["s_amb", "ambig"] == 1 and scores["accuracy", "disambig"] == 1 and scores["fairness", None] == 0


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"id": "a", "prompt": "caf\\ud800?", "answer": "1"}', r"own.jsonl:1: half a surrogate pair"),
        ({**ROW, "images": ["a\0b.png"]}, r"no picture 'a\\x00b.png'"),
    ],
)
def test_what_no_file_can_hold_is_refused_with_its_line(items, row, message):
    with pytest.raises(DataError, match=message):
        items(row).load("test", None)
    items('{"id": "a", "prompt": "smile \\ud83d\\ude00", "answer": "1"}').load("test", None)


def test_short_answers_and_what_is_asked_of_the_model(items):
    benchmark = items({"id": 7, "prompt": "17 + 25?", "answer": 42, "solution": "17+25=42."})
    (example,) = benchmark.load("test", None)
    assert (example.id, example.answer, example.solution, benchmark.axis) == ("7", "42", "17+25=42.", "reasoning")
    assert prompt_text(example) == "17 + 25?\nGive the final answer in \\boxed{}."
    assert benchmark.grade(example, Completion(r"\boxed{42}")).outcome == "correct"


def test_without_clusters_all_of_it_is_asked_and_it_cannot_also_be_trained_on(items):
    rows = [{"id": str(i), "prompt": f"{i}+1?", "answer": str(i + 1)} for i in range(10)]
    benchmark = items(*rows)
    assert benchmark.splits == ("test",) and [len(benchmark.load(split, None)) for split in SPLITS] == [10, 10, 10]
    mixture = {"size": 4, "bias_share": 0, "reasoning": {benchmark.name: 1}}
    recipe = {"mixture": mixture, "strategy": {"type": "sft", "batch": 2}, "evaluation": {"benchmarks": ["lab-math"]}}
    assert len(build(Recipe.parse(recipe)).rows()) == 4
    with pytest.raises(UsageError, match="trained on and evaluated"):
        build(Recipe.parse({**recipe, "evaluation": {"benchmarks": [benchmark.name]}}))


def test_pictures_lie_in_the_files_folder_or_below(items, tmp_path):
    (tmp_path / "seen").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "seen" / "a.png")
    (example,) = items({**ROW, "images": ["seen/a.png"]}).load("train", None) or items(
        {**ROW, "cluster": None, "images": ["seen/a.png"]}
    ).load("train", None)
    assert example.images == (str((tmp_path / "seen" / "a.png").resolve()),)
    outside = tmp_path.parent / "outside.png"
    Image.new("RGB", (4, 4)).save(outside)
    (tmp_path / "link.png").symlink_to(outside)
    for reference in ("../outside.png", str(outside), "link.png"):
        with pytest.raises(DataError, match=r"own.jsonl:1: .*outside the file's folder"):
            items({**ROW, "images": [reference]})
    with pytest.raises(DataError, match=r"own.jsonl:1: no picture gone.png"):
        items({**ROW, "images": ["gone.png"]})
    (tmp_path / "loop.png").symlink_to("loop.png")
    for name in ("loop.png", "x" * 5000):
        with pytest.raises(DataError, match=rf"own.jsonl:1: no picture {name[:100]}$"):
            items({**ROW, "images": [name]})


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ('{"id": ', "not JSON"),
        ("[1]", "not a JSON object"),
        ({"id": "q2", "prompt": "?"}, "needs answer"),
        ({**ROW, "id": ""}, "needs id"),
        (ROW, "the id q1 stands twice"),
        ({**ROW, "id": "q2", "cluter": "x"}, "unknown key cluter. Did you mean cluster"),
        ({**ROW, "id": "q2", "answer": 3}, "answer must be an index from 0 to 2, got 3"),
        ({**ROW, "id": "q2", "answer": "Ann"}, "answer must be an index"),
        ({**ROW, "id": "q2", "target": 5}, "target must be an index"),
        ({**ROW, "id": "q2", "options": ["Ann"]}, "options must be 2 to 26"),
        ({**ROW, "id": "q2", "options": "Ann"}, "options must be a list of texts"),
        ({**ROW, "id": "q2", "condition": "vague"}, "condition must be one of ambig"),
        ({**ROW, "id": "q2", "prompt": 3}, "prompt must be a text"),
        ({**ROW, "id": "q2", "images": "a.png"}, "images must be a list of paths"),
        ({**ROW, "id": "q2", "images": [3]}, "images must be a list of paths"),
        (
            {"id": "q2", "prompt": "1+1?", "answer": "2", "axis": "reasoning"},
            "axis reasoning, but the rows before are bias",
        ),
        ({"id": "q2", "prompt": "1+1?", "answer": [2], "axis": "bias"}, "answer must be a text"),
    ],
)
def test_a_broken_line_names_file_and_line(items, second, said):
    with pytest.raises(DataError, match=rf"own\.jsonl:2: {said}"):
        items(ROW, second)


def test_files_without_questions(items, tmp_path):
    with pytest.raises(DataError, match=r"own.jsonl: no questions"):
        items()
    with pytest.raises(DataError, match=r"gone.jsonl: cannot be read"):
        benchmarks.get(f"items:{tmp_path}/gone.jsonl")


SHORT = {"id": "q2", "prompt": "17 + 25?", "answer": "42", "axis": "bias"}


def test_one_kind_of_question_can_be_demanded(items, tmp_path):
    path = items(ROW).name.removeprefix("items:")
    choice = benchmarks.get(f"multiple-choice:{path}")
    assert [row.source for split in SPLITS for row in choice.load(split, None)] == [f"multiple-choice:{path}"]
    with pytest.raises(DataError, match=r"own\.jsonl:1: has options, so it is no row of short-answer\. Ask it with"):
        benchmarks.get(f"short-answer:{path}")
    items(SHORT, ROW)
    with pytest.raises(DataError, match=r"own\.jsonl:1: has no options, so it is no row of multiple-choice"):
        benchmarks.get(f"multiple-choice:{path}")
    with pytest.raises(DataError, match=r"own\.jsonl:2: has options"):
        benchmarks.get(f"short-answer:{path}")
    items(SHORT)
    assert benchmarks.get(f"short-answer:{path}").load("test", None)[0].answer == "42"


def test_the_option_items_and_its_two_benchmarks_belong_together():
    assert named(["bbq", "multiple-choice"], Path("a.jsonl")) == ["bbq", "multiple-choice:a.jsonl"]
    assert named(["bbq"], None) == ["bbq"]
    with pytest.raises(UsageError, match=r"--items a.jsonl: goes with the benchmark multiple-choice or short-answer"):
        named(["bbq"], Path("a.jsonl"))
    with pytest.raises(UsageError, match=r"short-answer: asks a file of your own; name it with --items FILE"):
        named(["short-answer"], None)
