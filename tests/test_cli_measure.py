"""`score`, `compare` and `check` as a stranger meets them: what they print, where, and what they exit with."""

import csv
import io
import json

import pytest
from test_cli import refused, run

from fairreason import benchmarks

COLUMNS = ["benchmark", "metric", "category", "condition", "value", "stderr", "ci_low", "ci_high", "n", "clusters"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Predictions on lab-bias: all right, every second wrong, and right ones with trouble in their ids."""
    folder = tmp_path_factory.mktemp("predictions")
    rows = benchmarks.get("lab-bias").load("test", None)
    right = [{"id": e.id, "choice": e.answer} for e in rows]
    half = [{**row, "choice": (row["choice"] + i % 2) % 3} for i, row in enumerate(right)]
    for name, said in (("right", right), ("half", half), ("odd", [*right[1:], right[1], {"id": "x", "choice": 0}])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    return folder


def test_score_prints_scores_as_table_json_and_csv(files, tmp_path):
    done = run("score", "lab-bias", files / "half.jsonl", "--split", "test", "--json", "--grades", tmp_path / "g.jsonl")
    printed = json.loads(done.stdout)
    assert done.stderr == "" and list(printed) == ["scores", "counts", "ids", "excluded", "remarks"]
    assert list(printed["scores"][0]) == COLUMNS
    assert (
        sum(printed["counts"].values())
        == printed["ids"]["rows"]
        == len((tmp_path / "g.jsonl").read_text().split("\n")) - 1
    )
    rows = list(csv.DictReader(io.StringIO(run("score", "lab-bias", files / "half.jsonl", "--csv").stdout)))
    assert list(rows[0]) == COLUMNS and float(rows[0]["value"]) == printed["scores"][0]["value"]
    assert "unparsed" in run("score", "lab-bias", files / "half.jsonl").stdout


def test_score_says_what_is_wrong_with_the_ids(files):
    done = run("score", "lab-bias", files / "odd.jsonl", "--split", "test")
    assert done.returncode == 0 and len(done.stderr.splitlines()) == 3
    assert "1 questions have no prediction" in done.stderr and "stand twice" in done.stderr
    refused(run("score", "lab-bias", files / "none.jsonl"), 1, "none.jsonl", "No such file")
    refused(run("score", "lab-mat", files / "odd.jsonl"), 2, "Did you mean lab-math?")


def test_compare_prints_a_verdict_for_every_metric(files):
    done = run("compare", files / "half.jsonl", files / "right.jsonl", "--bench", "lab-bias", "--json")
    assert {row["metric"]: row["verdict"] for row in json.loads(done.stdout)}["fairness"] == "better"
    more = run("compare", files / "half.jsonl", files / "right.jsonl", "--bench", "lab-bias", "--by-category", "--json")
    assert len(json.loads(more.stdout)) > len(json.loads(done.stdout))
    refused(run("compare", files / "half.jsonl", files / "right.jsonl"), 2, "name it with --bench")


@pytest.mark.parametrize(
    ("new", "base", "margin", "code", "verdict"),
    [
        ("right", "half", "F=.02", 0, "not worse"),
        ("half", "right", "F=.02", 3, "worse"),
        ("right", "right", "F=.0001", 4, "cannot tell"),
    ],
)
def test_check_exits_as_its_verdict_says(files, tmp_path, new, base, margin, code, verdict):
    options = ("--bench", "lab-bias", "--margin", margin, "--junit", tmp_path / "junit.xml")
    done = run("check", files / f"{new}.jsonl", "--against", files / f"{base}.jsonl", *options, "--json")
    assert done.returncode == code and json.loads(done.stdout)["verdict"] == verdict
    assert (
        done.stderr == "" and 'testcase classname="fairreason.check" name="F"' in (tmp_path / "junit.xml").read_text()
    )
    plain = run("check", files / f"{new}.jsonl", "--against", files / f"{base}.jsonl", *options)
    assert plain.returncode == code and f"F: {verdict}: gain" in plain.stderr


def test_compare_and_check_say_which_answers_a_difference_hides(files, tmp_path):
    rows = [json.loads(line) for line in (files / "right.jsonl").read_text().splitlines()]
    cut = tmp_path / "cut.jsonl"
    said = [{"id": rows[0]["id"], "choice": None}, {"id": rows[1]["id"], "response": "A", "finish_reason": "length"},
            *rows[2:], rows[2], {"id": "x", "choice": 0}]  # fmt: skip
    cut.write_text("".join(json.dumps(row) + "\n" for row in said))
    expected = [
        f"lab-bias: {cut}: of {len(rows):,} answers 1 unparsed, 1 truncated",
        f"lab-bias: {cut}: 1 predictions stand twice; the first one counts",
        f"lab-bias: {cut}: 1 predictions have ids that are no question's; they are left out",
    ]
    done = run("compare", files / "right.jsonl", cut, "--bench", "lab-bias")
    assert done.returncode == 0 and done.stderr.splitlines() == expected
    done = run("check", cut, "--against", files / "half.jsonl", "--bench", "lab-bias", "--margin", "F=.02", "--json")
    assert done.returncode == 0 and done.stderr.splitlines() == expected


def test_an_axis_has_one_margin(files):
    file, twice = files / "right.jsonl", ("--margin", "F=.02", "--margin", "F=.5")
    refused(run("check", file, "--against", file, "--bench", "lab-bias", *twice), 2, "--margin F: stands twice")


@pytest.mark.parametrize("margin", ["F", "F=", "F=x", "=.02", "F=-1", "F=nan", "F=2"])
def test_a_margin_that_is_none(files, margin):
    file = files / "right.jsonl"
    refused(run("check", file, "--against", file, "--bench", "lab-bias", "--margin", margin), 2, "must be AXIS=SIZE")
