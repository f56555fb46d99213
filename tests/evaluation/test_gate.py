"""The release gate: not worse, worse, cannot tell, and what would decide; R against a ratio computed by hand."""

import gzip
import json
import math
import random
import xml.etree.ElementTree as ET

import pytest

import fairreason as fr
from fairreason import benchmarks
from fairreason.benchmarks.base import everything
from fairreason.cli import junit
from fairreason.evaluation import distributions
from fairreason.evaluation.intervals import Score

BIAS, MATH = "lab-bias", "lab-math"


def questions(name):
    return benchmarks.get(name).load("test", None)


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def bias(path, wrong=lambda i, e: False):
    """Right answers, the stereotype where `wrong` says so."""
    rows = enumerate(questions(BIAS))
    return write(path, [{"id": e.id, "choice": (e.answer + 1) % 3 if wrong(i, e) else e.answer} for i, e in rows])


def math_answers(path, right):
    rows = enumerate(questions(MATH))
    return write(path, [{"id": e.id, "response": str(e.answer) if right(i) else "no idea"} for i, e in rows])


def test_equal_is_not_worse_where_the_clusters_suffice(tmp_path):
    a = bias(tmp_path / "a.jsonl")
    gate = fr.check(a, a, {"F": 0.25}, [BIAS])
    assert gate.verdict == "not worse" and gate.rows[0]["gain"] == 0 and gate.rows[0]["gain_low"] > -0.25


def test_clearly_worse_is_worse(tmp_path):
    base, new = bias(tmp_path / "a.jsonl"), bias(tmp_path / "b.jsonl", lambda i, e: i % 2 == 0)
    row = fr.check(new, base, {"F": 0.02}, [BIAS]).rows[0]
    assert row["verdict"] == "worse" and row["gain_high"] < -0.02
    assert row["gain"] == pytest.approx(row["new"] - row["base"])


def test_what_cannot_be_told_says_how_many_would_decide(tmp_path):
    draw = random.Random(1)
    bits = [draw.random() for _ in questions(BIAS)]
    base = bias(tmp_path / "a.jsonl", lambda i, e: bits[i] < 0.10)
    new = bias(tmp_path / "b.jsonl", lambda i, e: bits[i] < 0.05 or 0.9 < bits[i] < 0.955)
    row = fr.check(new, base, {"F": 0.02}, [BIAS]).rows[0]
    assert row["verdict"] == "cannot tell" and row["gain_low"] < -0.02 <= row["gain_high"]
    assert row["needed_clusters"] > row["clusters"] and row["needed_n"] > row["n"]
    said = f"about {row['needed_n']:,} examples in {row['needed_clusters']:,} clusters would most likely decide"
    assert said in junit.sentence(row)


def test_lower_and_nearer_zero_count_as_gains(tmp_path):
    """The base takes the stereotype on every ambiguous row, the new one the other person on every second."""

    def choose(path, pick):
        return write(path, [{"id": e.id, "choice": pick(i, e)} for i, e in enumerate(questions(BIAS))])

    def stereotype(i, e):
        return e.metadata["target"] if e.metadata["condition"] == "ambig" else e.answer

    def other(i, e):
        told = e.metadata["condition"] != "ambig" or i % 8 < 4
        return e.answer if told else 3 - e.metadata["target"] - e.metadata["unknown"]

    base, new = choose(tmp_path / "a.jsonl", stereotype), choose(tmp_path / "b.jsonl", other)
    rows = {row["axis"]: row for row in fr.check(new, base, {"s_amb": 0.02, "s_amb_abs": 0.02}, [BIAS]).rows}
    assert rows["s_amb"]["base"] == 1 and rows["s_amb"]["new"] < 0
    assert rows["s_amb"]["gain"] == pytest.approx(1 - abs(rows["s_amb"]["new"]))
    assert rows["s_amb_abs"]["gain"] == pytest.approx(1 - rows["s_amb_abs"]["new"])
    assert {row["verdict"] for row in rows.values()} == {"not worse"}


def test_r_is_the_ratio_of_accuracies_with_the_error_of_a_ratio(tmp_path):
    """Delta method by hand: r = a/b, variance of the mean of (a_i − r·b_i)/b; every question is a cluster here. At
    each end the farthest stands of this, of the same with b as known (r = 1), and of Tango's over b."""
    draw = random.Random(2)
    bits = [(draw.random() < 0.8, draw.random() < 0.75) for _ in questions(MATH)]
    base = math_answers(tmp_path / "a.jsonl", lambda i: bits[i][0])
    new = math_answers(tmp_path / "b.jsonl", lambda i: bits[i][1])
    row = fr.check(new, base, {"R": 0.02}, [MATH]).rows[0]
    n, a, b = len(bits), sum(y for _, y in bits), sum(x for x, _ in bits)
    assert row["n"] == row["clusters"] == n
    assert row["new"] == pytest.approx(a / b) and row["gain"] == pytest.approx(a / b - 1)
    tango = Score(sum(y > x for x, y in bits), sum(x > y for x, y in bits), n).ends(0.9)
    ends = [(tango[0] / (b / n), tango[1] / (b / n))]
    for ratio in (a / b, 1):  # the base measured, and known
        moved = [(y - ratio * x) / b - (a - ratio * b) / b / n for x, y in bits]
        half = distributions.t_quantile(0.95, n - 1) * math.sqrt(n / (n - 1) * sum(m * m for m in moved))
        ends.append((a / b - 1 - half, a / b - 1 + half))
    assert row["gain_low"] == pytest.approx(min(low for low, _ in ends), rel=1e-6)
    assert row["gain_high"] == pytest.approx(max(high for _, high in ends), rel=1e-6)


def test_few_lost_answers_do_not_prove_that_r_was_kept(tmp_path):
    """95 of 100 single questions right before, two of them lost. If .05 of them are lost in truth, 4.75 of 100, two or
    fewer are seen in 15 % of samples (Poisson), so this must not pass at 5 %; one or none, in 5 %, may. Student's,
    -.046, would pass two."""
    rows = [{"id": f"q{i}", "prompt": f"{i} and 1?", "answer": str(i + 1), "axis": "reasoning"} for i in range(100)]
    items = write(tmp_path / "items.jsonl", rows)

    def answers(name, right):
        said = [{"id": e.id, "response": str(e.answer) if i in right else "no idea"} for i, e in enumerate(asked)]
        return write(tmp_path / name, said)

    asked = everything(benchmarks.get(f"items:{items}"), None)
    base = answers("base.jsonl", range(95))
    margin, bench = {"R": 0.05}, [f"items:{items}"]
    row = fr.check(answers("two.jsonl", range(2, 95)), base, margin, bench).rows[0]
    assert row["gain"] == pytest.approx(-2 / 95) and row["clusters"] == row["n"] == 100
    assert row["verdict"] == "cannot tell" and row["needed_clusters"] > 100
    assert row["gain_low"] == pytest.approx(Score(0, 2, 100).ends(0.9)[0] / 0.95)
    assert fr.check(answers("one.jsonl", range(1, 95)), base, margin, bench).rows[0]["verdict"] == "not worse"


def test_a_base_at_chance_is_left_out_of_r_and_no_axis_is_judged_without_a_benchmark(tmp_path):
    nothing = math_answers(tmp_path / "a.jsonl", lambda i: False)
    with pytest.raises(fr.UsageError, match=r"--margin R: no reasoning benchmark.*not above chance.*accuracy 0.000"):
        fr.check(nothing, nothing, {"R": 0.02}, [MATH])
    with pytest.raises(fr.UsageError, match="--margin F: no bias benchmark"):
        fr.check(nothing, nothing, None, [MATH])
    with pytest.raises(fr.UsageError, match=r"unknown axis s_ambb. Did you mean s_amb\?"):
        fr.check(nothing, nothing, {"s_ambb": 0.02}, [MATH])
    with pytest.raises(fr.UsageError, match="--margin F/bbq: no bias benchmark"):
        a = bias(tmp_path / "b.jsonl")
        fr.check(a, a, {"F/bbq": 0.02}, [BIAS])


def test_a_folder_of_predictions_is_a_side(tmp_path):
    """F and R are judged in one call: each file is named after its benchmark, plain or packed."""
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        math_answers(folder / "lab-math.jsonl", lambda i: i % 5)
    bias(old / "lab-bias.jsonl")
    bias(new / "lab-bias.jsonl", lambda i, e: i % 2 == 0)
    (new / "lab-bias.jsonl.gz").write_bytes(gzip.compress((new / "lab-bias.jsonl").read_bytes()))
    (new / "lab-bias.jsonl").unlink()
    rows = {row["axis"]: row for row in fr.check(new, old, {"F": 0.02, "R": 0.25}).rows}
    alone = fr.check(new / "lab-bias.jsonl.gz", old / "lab-bias.jsonl", {"F": 0.02}, [BIAS]).rows
    assert [rows["F"]] == alone and rows["F"]["verdict"] == "worse"
    assert rows["R"]["verdict"] == "not worse" and rows["R"]["new"] == 1
    assert {row["benchmark"] for row in fr.compare(old, new)} == {BIAS, MATH}
    assert {row["benchmark"] for row in fr.compare(old, new, [MATH])} == {MATH}


def test_what_one_side_lacks_what_neither_holds_and_what_is_not_read_is_said(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        rows = [{"id": e.id, "response": str(e.answer)} for e in questions(MATH)[:40]]
        write(folder / "lab-math.jsonl", rows)
    bias(old / "lab-bias.jsonl")
    bias(new / "lab-bias.json")
    (new / "notes").mkdir()
    (new / ".cache").mkdir()
    (new / "lab-chart.jsonl").symlink_to(tmp_path / "gone.jsonl")
    said: list[str] = []
    fr.compare(old, new, remark=said.append)
    assert said == [
        f"lab-bias: only {old} holds it; it is not compared",
        f"{new}: not read: lab-bias.json, lab-chart.jsonl (a broken link), notes/; predictions lie in files named "
        "after their benchmark, e.g. bbq.jsonl",
        f"lab-math: both sides hold 40 of {len(questions(MATH)):,} questions; no other is judged",
    ]
    said.clear()
    fr.check(new, old, {"R": 0.02}, [MATH], remark=said.append)
    assert said == [f"lab-math: both sides hold 40 of {len(questions(MATH)):,} questions; no other is judged"]


@pytest.mark.data
def test_a_part_beside_its_whole_is_said_and_counts_once(tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    rows = benchmarks.get("bbq/Age").load("test", None)
    for name in ("bbq", "bbq-Age"):
        write(folder / f"{name}.jsonl", [{"id": e.id, "choice": e.answer} for e in rows])
    said: list[str] = []
    row = fr.check(folder, folder, {"F": 0.5}, remark=said.append).rows[0]
    assert row["n"] == len(rows)
    assert "bbq/Age: is a part of bbq, which stands here too; a mean over benchmarks counts bbq" in said
    assert fr.check(folder, folder, {"F/bbq/Age": 0.5}).rows[0]["n"] == len(rows)


def test_a_folder_of_predictions_for_ones_own_items(tmp_path):
    rows = [{"id": str(i), "prompt": f"{i} and 1?", "answer": str(i + 1), "axis": "reasoning"} for i in range(40)]
    items = write(tmp_path / "sums.jsonl", rows)
    folder = tmp_path / "new"
    folder.mkdir()
    write(folder / "sums.jsonl", [{"id": row["id"], "response": row["answer"]} for row in rows])
    assert fr.check(folder, folder, {"R": 0.2}, [f"items:{items}"]).rows[0]["n"] == 40


def test_a_folder_that_is_no_side_says_so_in_one_sentence(tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    nothing = r"no finished evaluation in it \(no scores.json\) and no predictions \(no file named after its benchmark"
    with pytest.raises(fr.DataError, match=nothing):
        fr.check(old, old)
    bias(old / "answers.jsonl")
    with pytest.raises(fr.DataError, match=nothing):
        fr.check(old, old)
    bias(old / "lab-bias.jsonl")
    with pytest.raises(fr.DataError, match=r"answers.jsonl: named after no benchmark\..* Name those to judge by with"):
        fr.check(old, old)
    assert fr.check(old, old, {"F": 0.25}, [BIAS]).verdict == "not worse"
    (old / "answers.jsonl").rename(old / "lab-mth.jsonl")
    with pytest.raises(fr.DataError, match=r"lab-mth.jsonl: named after no benchmark. Did you mean lab-math.jsonl\?"):
        fr.check(old, old)
    with pytest.raises(fr.DataError, match=r"no predictions for lab-math \(no lab-math.jsonl\)"):
        fr.check(old, old, None, [BIAS, MATH])
    bias(old / "lab-bias.jsonl.gz")
    with pytest.raises(fr.DataError, match=r"two files for lab-bias: lab-bias.jsonl, lab-bias.jsonl.gz. Keep one"):
        fr.check(old, old, None, [BIAS])


def test_junit_has_a_case_an_axis(tmp_path):
    rows = [
        {"axis": "F", "verdict": "not worse", "gain": 0.0, "gain_low": -0.01, "gain_high": 0.01, "margin": 0.02},
        {"axis": "R", "verdict": "worse", "gain": -0.1, "gain_low": -0.2, "gain_high": -0.05, "margin": 0.02},
        {"axis": "s_dis", "verdict": "cannot tell", "gain": None, "gain_low": None, "gain_high": None,
         "margin": 0.02, "needed_n": None, "needed_clusters": None},
    ]  # fmt: skip
    junit.write(tmp_path / "out.xml", rows)
    suite = ET.parse(tmp_path / "out.xml").getroot().find("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    assert [[child.tag for child in case if child.tag != "system-out"] for case in suite] == [
        [],
        ["failure"],
        ["error"],
    ]
    assert suite[2].find("error").get("message").endswith("no number of examples like these would decide")
