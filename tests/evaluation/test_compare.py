"""Two runs side by side: differences by hand, verdicts, what is refused because it was not asked the same."""

import dataclasses
import json
import shutil

import pytest

import fairreason as fr
from fairreason import benchmarks
from fairreason.benchmarks.base import choice_text, everything
from fairreason.evaluation import axes, compare, statistics
from fairreason.evaluation.evaluate import evaluate
from fairreason.models.backends.scripted import ScriptedBackend
from fairreason.records import Completion

BIAS = "lab-bias"


def questions():
    return benchmarks.get(BIAS).load("test", None)


def predictions(path, choose):
    rows = [{"id": e.id, "choice": choose(i, e)} for i, e in enumerate(questions())]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def right(i, example):
    return example.answer


def half_stereotyped(i, example):
    return example.metadata["target"] if example.metadata["condition"] == "ambig" and i % 3 == 0 else example.answer


def anti(i, example):
    """The person who is not the target, on every ambiguous row."""
    other = 3 - example.metadata["target"] - example.metadata["unknown"]
    return other if example.metadata["condition"] == "ambig" else example.answer


def by_metric(rows):
    return {(row["metric"], row["condition"]): row for row in rows}


def test_a_difference_is_b_minus_a_and_judges_b(tmp_path):
    a, b = predictions(tmp_path / "a.jsonl", half_stereotyped), predictions(tmp_path / "b.jsonl", right)
    rows = by_metric(fr.compare(a, b, [BIAS]))
    ambiguous = [(i, e) for i, e in enumerate(questions()) if e.metadata["condition"] == "ambig"]
    categories = {e.metadata["category"] for _, e in ambiguous}
    share = sum(
        sum(i % 3 > 0 for i, e in ambiguous if e.metadata["category"] == c)
        / sum(e.metadata["category"] == c for _, e in ambiguous)
        for c in categories
    ) / len(categories)
    row = rows["accuracy", "ambig"]
    assert (row["a"], row["b"]) == (pytest.approx(share), 1)
    assert row["difference"] == pytest.approx(1 - share) and row["verdict"] == "better"
    assert rows["fairness", None]["verdict"] == "better"
    assert rows["accuracy", "disambig"]["verdict"] == "not told apart"  # no row differs, but the clusters are few
    assert rows["accuracy", "disambig"]["difference"] == 0
    back = by_metric(fr.compare(b, a, [BIAS]))
    assert back["accuracy", "ambig"]["difference"] == pytest.approx(share - 1)
    assert back["accuracy", "ambig"]["verdict"] == "worse" and back["s_amb_abs", "ambig"]["verdict"] == "worse"


def test_scores_that_are_best_at_0_are_judged_by_their_size_and_keep_their_signs(tmp_path):
    a, b = predictions(tmp_path / "a.jsonl", half_stereotyped), predictions(tmp_path / "b.jsonl", anti)
    row = by_metric(fr.compare(a, b, [BIAS]))["s_amb", "ambig"]
    assert row["a"] > 0 and row["b"] == -1
    assert row["difference"] == pytest.approx(1 - row["a"]) and row["verdict"] == "worse"


def test_what_does_not_differ_is_a_tie_only_where_the_clusters_suffice(tmp_path):
    """30 agreeing clusters allow a share of 1 − .025^(1/30) = .116 that differ; the margin decides."""
    a = predictions(tmp_path / "a.jsonl", right)
    clusters = len({e.cluster for e in questions()})
    allowed = 2 * (1 - 0.025 ** (1 / clusters))
    wide, narrow = (by_metric(fr.compare(a, a, [BIAS], margin=m)) for m in (allowed + 0.2, allowed / 50))
    assert {row["verdict"] for row in wide.values() if row["metric"] == "accuracy"} == {"tie"}
    assert {row["verdict"] for row in narrow.values() if row["metric"] == "accuracy"} == {"not told apart"}
    assert all(row["difference"] == 0 and row["p"] == 1 for row in wide.values() if row["metric"] == "accuracy")


def test_holm_counts_the_means_together_and_each_metrics_categories_together(tmp_path):
    a, b = predictions(tmp_path / "a.jsonl", half_stereotyped), predictions(tmp_path / "b.jsonl", right)
    rows = fr.compare(a, b, [BIAS], by_category=True)
    means = [row for row in rows if row["category"] is None and row["p"] is not None]
    assert [row["p_holm"] for row in means] == statistics.holm([row["p"] for row in means])
    family = [row for row in rows if row["category"] and row["metric"] == "fairness" and row["p"] is not None]
    assert len(family) > 2 and [row["p_holm"] for row in family] == statistics.holm([row["p"] for row in family])


def test_a_verdict_goes_by_its_own_interval_and_what_may_be_chance_is_named():
    """p = .014 is enough alone; among eleven tests Holm makes it .154."""
    row = {"benchmark": "b", "metric": "accuracy", "category": None, "condition": None, "ci_low": 0.2, "ci_high": 0.9}
    rows = [{**row, "p": 0.014}, *({**row, "ci_low": -0.5, "ci_high": 0.5, "p": 0.9} for _ in range(10))]
    compare._judge(rows, 0.02)
    assert [row["verdict"] for row in rows] == ["better", *["not told apart"] * 10]
    assert rows[0]["p_holm"] == pytest.approx(11 * 0.014) and compare.chancy(rows) == rows[:1]
    alone = [{**row, "p": 0.014}]
    compare._judge(alone, 0.02)
    assert compare.chancy(alone) == []


def test_the_mean_over_benchmarks_is_one_measure():
    rows = questions()
    said = [Completion(choice_text(e, half_stereotyped(i, e))) for i, e in enumerate(rows)]
    grades = [benchmarks.get(BIAS).grade(e, completion) for e, completion in zip(rows, said, strict=True)]
    part = axes.overall(benchmarks.get(BIAS).summarize(rows, grades), "fairness")
    other = dataclasses.replace(part, values=1 - part.values)
    both = statistics.estimate(axes.mean({"items:a": part, "items:b": other}))
    each = [statistics.estimate(one) for one in (part, other)]
    assert both.value == pytest.approx((each[0].value + each[1].value) / 2)
    assert both.clusters == each[0].clusters + each[1].clusters and both.n == each[0].n + each[1].n
    groups = each[0].clusters
    exact = (groups - 1) / groups * 2 * groups / (2 * groups - 1)  # one factor G/(G−1) for 2G clusters, not for G
    assert both.stderr**2 == pytest.approx((each[0].stderr ** 2 + each[1].stderr ** 2) / 4 * exact)


def evaluated(folder, **settings):
    by_text = {e.id: choice_text(e, e.answer) for e in questions()}
    backend = ScriptedBackend(lambda prompt, sample: by_text[prompt.id])
    evaluate(backend, [BIAS], out=folder, **{"limit": 200, **settings})
    return folder


def edit(folder, file, change):
    path = folder / BIAS / file
    rows = [json.loads(line) for line in path.read_text().splitlines()] if file.endswith("l") else None
    content = change(json.loads(path.read_text()) if rows is None else rows)
    path.write_text(json.dumps(content) if rows is None else "".join(json.dumps(row) + "\n" for row in content))


def test_folders_compare_and_what_was_not_asked_the_same_is_refused(tmp_path):
    a = evaluated(tmp_path / "a")
    assert {row["benchmark"] for row in fr.compare(a, a)} == {BIAS}
    run = tmp_path / "run"
    run.mkdir()
    shutil.copytree(a, run / "evaluation")
    assert len(fr.compare(a, run)) == len(fr.compare(a, a))

    with pytest.raises(fr.UsageError, match=r"with thinking on, .* with off: not comparable"):
        fr.compare(a, evaluated(tmp_path / "off", thinking="off"))

    fewer = evaluated(tmp_path / "fewer", limit=196)
    with pytest.raises(fr.UsageError, match=r"not the same questions \([1-9]\d* answers only in .*; \d+ only in"):
        fr.compare(a, fewer)

    shutil.copytree(a, tmp_path / "words")
    edit(tmp_path / "words", "grades.jsonl", lambda rows: [{**row, "asked": "0" * 16} for row in rows])
    with pytest.raises(fr.UsageError, match="put in other words, with other pictures or with its options in another"):
        fr.compare(a, tmp_path / "words")

    shutil.copytree(a, tmp_path / "order")
    edit(tmp_path / "order", "grades.jsonl", lambda rows: rows[::-1])
    assert fr.compare(a, tmp_path / "order") == fr.compare(a, a)

    shutil.copytree(a, tmp_path / "strange")
    edit(tmp_path / "strange", "grades.jsonl", lambda rows: [{**rows[0], "id": "lab-bias/x"}, *rows[1:]])
    with pytest.raises(fr.DataError, match="lab-bias/x is not among the questions of lab-bias"):
        fr.compare(a, tmp_path / "strange")


def own_items(tmp_path, wrong):
    """60 questions of one's own, `wrong` of them with another right answer, and a model that says the true one."""
    rows = [{"id": str(i), "prompt": f"{i} + 1?", "answer": str(i + 1 + (i < wrong))} for i in range(60)]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"items:{tmp_path / 'sums.jsonl'}", ScriptedBackend(lambda prompt, sample: str(int(prompt.id) + 1))


def test_other_gold_answers_are_refused(tmp_path):
    """The same replies to the same questions; only what counts as right was changed in between."""
    said = [{"id": str(i), "response": str(i + 1)} for i in range(60)]
    (tmp_path / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    name, model = own_items(tmp_path, wrong=0)
    for folder in ("old", "same"):
        evaluate(model, [name], out=tmp_path / folder)
    alike = fr.compare(tmp_path / "old", tmp_path / "same")
    assert alike == fr.compare(tmp_path / "old", tmp_path / "said.jsonl", [name])
    assert {row["difference"] for row in alike} == {0}

    name, model = own_items(tmp_path, wrong=20)
    evaluate(model, [name], out=tmp_path / "new")
    for judge in (fr.compare, fr.check):
        for a, b in (("old", "new"), ("old", "said.jsonl"), ("said.jsonl", "old")):
            with pytest.raises(fr.UsageError, match=r"20 questions, e\.g\. 0, had another right answer, or other"):
                judge(tmp_path / a, tmp_path / b, benchmarks=[name])
    assert fr.compare(tmp_path / "old", tmp_path / "same") == alike


def test_what_an_older_version_does_not_say_is_said(tmp_path):
    a, b = evaluated(tmp_path / "a"), evaluated(tmp_path / "b")
    said: list[str] = []
    fr.compare(a, b, remark=said.append)
    before = list(said)
    assert not any("version" in sentence for sentence in said)

    edit(b, "scores.json", lambda scores: {**scores, "version": "0.0.9"})
    fr.compare(a, b, remark=said.append)
    assert [sentence for sentence in said[len(before) :] if sentence not in before] == [
        f"{BIAS}: {a} was graded by FairReason {fr.__version__}, {b} by 0.0.9; where they read an answer differently, "
        "it counts as a difference"
    ]

    edit(b, "grades.jsonl", lambda rows: [{k: v for k, v in row.items() if k != "gold"} for row in rows])
    edit(b, "scores.json", lambda scores: {k: v for k, v in scores.items() if k != "version"})
    said.clear()
    assert fr.compare(a, b, remark=said.append) == fr.compare(a, a)
    assert [sentence for sentence in said if sentence not in before] == [
        f"{BIAS}: {b} does not say by which right answers it was graded, as older versions did not; that they are the "
        "other side's is not checked"
    ]


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda rows: [*rows, *rows[:3]], "holds 203 rows, 3 of them doubled, for the 200"),
        (lambda rows: rows[:150], "holds 150 rows for the 200 answers that scores.json counts"),
        (lambda rows: [*rows[1:], rows[1]], "holds 200 rows, 1 of them doubled, for the"),
    ],
)
def test_grades_that_are_not_whole_are_judged_by_nobody(tmp_path, damage, sentence):
    a, b = evaluated(tmp_path / "a"), evaluated(tmp_path / "b")
    edit(b, "grades.jsonl", damage)
    for judge in (fr.compare, fr.check):
        with pytest.raises(fr.DataError, match=rf"{b / BIAS}.*grades.jsonl: {sentence}"):
            judge(b, a)


def test_sides_that_are_none(tmp_path):
    file = predictions(tmp_path / "a.jsonl", right)
    with pytest.raises(fr.UsageError, match="for one benchmark; name it with --bench"):
        fr.compare(file, file)
    with pytest.raises(fr.UsageError, match="no such folder or file"):
        fr.compare(file, tmp_path / "b", [BIAS])
    with pytest.raises(fr.DataError, match=r"no finished evaluation in it"):
        fr.compare(tmp_path, tmp_path)
    a = evaluated(tmp_path / "a")
    with pytest.raises(fr.DataError, match="one benchmark's part of an evaluation; give the folder it lies in"):
        fr.compare(a / BIAS, a)
    with pytest.raises(fr.DataError, match="holds no finished evaluation of lab-math; it has lab-bias"):
        fr.compare(a, a, ["lab-math"])
    with pytest.raises(fr.UsageError, match="not the same questions"):
        fr.compare(a, file, [BIAS])  # the folder holds 200 questions, the file all of them


@pytest.mark.data
def test_the_second_view_of_bbq_is_judged_by_its_pairs(tmp_path):
    """Everything right against a model that never names the stereotype: every aligned pair breaks."""
    rows = everything(benchmarks.get("bbq-aligned"), None)
    kept = [e for e in rows if e.id.startswith("bbq/Age/")]

    def write(name, choose):
        path = tmp_path / name
        path.write_text("".join(json.dumps({"id": e.id, "choice": choose(e)}) + "\n" for e in kept))
        return path

    a = write("a.jsonl", lambda e: e.answer)
    b = write("b.jsonl", lambda e: e.metadata["unknown"])
    row = by_metric(fr.compare(a, b, ["bbq-aligned"]))["pair_accuracy", None]
    assert (row["a"], row["b"], row["difference"], row["verdict"]) == (1, 0, -1, "worse")
