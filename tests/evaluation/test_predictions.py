"""Predictions made elsewhere: what a row may hold, what becomes of ids, and that nothing is dropped in silence."""

import gzip
import json

import pytest

import fairreason as fr
from fairreason import benchmarks
from fairreason.draws import LETTERS, shown_order

BIAS = "lab-bias"


def questions(split="dev"):
    return benchmarks.get(BIAS).load(split, None)


def write(path, rows):
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(lines.encode()) if path.suffix == ".gz" else lines.encode())
    return path


def value(scored, metric, condition=None):
    return next(s.value for s in scored.scores if (s.metric, s.category, s.condition) == (metric, None, condition))


def test_choices_responses_and_gzip_score_alike(tmp_path):
    rows = questions()
    by_index = write(tmp_path / "a.jsonl", [{"id": e.id, "choice": e.answer} for e in rows])
    letters = [LETTERS[shown_order(e).index(e.answer)] for e in rows]
    pairs = zip(rows, letters, strict=True)
    by_text = write(tmp_path / "b.jsonl.gz", [{"id": e.id, "response": f"<think>A?</think>({x})"} for e, x in pairs])
    first, second = (fr.score(BIAS, path, split="dev") for path in (by_index, by_text))
    assert first.scores == second.scores and first.counts == second.counts
    assert first.counts == {"correct": len(rows), "wrong": 0, "unparsed": 0, "truncated": 0, "error": 0}
    assert value(first, "fairness") == 1 and first.remarks == []


def test_every_row_stays_in_n_and_null_is_no_choice(tmp_path):
    rows = questions()[:8]
    said = [{"choice": None}, {"response": "I think so"}, {"response": "A", "finish_reason": "length"},
            {"response": "no route to host", "finish_reason": "error"}, {"response": None},
            *({"choice": e.answer} for e in rows[5:])]  # fmt: skip
    scored = fr.score(BIAS, write(tmp_path / "a.jsonl", [{"id": e.id, **s} for e, s in zip(rows, said, strict=True)]))
    assert scored.counts == {"correct": 3, "wrong": 0, "unparsed": 3, "truncated": 1, "error": 1}
    assert [g.choice for g in scored.graded.grades[:5]] == [None] * 5
    assert value(scored, "accuracy") == pytest.approx(3 / 8)


def test_missing_doubled_and_unknown_ids_are_counted_and_said(tmp_path):
    rows = questions()
    said = [{"id": e.id, "choice": e.answer} for e in rows[2:]]
    said += [{"id": rows[5].id, "choice": (rows[5].answer + 1) % 3}, {"id": "lab-bias/none", "choice": 0}]
    scored = fr.score(BIAS, write(tmp_path / "a.jsonl", said), split="dev")
    assert scored.ids == (len(said), 2, 1, 1)
    assert scored.counts["correct"] == len(rows) - 2  # the first of the doubled ones counts
    assert scored.remarks == [
        "2 questions have no prediction; they are no part of the scores",
        "1 predictions stand twice; the first one counts",
        "1 predictions have ids that are no question's; they are left out",
    ]


def test_samples_of_a_question_are_one_cluster(tmp_path):
    rows = questions()
    said = [{"id": e.id, "sample": s, "choice": e.answer} for s in (1, 0) for e in rows]
    scored = fr.score(BIAS, write(tmp_path / "a.jsonl", said))
    assert scored.graded.samples[:4] == [0, 1, 0, 1] and sum(scored.counts.values()) == 2 * len(rows)
    assert {s.clusters for s in scored.scores if s.metric == "fairness" and s.category is None} == {
        len({e.cluster for e in rows})
    }


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"choice": 0}, "names no question; a row needs id"),
        ({"id": "ID"}, "needs choice or response, has neither"),
        ({"id": "ID", "choice": 0, "response": "A"}, "has choice and response"),
        ({"id": "ID", "choice": 3}, r"an index from 0 to 2 \(published order\) or null, got 3"),
        ({"id": "ID", "choice": "A"}, "got 'A'"),
        ({"id": "ID", "choice": True}, "got True"),
        ({"id": "ID", "response": ["A"]}, "response must be a text, got list"),
        ({"id": "ID", "response": "A", "finish_reason": "done"}, "one of stop, length, error, got 'done'"),
        ({"id": "ID", "choice": 0, "sample": -1}, "sample must be a whole number"),
    ],
)
def test_a_row_that_is_none_names_file_and_line(tmp_path, row, sentence):
    first = questions()[0].id
    bad = {key: first if item == "ID" else item for key, item in row.items()}
    path = write(tmp_path / "a.jsonl", [{"id": first, "choice": 0, "sample": 9}, bad])
    with pytest.raises(fr.DataError, match=rf"a.jsonl:2: .*{sentence}"):
        fr.score(BIAS, path)


def test_a_file_of_another_benchmark_is_refused_with_both_kinds_of_ids(tmp_path):
    path = write(tmp_path / "a.jsonl", [{"id": f"gsm8k/test/{i}", "response": "1"} for i in range(5)])
    with pytest.raises(fr.DataError, match=r"not one of 5 ids is a question of lab-bias.*gsm8k/test/0.*lab-bias/"):
        fr.score(BIAS, path)
    with pytest.raises(fr.DataError, match="no predictions"):
        fr.score(BIAS, write(tmp_path / "b.jsonl", []))
    with pytest.raises(fr.DataError, match="has no options to choose from; give response"):
        first = benchmarks.get("lab-math").load("dev", None)[0].id
        fr.score("lab-math", write(tmp_path / "c.jsonl", [{"id": first, "choice": 0}]))


def test_hostile_answers_are_counted(tmp_path):
    """A 50 MB answer, zero bytes, half a JSON."""
    rows = questions()[:3]
    said = ["x" * 50_000_000, "\0A\0", "(A)\0"]
    path = write(tmp_path / "a.jsonl", [{"id": e.id, "response": s} for e, s in zip(rows, said, strict=True)])
    assert fr.score(BIAS, path).counts["unparsed"] == 3
    path.write_bytes(b'{"id": "x", "choice": 0}\n{"id": "y", "cho')
    with pytest.raises(fr.DataError, match=r"a.jsonl:2: not JSON"):
        fr.score(BIAS, path)


@pytest.mark.parametrize(
    "row",
    [
        {"id": "x" * 1_000_000, "choice": 0},
        {"id": "\x1b[31m", "choice": 0},
        {"id": "ID", "choice": "x" * 1_000_000},
        {"id": "ID", "response": "A", "finish_reason": "\0" * 1_000_000},
        {"id": "ID", "choice": 0, "sample": ["x" * 1_000_000]},
    ],
)
def test_a_message_shows_a_hostile_value_in_short(tmp_path, row):
    first = questions()[0].id
    with pytest.raises(fr.DataError) as caught:
        fr.score(
            BIAS, write(tmp_path / "a.jsonl", [{key: first if item == "ID" else item for key, item in row.items()}])
        )
    assert len(str(caught.value)) < 600 and str(caught.value).isprintable()


@pytest.mark.data
def test_bbq_rows_may_be_named_by_category_and_example_id(tmp_path):
    rows = benchmarks.get("bbq/Religion").load("test", None)
    said = [{"category": "Religion", "example_id": int(e.id.rsplit("/", 1)[1]), "choice": e.answer} for e in rows]
    scored = fr.score("bbq/Religion", write(tmp_path / "a.jsonl", said), split="test")
    assert scored.counts["correct"] == len(rows) and value(scored, "abstention_j") == 1


def test_the_authors_rule_is_for_bbq_alone(tmp_path):
    path = write(tmp_path / "a.jsonl", [{"id": questions()[0].id, "choice": 0}])
    with pytest.raises(
        fr.UsageError, match="--official is the rule of BBQ's authors; lab-bias has no other rule than ours"
    ):
        fr.score(BIAS, path, official=True)


@pytest.mark.data
def test_the_authors_own_predictions_give_their_own_scores(tmp_path, data_folder):
    """Age, ARC format: 1,839 of 1,840 ambiguous answers name an option; accuracy .3388, s_AMB 48.9 (figure 3)."""
    with gzip.open(data_folder / "bbq_predictions" / "preds_Age.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    said = [
        {"category": "Age", "example_id": r["example_id"], "response": r["unifiedqa-t5-11b_pred_arc"]} for r in rows
    ]
    scored = fr.score("bbq/Age", write(tmp_path / "a.jsonl", said), official=True)
    found = {(s.metric, s.condition): s for s in scored.scores if s.category is None}
    assert found["accuracy", "ambig"].n == 1839 and scored.excluded >= 1
    assert found["accuracy", "ambig"].value == pytest.approx(0.338771071234367, abs=1e-12)
    assert found["s_amb", "ambig"].value == pytest.approx(0.489396411092985, abs=1e-12)
    assert found["s_dis", "disambig"].value == pytest.approx(0.0332326283987916, abs=1e-12)
    default = {(s.metric, s.condition): s for s in fr.score("bbq/Age", tmp_path / "a.jsonl").scores if not s.category}
    assert default["accuracy", "ambig"].n == 1840 and default["s_amb", "ambig"].value < 0.4894
    assert any("the authors' rule leaves out" in remark for remark in scored.remarks)
