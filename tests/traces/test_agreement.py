"""Agreement against statsmodels, against the labelled files by hand, and with a judge on a real server."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loopback import Loopback, Reply, says
from statsmodels.stats.inter_rater import cohens_kappa

from fairreason.errors import DataError
from fairreason.models.backends import BACKENDS
from fairreason.traces.agreement import agreements, judged, kappa, report
from fairreason.traces.labelled import given_labels, labelled, to_label


def test_kappa_by_statsmodels() -> None:
    tables = np.random.default_rng(0).integers(1, 50, (20, 4))
    expected = [cohens_kappa(table.reshape(2, 2), return_results=False) for table in tables]
    assert kappa(tables) == pytest.approx(expected)


def test_kappa_where_nobody_says_anything() -> None:
    assert np.isnan(kappa(np.array([9, 0, 0, 0])))


@pytest.mark.data
def test_the_labelled_file(data_folder: Path) -> None:
    steps, left_out = labelled(data_folder)
    assert len({step.trace for step in steps}) == 1408  # 32 more of the 1,440 traces have no labels
    assert left_out == {}
    found = agreements(steps)
    own = [step for step in steps if "gemini" in step.labels and "llama" in step.labels]
    by_hand = sum(step.labels["gemini"] == step.labels["llama"] for step in own) / len(own)
    (pair,) = [one for one in found if one.unit == "step" and set(one.raters) == {"gemini", "llama"}]
    assert pair.percent.value == pytest.approx(by_hand)
    assert pair.percent.n == len(own)
    assert pair.kappa[1] < pair.kappa[0] < pair.kappa[2]  # type: ignore[operator]
    pairs = {frozenset(one.raters) for one in found}
    assert {frozenset(("rules", judge)) for judge in ("gemini", "llama", "mistral", "aggregate")} <= pairs
    assert frozenset(("gemini", "aggregate")) not in pairs


@pytest.mark.data
def test_the_aggregate_is_what_two_of_three_say(data_folder: Path) -> None:
    steps = [step for step in labelled(data_folder)[0] if "aggregate" in step.labels]
    of_three = [step.labels["mistral"] + step.labels["llama"] + step.labels["gemini"] >= 2 for step in steps]
    assert of_three == [bool(step.labels["aggregate"]) for step in steps]


@pytest.mark.data
def test_a_judge_model_stands_beside_the_others_and_is_paid_once(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that says what gemini said agrees with gemini wherever its verdict can be read."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    steps = [step for step in labelled(data_folder)[0] if step.trace.endswith("/7")]
    said = {step.text: step.labels["gemini"] for step in steps}

    def verdict(body: dict[str, Any], _: int) -> Reply:
        text = body["messages"][0]["content"]
        listed = json.loads(text[text.index("Steps: ") + len("Steps: ") :])
        labels = [said[one.partition(". ")[2]] for one in listed]
        return says("I will not." if len(listed) == len(steps) - few else json.dumps(labels))

    few = sum(step.trace == steps[0].trace for step in steps)
    server = Loopback(verdict)
    with server.running() as address:
        backend = BACKENDS["openai"]("tiny", base_url=address)
        labels, unreadable = judged(backend, steps, tmp_path / "kept.jsonl")
        paid = len(server.asked)
        assert judged(backend, steps, tmp_path / "kept.jsonl") == (labels, unreadable)
    assert len(server.asked) == paid == len({step.trace for step in steps})
    assert unreadable["no list"] == 1
    (own,) = [
        one for one in agreements(steps, {"model": labels}) if one.unit == "step" and one.raters == ("gemini", "model")
    ]
    assert own.percent.value == 1
    assert own.percent.n == few


@pytest.mark.data
def test_the_rules_agree_better_than_chance_with_every_judge(data_folder: Path) -> None:
    found = [one for one in agreements(labelled(data_folder)[0]) if "rules" in one.raters and one.unit == "step"]
    assert all(one.kappa[1] > 0 for one in found)  # type: ignore[operator]


@pytest.mark.data
def test_steps_for_a_person(data_folder: Path, tmp_path: Path) -> None:
    rows = to_label(100, 0, data_folder)
    assert len({row["id"] for row in rows}) == 100
    assert rows == to_label(100, 0, data_folder)
    assert rows != to_label(100, 1, data_folder)
    steps = {step.id: step for step in labelled(data_folder)[0]}
    for row in rows:
        assert row["text"] == steps[row["id"]].text
        assert row["label"] is None
    path = tmp_path / "labelled.jsonl"
    path.write_text("".join(json.dumps({**row, "label": 0}) + "\n" for row in rows) + json.dumps(rows[0]) + "\n")
    answered = given_labels(path, data_folder)
    path.write_text('{"id": "a", "label": "yes"}\n')
    with pytest.raises(DataError, match=r"labelled\.jsonl:1"):
        given_labels(path, data_folder)
    person = [one for one in agreements(list(steps.values()), {"person": answered}) if "person" in one.raters]
    assert sum(one.percent.n for one in person if one.unit == "step" and "rules" in one.raters) == 100


@pytest.mark.data
def test_a_trace_counts_where_a_person_labelled_every_step_of_it(data_folder: Path) -> None:
    steps = labelled(data_folder)[0]
    lengths = Counter(step.trace for step in steps)
    whole, part, other = [trace for trace, length in lengths.items() if length > 2][:3]  # of one file
    given = {step.id: 1 for step in steps if step.trace in (whole, other) or (step.trace == part and step.number)}
    person = [one for one in agreements(steps, {"person": given}) if one.raters == ("rules", "person")]
    counts = {one.unit: one.percent.n for one in person}
    assert counts == {"step": lengths[whole] + lengths[other] + lengths[part] - 1, "trace": 2}
    drawn = {row["id"]: 0 for row in to_label(20, 0, data_folder)}  # no trace has all of its steps among them
    assert {one.unit for one in agreements(steps, {"person": drawn}) if "person" in one.raters} == {"step"}


@pytest.mark.data
def test_a_label_of_no_step_is_refused(data_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "labelled.jsonl"
    rows = [{**row, "label": 0} for row in to_label(3, 0, data_folder)]
    rows[1]["id"] = f"x{rows[1]['id']}"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=r"labelled\.jsonl:2: no step of the labelled traces has the id x"):
        given_labels(path, data_folder)


@pytest.mark.data
def test_the_table_says_agreement_and_never_accuracy(data_folder: Path) -> None:
    table = report(data_folder)
    assert "agreement" in table
    assert "accura" not in table.lower()
