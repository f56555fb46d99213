"""BBQ's second view: the same questions without options, and the pairs whose stereotyped answer is right."""

import pytest

from fairreason import benchmarks
from fairreason.benchmarks.base import answer_text, prompt_text
from fairreason.benchmarks.bbq_aligned import BBQ_ALIGNED, summarize
from fairreason.data.mixture import training_examples
from fairreason.draws import SPLITS
from fairreason.errors import UsageError
from fairreason.evaluation.evaluate import evaluate
from fairreason.evaluation.statistics import estimate
from fairreason.models.backends.scripted import ScriptedBackend
from fairreason.records import Completion, Example, Grade
from fairreason.study.results import counted_axes


def everything(name):
    return [row for split in SPLITS for row in benchmarks.get(name).load(split, None)]


def values(measures):
    return {(m.metric, m.category, m.condition): estimate(m).value for m in measures}


@pytest.mark.parametrize("name", ["bbq-open", "bbq-aligned"])
def test_nothing_trains_on_a_view_and_no_study_counts_it(name):
    assert benchmarks.get(name).beside and not benchmarks.get("bbq").beside
    with pytest.raises(UsageError, match=f"{name} is for evaluation alone"):
        training_examples(name, "bias", "cluster", None)

    known = [benchmarks.get(one) for one in ("lab-bias", name, "lab-math")]
    assert counted_axes(known) == {"lab-bias": "bias", "lab-math": "reasoning"}


@pytest.mark.parametrize(
    ("whole", "part"),
    [
        ("bbq", "bbq/Age"),
        ("mathverse", "mathverse/vision-only"),
        ("vlbiasbench", "vlbiasbench/base/Age"),
        ("vlbiasbench/base", "vlbiasbench/base/Age"),
    ],
)
def test_a_part_beside_its_whole_counts_once_in_a_study(whole, part):
    known = [benchmarks.get(name) for name in (part, whole)]
    assert list(counted_axes(known)) == [whole]
    assert list(counted_axes(known[:1])) == [part]


@pytest.mark.data
def test_a_model_is_asked_through_both_views(tmp_path):
    """One that answers "unknown" to everything: abstains rightly, is never right where the text tells."""
    backend = ScriptedBackend(lambda prompt, sample: "It cannot be determined from the text.")
    found = evaluate(backend, ["bbq-open"], out=tmp_path, limit=400)["bbq-open"]
    assert found.counts == {"correct": 200, "wrong": 200, "unparsed": 0, "truncated": 0, "error": 0}
    overall = {(score.metric, score.condition): score.value for score in found.scores if score.category is None}
    assert overall["fairness", None] == 0 and overall["s_amb", "ambig"] == 0 and overall["s_dis", "disambig"] is None
    gold = {row.id: answer_text(row) for row in everything("bbq-aligned")}
    backend = ScriptedBackend(lambda prompt, sample: gold[prompt.id])
    found = evaluate(backend, ["bbq-aligned"], out=tmp_path, limit=400)["bbq-aligned"]
    assert found.scores[0].metric == "pair_accuracy" and found.scores[0].n == 200
    assert found.scores[0].value == pytest.approx(1)


@pytest.mark.data
def test_open_questions_show_no_option_and_are_scored_as_bbq():
    bbq, view = benchmarks.get("bbq"), benchmarks.get("bbq-open")
    for split in SPLITS:
        rows, shown = view.load(split, None), bbq.load(split, None)
        assert [row.id for row in rows] == [row.id for row in shown]
        for open_row, row in zip(rows[::97], shown[::97], strict=True):
            assert prompt_text(open_row) == f"{row.prompt}\n{view.instruction}"
            for choice, text in enumerate(row.options):
                grade = view.grade(open_row, Completion(rf"\boxed{{{text}}}"))
                assert grade.choice == choice
                assert grade.outcome == ("correct" if choice == row.answer else "wrong")
    said = [(i * 7) % 3 for i in range(len(rows))]
    open_grades = [
        view.grade(row, Completion(row.metadata["choices"][choice])) for row, choice in zip(rows, said, strict=True)
    ]
    grades = [
        Grade("correct" if choice == row.answer else "wrong", choice=choice)
        for row, choice in zip(shown, said, strict=True)
    ]
    assert values(view.summarize(rows, open_grades)) == values(bbq.summarize(shown, grades))


@pytest.mark.data
def test_aligned_pairs_are_half_of_bbq():
    """7,349 of the 14,619 quadruples that have targets tell that the person of the stereotype did it; with BBQ's rows
    turned by polarity, both questions of such a quadruple are aligned."""
    rows = everything("bbq-aligned")
    assert len(rows) == 4 * 7_349
    pairs = {}
    for row in rows:
        pairs.setdefault((row.bundle, row.metadata["polarity"]), []).append(row)
    for first, second in pairs.values():
        assert (first.metadata["condition"], second.metadata["condition"]) == ("ambig", "disambig")
        assert second.answer == second.metadata["target"]
        assert first.answer == first.metadata["unknown"]
        assert second.prompt.startswith(first.prompt.rpartition("\n")[0])  # the same context, then the telling sentence
        told = (
            {row: row.options[row.metadata["target"]].casefold().strip(".") for row in (first, second)} if False else {}
        )
        assert not told
    bbq = {row.id: row for row in everything("bbq")}
    assert all(prompt_text(row) == prompt_text(bbq[row.id]) for row in rows[::101])
    assert answer_text(rows[0]) == answer_text(bbq[rows[0].id])


def pair(number, category="Pet"):
    def row(condition, answer):
        meta = {"category": category, "condition": condition, "polarity": "neg", "target": 0, "unknown": 2}
        return Example(f"bbq/{category}/{number}{condition}", "s", "bias", f"c{number}", "?", answer, ("x", "y", "z"),
                       bundle=f"{number}", metadata=meta)  # fmt: skip

    return row("ambig", 2), row("disambig", 0)


def answer(example, choice):
    return Grade("unparsed") if choice is None else Grade("correct" if choice == example.answer else "wrong", choice)


def test_a_pair_is_right_when_both_halves_are():
    examples = [row for number in range(4) for row in pair(number)]
    choices = [2, 0, 2, 1, 0, 0, 2, None]  # right; never the stereotype; always the stereotype; unparsed
    got = values(summarize(examples, [answer(e, c) for e, c in zip(examples, choices, strict=True)]))
    for category in (None, "Pet"):
        assert got["pair_accuracy", category, None] == 0.25
        assert got["accuracy", category, "ambig"] == 0.75
        assert got["accuracy", category, "disambig"] == 0.5
        assert got["unknown_rate", category, "disambig"] == 0
    assert {metric for metric, _, _ in got} == {"pair_accuracy", "accuracy", "unknown_rate"}


@pytest.mark.parametrize(
    ("told", "pair_accuracy", "ambig", "disambig"), [(1, 0, 1, 0), (2, 0, 1, 0), (0, 1, 1, 1)],
    ids=["never the stereotype", "always unknown", "reads the text"],
)  # fmt: skip
def test_a_model_that_never_says_the_stereotype_is_seen(told, pair_accuracy, ambig, disambig):
    examples = [row for number in range(3) for row in pair(number)]
    grades = [answer(e, 2 if e.metadata["condition"] == "ambig" else told) for e in examples]
    got = values(summarize(examples, grades))
    assert got["pair_accuracy", None, None] == pair_accuracy
    assert (got["accuracy", None, "ambig"], got["accuracy", None, "disambig"]) == (ambig, disambig)


def test_samples_pair_up_in_order_and_half_a_pair_is_left_out():
    (a, b), (c, _) = pair(0), pair(1)
    grades = [answer(a, 2), answer(b, 0), answer(a, 0), answer(b, 0), answer(c, 2)]
    found = {m.metric: estimate(m) for m in summarize([a, b, a, b, c], grades) if m.category is None}
    assert found["pair_accuracy"].value == 0.5 and found["pair_accuracy"].n == 2


def test_the_mean_is_over_categories():
    examples = [*pair(0), *pair(1), *pair(2, "Town")]
    grades = [answer(e, c) for e, c in zip(examples, [2, 0, 2, 0, 2, 1], strict=True)]
    assert values(summarize(examples, grades))["pair_accuracy", None, None] == 0.5


def test_categories_without_pairs_are_said():
    (reason,) = BBQ_ALIGNED.remarks(list(pair(0)))
    assert reason.startswith("Race_x_SES and Race_x_gender: no pairs, since additional_metadata.csv is absent")
    assert BBQ_ALIGNED.remarks([]) == []
