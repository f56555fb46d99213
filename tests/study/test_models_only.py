"""A study that trains nothing: checkpoints made elsewhere, evaluated and placed on one frontier."""

import json

import pytest

import fairreason as fr


def test_the_frontier_of_checkpoints_made_elsewhere(tmp_path):
    recipe = fr.Recipe.parse(
        {
            "model": "lab",
            "strategy": {"type": "none"},
            "evaluation": {"benchmarks": ["lab-bias", "lab-math"], "limit": 24},
            "study": {"grid": {"model": ["lab", "lab-teacher"], "strategy": {"type": ["none"]}}},
        }
    )
    out = tmp_path / "study"
    done = fr.study(recipe, out)
    assert [run["model"] for run in done["runs"]] == ["lab", "lab-teacher"]  # the base is the first of them, once
    assert {run["status"] for run in done["runs"]} == {"finished"}
    found = fr.frontier(out)
    assert [(point["model"], point["strategy"], point["on_frontier"]) for point in found["points"]] == [
        ("lab-teacher", "none", True)
    ]
    assert found["points"][0]["F"]["value"] > found["base"]["F"]["value"] + 0.5  # the teacher is fair, the base is not
    page = fr.report(out).read_text()
    assert "lab-teacher" in page
    rows = (out / "results.csv").read_text().splitlines()
    assert {row.split(",")[1] for row in rows[1:]} == {"lab", "lab-teacher"}

    changes = {row["metric"]: row for row in fr.compare(*(out / run["folder"] for run in done["runs"]), ["lab-bias"])}
    assert changes["fairness"]["b"] == pytest.approx(found["points"][0]["F"]["value"])
    assert json.loads((out / "study.json").read_text())["runs"][0]["seed"] is None
