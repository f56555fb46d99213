"""The public functions: what they refuse before any work, and what they give back."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import fairreason as fr


def test_a_run_is_no_study_and_a_study_no_run() -> None:
    with pytest.raises(fr.UsageError, match="which is many runs"):
        fr.train(fr.Recipe.parse({"study": {"grid": {"seed": [0]}}}))
    with pytest.raises(fr.UsageError, match="no study"):
        fr.study(fr.Recipe(), "never")
    assert not Path("never").exists()


def test_names_are_checked_before_anything_is_loaded() -> None:
    with pytest.raises(fr.UsageError, match=r"unknown benchmark lab-mat. Did you mean lab-math\?"):
        fr.evaluate("no/such/model", ["lab-mat"])
    with pytest.raises(fr.UsageError, match=r"mixture\.bias: lab-math belongs under mixture\.reasoning"):
        fr.train(fr.Recipe.parse({"model": "no/such/model", "mixture": {"bias": {"lab-math": 1}}}))
    with pytest.raises(fr.UsageError, match="greedy answers are all alike"):
        fr.evaluate("lab", ["lab-math"], samples=3)


def test_answers_made_elsewhere_are_scored(tmp_path: Path) -> None:
    items, answers = tmp_path / "own.jsonl", tmp_path / "answers.jsonl"
    items.write_text('{"id": "a", "prompt": "1+1?", "answer": "2"}\n{"id": "b", "prompt": "1+2?", "answer": "3"}\n')
    answers.write_text(json.dumps({"id": "a", "response": "\\boxed{2}"}) + "\n")
    result = fr.evaluate(str(answers), [f"items:{items}"], backend="scripted")[f"items:{items}"]
    assert result.counts == {"correct": 1, "wrong": 0, "unparsed": 0, "truncated": 0, "error": 1}
    assert next(score.value for score in result.scores if score.metric == "accuracy") == 0.5


def test_frontier_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(fr.DataError, match="no frontier here"):
        fr.frontier(tmp_path)
    (tmp_path / "frontier.json").write_text('{"points": []}')
    assert fr.frontier(tmp_path) == {"points": []}


def test_the_data_folder_must_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRREASON_DATA", str(tmp_path / "gone"))
    with pytest.raises(fr.UsageError, match="no such data folder"):
        fr.evaluate("lab", ["lab-math"])


def test_what_the_readme_says_in_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """Its lines as they stand, on a study of one small run."""
    load, root = fr.Recipe.load, Path(__file__).parents[1]
    small = ["mixture.size=40", "evaluation.limit=40", "study.grid.strategy.type=[sft]", "study.grid.mixture={}"]
    monkeypatch.setattr(fr.Recipe, "load", lambda path: load(root / path, small))
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)
    exec(block, {})
    area, page = capsys.readouterr().out.strip().splitlines()
    assert "'points': 1" in area and (tmp_path / page).is_file()
