"""HumanEval and MBPP: records as published, every canonical solution passes, an empty body fails, asked permission."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

import fairreason
from fairreason import benchmarks
from fairreason.benchmarks.base import answer_text, prompt_text
from fairreason.draws import unit_hash
from fairreason.errors import DataError, UsageError
from fairreason.grading import sandbox
from fairreason.recipe import Recipe
from fairreason.records import Completion

HUMANEVAL, MBPP = benchmarks.get("humaneval"), benchmarks.get("mbpp")
ADD = {
    "task_id": "HumanEval/7",
    "prompt": 'import math\n\n\ndef add(a, b):\n    """Their sum."""\n',
    "entry_point": "add",
    "canonical_solution": "    return a + b\n",
    "test": "\n\ndef check(candidate):\n    assert candidate(1, 2) == 3\n",
}
TREE = {
    "task_id": 367,
    "text": "Write a function that counts a list's nodes.",
    "code": "class Node:\r\n    def __init__(s, n): s.n = n\r\ndef count(top): return 1 + count(top.n) if top else 0",
    "test_setup_code": "top = Node(Node(None))",
    "test_list": ["assert count(top) == 2", "assert count(Node(None)) == 1"],
    "challenge_test_list": [],
}
RENAMED = {"task_id": 12, "prompt": "Add.", "code": "def add(a, b): return a + b", "test": ["assert add(1, 2) == 3"]}


@pytest.fixture
def permission(monkeypatch):
    monkeypatch.setenv(sandbox.ALLOWED, "1")


def load(benchmark, folder, *rows):
    path = folder / benchmark.name / benchmark.files[0]
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return benchmark.load("test", folder)


def emptied(example) -> str:
    """The reply whose function does nothing."""
    return f"```python\ndef {example.metadata['entry_point']}(*values):\n    pass\n```"


@pytest.mark.bwrap
def test_a_record_of_humaneval(tmp_path, permission):
    (example,) = load(HUMANEVAL, tmp_path, ADD)
    assert (example.id, example.answer) == ("humaneval/7", ADD["prompt"] + "    return a + b\n")
    assert '```python\nimport math\n\n\ndef add(a, b):\n    """Their sum."""\n```' in prompt_text(example)
    for reply in (
        answer_text(example),
        "    return a + b",
        "```python\ndef add(a, b):\n    return math.fsum([a, b])\n```",
    ):
        assert HUMANEVAL.grade(example, Completion(reply)).outcome == "correct"
    assert HUMANEVAL.grade(example, Completion(emptied(example))).outcome == "wrong"


@pytest.mark.bwrap
def test_records_of_mbpp_as_published_and_renamed(tmp_path, permission):
    tree, add = load(MBPP, tmp_path, TREE, RENAMED)
    assert (tree.id, tree.metadata["entry_point"], add.metadata["entry_point"]) == ("mbpp/367", "count", "add")
    assert "assert count(top) == 2\nassert count(Node(None)) == 1\n" in prompt_text(tree) and "\r" not in tree.answer
    for example in (tree, add):
        assert MBPP.grade(example, Completion(answer_text(example))).outcome == "correct"
        assert MBPP.grade(example, Completion(emptied(example))).outcome == "wrong"
        assert "incomplete" not in example.metadata


@pytest.mark.bwrap
def test_a_copy_of_mbpp_that_lost_its_setup_says_so(tmp_path, permission):
    (example,) = load(MBPP, tmp_path, {**TREE, "test_setup_code": "", "test_list": ["assert count(tip) == 2"]})
    assert example.metadata["incomplete"] == "tip"
    assert (
        MBPP.grade(example, Completion(answer_text(example))).rule
        == "block: raised NameError: name 'tip' is not defined"
    )


@pytest.mark.parametrize(
    ("benchmark", "row"),
    [
        (HUMANEVAL, {**ADD, "test": None}),
        (MBPP, {**RENAMED, "test": []}),
        (MBPP, {**RENAMED, "test": "assert 1"}),
        (MBPP, {**RENAMED, "task_id": "12"}),
        (MBPP, {**RENAMED, "code": "x = 1"}),
        (MBPP, {**RENAMED, "test": ["assert add(1"]}),
    ],
)
def test_what_is_no_record(benchmark, row, tmp_path):
    with pytest.raises(DataError, match=r"jsonl:2: "):
        load(benchmark, tmp_path, ADD if benchmark is HUMANEVAL else RENAMED, row)


@pytest.mark.data
@pytest.mark.parametrize("benchmark", [HUMANEVAL, MBPP], ids=lambda b: b.name)
def test_what_the_published_files_hold(benchmark):
    examples = benchmark.load("test", None)
    assert len(examples) == benchmark.published == len({example.id for example in examples})
    assert {example.id for example in examples if "incomplete" in example.metadata} <= {"mbpp/367"}
    first, last = ("humaneval/0", "humaneval/163") if benchmark is HUMANEVAL else ("mbpp/11", "mbpp/510")
    assert (examples[0].id, examples[-1].id) == (first, last)
    assert all(prompt_text(example).endswith(benchmark.instruction) for example in examples)


def outcomes(benchmark, share: float) -> Counter:
    """(outcome of the canonical solution, of an empty body) of a share of the problems, drawn by their ids."""
    examples = [e for e in benchmark.load("test", None) if unit_hash(e.id) < share and "incomplete" not in e.metadata]

    def both(example) -> tuple[str, str]:
        gold, empty = (benchmark.grade(example, Completion(text)) for text in (answer_text(example), emptied(example)))
        return gold.outcome, empty.outcome

    with ThreadPoolExecutor(2) as pool:
        return Counter(pool.map(both, examples))


@pytest.mark.data
@pytest.mark.bwrap
@pytest.mark.parametrize("benchmark", [HUMANEVAL, MBPP], ids=lambda b: b.name)
def test_a_sample_of_canonical_solutions_passes_and_an_empty_body_fails(benchmark, permission):
    assert set(outcomes(benchmark, 0.1)) == {("correct", "wrong")}


@pytest.mark.data
@pytest.mark.bwrap
@pytest.mark.slow
@pytest.mark.parametrize(("benchmark", "count"), [(HUMANEVAL, 164), (MBPP, 499)], ids=["humaneval", "mbpp"])
def test_every_canonical_solution_passes_and_every_empty_body_fails(benchmark, count, permission):
    """MBPP's copy without `test_setup_code` has one problem that nothing can pass; the published file has none."""
    assert outcomes(benchmark, 1.0) == {("correct", "wrong"): count}


# ---- refused before a model is asked


def test_evaluation_refuses_before_the_model_is_loaded(tmp_path, monkeypatch):
    monkeypatch.delenv(sandbox.ALLOWED, raising=False)
    load(HUMANEVAL, tmp_path, ADD)
    with pytest.raises(UsageError, match=r"humaneval: grading runs programs.*--allow-code-execution"):
        fairreason.evaluate("no/such-model", ["humaneval"], data=tmp_path)


def test_evaluation_refuses_before_a_backend_is_asked(tmp_path, monkeypatch):
    from fairreason.evaluation.evaluate import evaluate
    from fairreason.models.backends import BACKENDS

    monkeypatch.delenv(sandbox.ALLOWED, raising=False)
    load(HUMANEVAL, tmp_path, ADD)
    (tmp_path / "answers.jsonl").write_text('{"id": "humaneval/7", "response": "    return a + b"}\n')
    backend = BACKENDS["scripted"](str(tmp_path / "answers.jsonl"))
    with pytest.raises(UsageError, match="--allow-code-execution"):
        evaluate(backend, ["humaneval"], out=tmp_path / "out", data=tmp_path)
    assert not (tmp_path / "out").exists()


@pytest.mark.bwrap
def test_with_the_flag_it_is_graded(tmp_path, monkeypatch):
    monkeypatch.setenv(sandbox.ALLOWED, "")  # restored when the test ends
    load(HUMANEVAL, tmp_path, ADD)
    answers = tmp_path / "answers.jsonl"
    answers.write_text('{"id": "humaneval/7", "response": "    return a + b"}\n')
    result = fairreason.evaluate(
        str(answers), ["humaneval"], backend="scripted", data=tmp_path, allow_code_execution=True
    )["humaneval"]
    assert result.counts["correct"] == 1 and result.scores[0].value == 1.0


def test_a_recipe_cannot_grant_it(tmp_path, monkeypatch):
    monkeypatch.delenv(sandbox.ALLOWED, raising=False)
    load(HUMANEVAL, tmp_path, ADD)
    path = tmp_path / "recipe.yaml"
    path.write_text("strategy: {type: none}\nevaluation: {benchmarks: [humaneval]}\nstudy: {grid: {seed: [0]}}\n")
    with pytest.raises(UsageError, match="allow_code_execution"):
        Recipe.load(path, ["evaluation.allow_code_execution=true"])
    for task in (fairreason.train, fairreason.study):
        recipe = Recipe.load(path, ["study=null"] if task is fairreason.train else [])
        with pytest.raises(UsageError, match="humaneval: grading runs programs"):
            task(recipe, tmp_path / "run", data=tmp_path)
    assert not (tmp_path / "run").exists()


@pytest.mark.bwrap
def test_two_files_of_programs_are_compared_with_permission_alone(tmp_path, monkeypatch):
    records = [{**ADD, "task_id": f"HumanEval/{number}"} for number in range(8)]
    examples = load(HUMANEVAL, tmp_path, *records)
    sides = {"right": [answer_text(example) for example in examples], "empty": [emptied(one) for one in examples]}
    for name, replies in sides.items():
        rows = [{"id": one.id, "response": reply} for one, reply in zip(examples, replies, strict=True)]
        (tmp_path / name).mkdir()
        (tmp_path / name / "humaneval.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for judge in (fairreason.compare, fairreason.check):
        with pytest.raises(UsageError, match=r"humaneval: grading runs programs .* --allow-code-execution"):
            judge(tmp_path / "right", tmp_path / "empty", data=tmp_path)
    monkeypatch.setenv(sandbox.ALLOWED, "1")
    found = fairreason.check(tmp_path / "empty", tmp_path / "right", {"R": 0.02}, data=tmp_path)
    assert found.verdict == "worse" and found.rows[0]["new"] == 0
    (row,) = fairreason.compare(tmp_path / "empty", tmp_path / "right", data=tmp_path)
    assert (row["metric"], row["a"], row["b"], row["verdict"]) == ("accuracy", 0, 1, "better")
