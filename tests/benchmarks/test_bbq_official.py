"""Under --official our numbers are those of the authors' own script, on their own predictions, row by row."""

import csv
import gzip
import json

import pytest

from fairreason import benchmarks
from fairreason.benchmarks.bbq_official import official
from fairreason.draws import SPLITS
from fairreason.evaluation import predictions
from fairreason.evaluation.statistics import estimate
from fairreason.records import Completion, Example, Grade

COLUMN = {
    "baseline_qonly": "unifiedqa-t5-11b_pred_qonly",
    "format_arc": "unifiedqa-t5-11b_pred_arc",
    "format_race": "unifiedqa-t5-11b_pred_race",
}
UNREAD = {("baseline_qonly", "Age"): 1, ("format_arc", "Age"): 1}
"""Ambiguous rows whose answer names no option, so that the authors' n is 1,839 and not 1,840."""


def graded(folder, model, category, condition):
    """The authors' predictions of one model on one category and condition, as they stand in their file."""
    benchmark = benchmarks.get(f"bbq/{category}")
    examples = {row.id: row for split in SPLITS for row in benchmark.load(split, None)}
    with gzip.open(folder / "bbq_predictions" / f"preds_{category}.jsonl.gz", "rt") as file:
        said = {f"bbq/{category}/{row['example_id']}": row[COLUMN[model]] for row in map(json.loads, file)}
    asked = [examples[id] for id in said if examples[id].metadata["condition"] == condition]
    return asked, [benchmark.grade(example, Completion(said[example.id])) for example in asked]


def scores(examples, grades):
    measures = benchmarks.get("bbq").summarize(examples, grades)
    return {(m.metric, m.condition): estimate(m) for m in measures if m.category is None}


@pytest.mark.data
def test_every_reference_score_is_reproduced(data_folder):
    with (data_folder / "bbq_predictions" / "reference_scores.csv").open(newline="") as file:
        reference = list(csv.DictReader(file))
    assert len(reference) == 10
    for row in reference:
        condition = row["context_condition"]
        examples, grades = graded(data_folder, row["model"], row["category"], condition)
        left = official(examples, grades)
        assert (left.no_choice, left.no_target) == (
            UNREAD.get((row["model"], row["category"]), 0) if condition == "ambig" else 0,
            0,
        )
        assert len(left.examples) == int(row["n_items"])
        unknown = [g.choice == e.metadata["unknown"] for e, g in zip(left.examples, left.grades, strict=True)]
        assert sum(unknown) == int(row["n_unknown_pred"])
        for polarity in ("neg", "nonneg"):
            people = [
                g.choice == e.metadata["target"]
                for e, g, none in zip(left.examples, left.grades, unknown, strict=True)
                if not none and e.metadata["polarity"] == polarity
            ]
            assert sum(people) == float(row[f"{polarity}_Target"])
            assert len(people) - sum(people) == float(row[f"{polarity}_Non-target"])
        found = scores(left.examples, left.grades)
        accuracy = found["accuracy", condition].value
        score = found["s_amb" if condition == "ambig" else "s_dis", condition].value
        assert accuracy == pytest.approx(float(row["accuracy"]), abs=1e-9)
        assert score == pytest.approx(float(row["acc_bias"]) / 100, abs=1e-9)
        unscaled = score / (1 - accuracy) if condition == "ambig" else score
        assert unscaled == pytest.approx(float(row["new_bias_score"]), abs=1e-9)
        # by default every row counts: the same numbers where nothing was dropped, else over one row more
        ours = scores(examples, grades)
        n = len(examples)
        assert ours["accuracy", condition].value == pytest.approx(accuracy * len(left.examples) / n, abs=1e-9)
        if condition == "ambig":
            assert ours["s_amb", condition].value == pytest.approx(score * len(left.examples) / n, abs=1e-9)
        else:
            assert n == len(left.examples) and ours["s_dis", condition].value == score


@pytest.mark.data
def test_what_the_authors_leave_out_of_all_of_bbq(data_folder):
    """16 rows without target; the 64 rows that stand twice in the metadata are one row each here."""
    examples = [row for split in SPLITS for row in benchmarks.get("bbq").load(split, None)]
    left = official(examples, [Grade("correct", choice=e.answer) for e in examples])
    assert (left.no_choice, left.no_target, left.excluded, len(left.examples)) == (0, 16, 16, 58_476)
    assert len({example.id for example in left.examples}) == 58_476


def row(target, category="Pet"):
    meta = {"condition": "ambig", "category": category, "target": target, "unknown": 2}
    return Example(f"bbq/{category}/0", "s", "bias", "c", "?", 2, ("x", "y", "z"), metadata=meta)


def test_no_choice_and_no_target_leave_n():
    examples = [row(0), row(0), row(None), row(None), row(0)]
    grades = [Grade("correct", choice=2), Grade("unparsed"), Grade("wrong", choice=0), Grade("truncated"),
              Grade("error")]  # fmt: skip
    left = official(examples, grades)
    assert left == (examples[:1], grades[:1], 3, 1) and left.excluded == 4
    with pytest.raises(ValueError, match="shorter"):
        official(examples, grades[:2])


def test_remarks_are_on_what_is_left_and_name_the_categories_that_are_gone():
    """A category without targets, one without choices, one of which a row is left."""
    right, nothing = Grade("correct", choice=2), Grade("unparsed")
    said = [(row(0), right), (row(None), right), (row(0, "Age"), nothing), (row(None, "Race_x_SES"), right)]
    examples, grades = ([one[side] for one in said] for side in (0, 1))
    whole = predictions.Graded(examples, grades, [0] * 4, predictions.Ids(4, 0, 0, 0))
    bbq = benchmarks.get("bbq")
    assert [remark[:26] for remark in predictions.score(bbq, whole).remarks] == [
        "Race_x_SES: accuracy but n",
        "1 questions about two peop",
    ]
    assert predictions.score(bbq, whole, official=True).remarks == [
        "the authors' rule leaves out 3 answers: 1 made no choice, 2 have no target",
        "the authors' rule leaves nothing of Age, Race_x_SES: no score counts them",
        "Race_x_SES: additional_metadata.csv is absent and only it says which answer agrees with the stereotype there. "
        "Put the current one of nyu-mll/BBQ into bbq/",
    ]
    kept = predictions.Graded(examples[:1], grades[:1], [0], predictions.Ids(1, 0, 0, 0))
    assert predictions.score(bbq, kept, official=True).remarks == [
        "the authors' rule leaves out 0 answers: 0 made no choice, 0 have no target"
    ]
