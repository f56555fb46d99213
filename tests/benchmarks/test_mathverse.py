"""MathVerse: the text-only set and the site's sample whole; the full testmini on records in its published format."""

import json

import pytest
from PIL import Image

from fairreason import benchmarks
from fairreason.benchmarks.base import answer_text, prompt_text
from fairreason.benchmarks.mathverse import VERSIONS
from fairreason.benchmarks.mathverse_answers import choices_of, clean_gold, gold_letters
from fairreason.benchmarks.validate import validate
from fairreason.errors import DataError
from fairreason.evaluation.folder import scores_of
from fairreason.evaluation.statistics import estimate
from fairreason.grading.maths import compare
from fairreason.pictures import open_image
from fairreason.records import Completion, Grade

STEM = "In the triangle ABC, D is on AB. How large is the angle CED?"
CHOICES = "Choices:\nA:40°\nB:60°\nC:120°\nD:140°"


def record(index, problem, version, **changes):
    """A record with all fields of the published testmini.json (its output template names them)."""
    question = "" if version == "Vision Only" else f"{STEM}\n{CHOICES}"
    folder = {"Vision Dominant": 5, "Vision Only": 6}.get(version, "1-4")
    return {
        "sample_index": str(index),
        "problem_index": str(problem),
        "problem_version": version,
        "question": question,
        "image": f"images_version_{folder}/image_{problem}.png",
        "answer": "D",
        "question_type": "multi-choice",
        "metadata": {"split": "testmini", "source": "GeoQA", "subject": "Plane Geometry", "subfield": "Angle"},
        "query_wo": "",
        "query_cot": "",
        **changes,
    }


def solid(**changes):
    meta = {"split": "testmini", "source": "Geo3D_collected", "subject": "Solid Geometry", "subfield": "Length"}
    free = {"question": "Find L.", "answer": "Volume $=14 \\mathrm{~cm}^{3}$", "question_type": "free-form"}
    return {"metadata": meta, **free, **changes}


@pytest.fixture
def write(tmp_path):
    def put(rows, name="testmini.json", images=True):
        folder = tmp_path / "mathverse"
        (folder / "images").mkdir(parents=True, exist_ok=True)
        for row in rows if images else ():
            path = folder / "images" / row["image"]
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (20, 20), "white").save(path)
        (folder / name).write_text(json.dumps(rows))
        return tmp_path

    return put


@pytest.fixture
def testmini(write):
    rows = [
        record(5 * p + v + 1, p + 1, version, **(solid() if p == 1 else {}))
        for p in range(2)
        for v, version in enumerate(VERSIONS)
    ]
    return write(rows)


def test_the_output_says_that_no_judge_was_asked():
    assert "by rule" in benchmarks.get("mathverse").remarks([])[0]


def test_five_versions_of_a_problem_are_one_cluster(testmini):
    benchmark = benchmarks.get("mathverse")
    rows = benchmark.load("test", testmini)
    assert [row.id for row in rows] == [f"mathverse/{i}" for i in range(1, 11)]
    assert {row.cluster for row in rows} == {"mathverse/1", "mathverse/2"}
    assert (benchmark.published, benchmark.splits, benchmark.trains) == (3940, ("test",), False)
    assert all(open_image(row.images[0]).size == (20, 20) for row in rows)
    only = benchmarks.get("mathverse/vision-only")
    assert [row.id for row in only.load("test", testmini)] == ["mathverse/5", "mathverse/10"] and only.published == 788


def test_choices_keep_the_questions_own_letters(testmini):
    row = benchmarks.get("mathverse").load("test", testmini)[0]
    assert prompt_text(row) == f"{STEM}\n{CHOICES}\nGive the letter of the right choice in \\boxed{{}}."
    assert (row.options, row.answer) == ((), "D")


def test_a_question_that_stands_in_the_picture_is_graded_by_its_problems_choices(testmini):
    benchmark = benchmarks.get("mathverse/vision-only")
    row = benchmark.load("test", testmini)[0]
    assert prompt_text(row).startswith("Solve the problem in the picture.\n")
    for reply, outcome in (
        ("\\boxed{D}", "correct"),
        ("140°", "correct"),
        ("The answer is (A).", "wrong"),
        ("A triangle.", "unparsed"),
    ):
        assert benchmark.grade(row, Completion(reply)).outcome == outcome
    assert benchmark.grade(row, Completion("\\boxed{D}", "length")).outcome == "truncated"


@pytest.mark.parametrize(
    ("reply", "outcome", "answer"),
    [
        ("<think>A</think>The answer is D.", "correct", "D"),
        ("D:140°", "correct", "D"),
        ("\\boxed{140°}", "correct", "D"),
        ("\\boxed{A}", "wrong", "A"),
        ("120°", "wrong", "C"),
        ("\\boxed{E}", "unparsed", None),
        ("", "unparsed", None),
        ("A: 140°", "unparsed", None),
        ("\\boxed{A} or \\boxed{D}", "unparsed", None),
        ("<think>D", "unparsed", None),
    ],
)
def test_letter_and_text_must_agree(testmini, reply, outcome, answer):
    benchmark = benchmarks.get("mathverse")
    grade = benchmark.grade(benchmark.load("test", testmini)[0], Completion(reply))
    assert (grade.outcome, grade.answer) == (outcome, answer)


def test_where_two_choices_are_right_both_are_wanted(write):
    data = write([record(1, 1, "Text Lite", answer="C\nD")])
    benchmark = benchmarks.get("mathverse")
    row = benchmark.load("test", data)[0]
    assert answer_text(row) == "\\boxed{C, D}"
    replies = {
        "\\boxed{C, D}": "correct",
        "\\boxed{D} and \\boxed{C}": "correct",
        "\\boxed{CD}": "correct",
        "(C) and (D)": "correct",
        "\\boxed{C}": "wrong",
        "\\boxed{A, C}": "wrong",
        "\\boxed{C, E}": "unparsed",
    }
    assert {reply: benchmark.grade(row, Completion(reply)).outcome for reply in replies} == replies


def test_accuracy_overall_by_version_and_by_subject(testmini):
    benchmark = benchmarks.get("mathverse")
    rows = benchmark.load("test", testmini)
    right = [row.cluster == "mathverse/1" and row.metadata["category"] != "Vision Only" for row in rows]
    measures = benchmark.summarize(rows, [Grade("correct" if ok else "wrong") for ok in right])
    found = {m.category: estimate(m) for m in measures}
    assert {m.metric for m in measures} == {"accuracy"} and (found[None].value, found[None].clusters) == (0.4, 2)
    assert found["Text Lite"].value == 0.5 and found["Vision Only"].value == 0
    assert found["Plane Geometry"].value == 0.8 and found["Solid Geometry"].value == 0


@pytest.mark.parametrize(
    ("published", "clean"),
    [
        ("Volume $=904.78 \\mathrm{~cm}^{3}$", "904.78 \\mathrm{~cm}^{3}"),
        ("118掳T", "118°T"),
        ("24 units", "24"),
        ("56.55 units $^{3}$", "56.55"),
        ("Surface Area $=603.186$ units $^{2}$", "603.186"),
        ("-4.9\n-4.9", "-4.9"),
        ("Volume $=452.389$ cubic units", "452.389"),
        ("$=(4,0)$", "(4,0)"),
        ("Center $=(20,10)$", "(20,10)"),
        ("\\frac{1225\\pi }{2} \\text { units }^2", "\\frac{1225\\pi }{2}"),
        ("216.\\mathrm{cm}^2", "216\\mathrm{cm}^2"),
        ("slope =-4", "-4"),
        ("y=-2 x+5", "y=-2 x+5"),
        ("$r=24.4$", "$r=24.4$"),
        ("$y_2=(x+2)^3=y_1(x+2)$", "$y_2=(x+2)^3=y_1(x+2)$"),
        ("Weekly water intake $=15.5$ Litres", "15.5"),
        ("Bugs Bunny", "Bugs Bunny"),
        ("N 34° W", "N 34° W"),
    ],
)
def test_golds_lose_what_no_reply_repeats_and_nothing_else(published, clean):
    assert clean_gold(published) == clean


def test_choices_are_found_in_each_of_the_published_ways():
    assert choices_of("Which?\nChoices:\nA.$x \\geq 0$\nB.$x>0$") == {"A": "$x \\geq 0$", "B": "$x>0$"}
    assert choices_of("True or false?\nChoice:\nA. True\nB. False") == {"A": "True", "B": "False"}
    assert choices_of("Which?\nChoices:\nA:26°\nB:\nC:64°\n102") == {"A": "26°", "C": "64°"}
    assert choices_of("Find A: the angle.") == {}
    with pytest.raises(DataError, match=r"here: the answer 'maybe' names none of the choices \(A, B\)"):
        gold_letters("maybe", {"A": "True", "B": "False"}, "here")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": "../../secret.png"}, "lies outside the data set's folder"),
        ({"image": ""}, "names no picture"),
        ({"image": "a\0.png"}, "names no picture"),
        ({"question_type": "essay"}, "not a record of MathVerse"),
        ({"problem_version": "Text"}, "problem_version one of the six"),
        ({"answer": 4}, "must be texts"),
        ({"answer": "Z"}, "names none of the choices"),
        ({"metadata": None}, "not a record of MathVerse"),
        ({"sample_index": "1"}, "sample_index 1 stands twice"),
    ],
)
def test_a_broken_record_is_named_with_its_place(write, changes, message):
    data = write([record(1, 1, "Text Lite"), {**record(2, 1, "Vision Only"), **changes}], images=False)
    with pytest.raises(DataError, match=rf"testmini.json, record 1: .*{message}"):
        benchmarks.get("mathverse").load("test", data)


def test_what_is_missing_is_named(tmp_path, write):
    with pytest.raises(DataError, match=r"mathverse/testmini.json"):
        benchmarks.get("mathverse").load("test", tmp_path)
    data = write([record(1, 1, "Text Lite")], images=False)
    (data / "mathverse/images").rmdir()
    with pytest.raises(DataError, match=r"no pictures in .*mathverse; put images/ or images.zip"):
        benchmarks.get("mathverse").load("test", data)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "questions", "problems"), [("mathverse-text-only", 788, 788), ("mathverse-site", 726, 121)]
)
def test_gold_is_correct_on_the_real_files_and_other_choices_are_wrong(data_folder, name, questions, problems):
    benchmark = benchmarks.get(name)
    assert validate(benchmark, data_folder) == ("passed", {"test": questions}, [], 0)
    rows = benchmark.load("test", data_folder)
    assert (len(rows), len({row.cluster for row in rows}), benchmark.published) == (questions, problems, questions)
    for row in rows:
        grade = benchmark.grade(row, Completion(f"<think>\\boxed{{0}}</think>{answer_text(row)}"))
        assert grade.outcome == "correct", (row.id, row.answer, grade)
        assert benchmark.grade(row, Completion("")).outcome == "unparsed"
        choices = row.metadata["choices"] or {}
        for letter, text in choices.items() if "," not in str(row.answer) else ():
            written = [f"\\boxed{{{letter}}}", f"The answer is {letter}."]
            written += [text] if list(choices.values()).count(text) == 1 else []
            for reply in written:
                grade = benchmark.grade(row, Completion(reply))
                assert (grade.answer, grade.outcome == "correct") == (letter, letter == row.answer), (row.id, reply)


@pytest.mark.data
def test_plain_values_match_golds_that_say_more(data_folder):
    """What stands in the published gold beside the value (what it is, its unit) is not wanted of a reply."""
    benchmark = benchmarks.get("mathverse-text-only")
    rows = {row.metadata["published_answer"]: row for row in benchmark.load("test", data_folder)}
    for published, reply in {
        "Area $=113.1 \\mathrm{~cm}^{2}$": "113.1",
        "Circumference $=50.27 \\mathrm{~cm}$": "50.27",
        "35掳": "35",
        "Area $=113.097$ units $^{2}$": "113.097",
        "Slope $=\\frac{1}{5}$": "0.2",
        "Surface Area $=9.86 \\mathrm{~m}^{2}$": "9.86\\text{ m}^2",
        "Bugs Bunny": "bugs bunny",
    }.items():
        assert benchmark.grade(rows[published], Completion(f"\\boxed{{{reply}}}")).outcome == "correct", published


@pytest.mark.data
def test_the_sites_versions_line_up_by_problem(data_folder):
    """The n-th question of every version is the n-th problem: all but one have one answer (that one was corrected), and
    three are written as a letter in one place and as a text in another."""
    problems: dict[str, list] = {}
    for row in benchmarks.get("mathverse-site").load("test", data_folder):
        problems.setdefault(row.cluster, []).append(row)
    assert all(len(rows) == 6 for rows in problems.values())
    unlike = [c for c, rows in problems.items() if not all(compare(rows[0].answer, row.answer).equal for row in rows)]
    assert sorted(unlike) == [f"mathverse-site/{n}" for n in (2, 79, 80, 9)]


@pytest.mark.data
def test_the_sites_pictures_open_where_they_are_and_are_missed_where_not(data_folder):
    rows = [row for row in benchmarks.get("mathverse-site").load("test", data_folder) if row.images]
    opened = 0
    for row in rows:
        try:
            opened += min(open_image(row.images[0]).size) > 100
        except DataError as error:
            assert "No such file" in str(error)
    assert (len(rows), opened) == (605, 14)
    assert scores_of(benchmarks.get("mathverse-site"), rows, [Grade("wrong")] * len(rows))[0].n == 605
