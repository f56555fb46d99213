"""The report in a real browser: it draws, answers to the mouse, reaches nothing, and shows untrusted text as text."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from programs import chromium_path
from synthetic_study import DOT, PAYLOAD, make_study

from fairreason.errors import DataError
from fairreason.records import OUTCOMES
from fairreason.study.report import build
from fairreason.study.report.charts import charts
from fairreason.study.report.page import as_data
from fairreason.study.report.read import read_study
from fairreason.study.report.tables import OF_BIAS, points

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
PICTURES = Path(__file__).parents[2] / "docs" / "make_pictures.py"
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("study"), evil=PAYLOAD, questions=24)


@pytest.fixture(scope="module")
def page_file(folder: Path) -> Path:
    return build(folder)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield running
        running.close()


class Opened:
    """A page with what it complained about and what it asked for."""

    def __init__(self, browser: Any, file: Path, **options: Any) -> None:
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page = browser.new_page(**({"viewport": {"width": 1200, "height": 900}} | options))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())
        self.page.wait_for_selector("html[data-drawn]", state="attached")
        self.page.wait_for_selector("#frontier .scatterlayer .point")

    def run(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)

    def hover(self, meta: str, search: str) -> str:
        """The text of the label over a marker of the frontier: of the traces with this meta the one with this hover."""
        self.page.mouse.move(1, 1)
        self.page.mouse.move(*self.run(WHERE, [meta, search]))
        self.page.wait_for_selector("#frontier .hovertext")
        return shown(self.page.text_content("#frontier .hoverlayer"))


WHERE = """async ([meta, search]) => {
  const chart = document.getElementById("frontier");
  const trace = chart.data.find((one) => one.meta === meta && one.hovertext.some((text) => text.includes(search)));
  const i = trace.hovertext.findIndex((text) => text.includes(search)), x = trace.x[i], y = trace.y[i];
  const others = [...chart.data.keys()].filter((k) => chart.data[k].meta !== meta);
  await Plotly.restyle(chart, {hoverinfo: "skip"}, others);
  await Plotly.relayout(chart, {"xaxis.range": [x - 0.01, x + 0.01], "yaxis.range": [y - 0.01, y + 0.01]});
  const {_size: size, xaxis, yaxis} = chart._fullLayout, box = chart.getBoundingClientRect();
  return [box.left + size.l + xaxis.d2p(x), box.top + size.t + yaxis.d2p(y)];
}"""


def cells(file: Path, table: str) -> list[list[str]]:
    """The rows of a table of the page, the header's first, every cell without its interval."""
    rows = file.read_text().partition(f'id="{table}"')[2].partition("</table>")[0].split("<tr")[1:]
    return [
        [re.sub("<small>.*?</small>", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)]
        for row in rows
    ]


def shown(text: str) -> str:
    """Without the isolates that keep a direction mark inside its own text."""
    return re.sub("[\u2068\u2069]", "", text)


@pytest.fixture
def opened(browser: Any, page_file: Path) -> Iterator[Opened]:
    one = Opened(browser, page_file)
    yield one
    assert one.complaints == [] and one.asked == [page_file.as_uri()] and one.run("window.pwned") is None
    one.page.close()


@pytest.mark.chromium
def test_hover_and_axes(opened: Opened, folder: Path) -> None:
    points = json.loads((folder / "frontier.json").read_text())["points"]
    sft = next(point for point in points if point["name"] == "sft-b0.05")
    text = opened.hover("points", "sft-b0.05")
    assert (
        "sft-b0.05" in text and f"F {sft['F']['value']:.3f}" in text and "3 seeds" in text and "trained tokens" in text
    )
    for key in (
        "s_amb",
        "s_amb_abs",
        "nonalignment_cost",
        "accuracy_ambig",
        "accuracy_disambig",
        "abstention_j",
        "cost:trained_tokens",
    ):
        opened.page.select_option("#axis", key)
        drawn = opened.run("document.getElementById('frontier').data.filter(t => t.meta === 'points').map(t => t.x[1])")
        cost = key.startswith("cost:")
        expected = sft["cost"]["trained_tokens"] if cost else sft["axes"][key]["value"]
        assert drawn[0] == pytest.approx(expected, rel=1e-4), key
        chosen = opened.page.text_content("#axis option:checked")
        assert opened.page.text_content("#frontier .xtitle")[1:-1] == chosen
        assert opened.page.text_content("#share-across .gtitle")[1:-1] == chosen
        over = opened.run("document.getElementById('share-across').data.find(t => t.name.includes('sft')).y[1]")
        assert over == pytest.approx(expected, rel=1e-4)


@pytest.mark.chromium
def test_untrusted_text_is_text(opened: Opened) -> None:
    assert any(PAYLOAD in text for text in opened.page.locator("#samples pre").all_text_contents())  # a completion
    assert PAYLOAD in opened.page.text_content("table.categories thead")  # a category
    assert PAYLOAD in opened.page.text_content("#runs tbody")  # a run's name
    assert PAYLOAD in opened.hover("runs", "{{7*7}}")
    opened.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert opened.run("document.querySelectorAll('main a, main script, svg a, svg image').length") == 0
    sources = opened.run("[...document.querySelectorAll('main img')].map(one => one.src)")
    assert sources and set(sources) == {DOT}


@pytest.mark.chromium
@pytest.mark.parametrize(
    "name", ["</script><script>p()", "<img src=x onerror=p()>", "<a href=javascript:p()>", "{{7*7}}", "a \u200fb"]
)
def test_a_legend_shows_names_as_they_are(browser: Any, tmp_path: Path, name: str) -> None:
    one = Opened(browser, build(make_study(tmp_path, evil=name, seeds=1, questions=4)))
    one.page.select_option("#curve-runs", "grpo at share 0.2")
    assert name in shown(one.page.text_content("#curves .legend"))
    assert one.complaints == []
    one.page.close()


@pytest.mark.chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone(browser: Any, page_file: Path, scheme: str) -> None:
    one = Opened(browser, page_file, viewport=PHONE, color_scheme=scheme)
    one.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert one.run("document.documentElement.scrollWidth") == PHONE["width"]
    assert one.run("getComputedStyle(document.documentElement).backgroundColor") == {
        "light": "rgb(255, 255, 255)",
        "dark": "rgb(20, 23, 26)",
    }.get(scheme)
    assert one.complaints == [] and one.asked == [page_file.as_uri()]
    one.page.close()


@pytest.mark.chromium
def test_no_number_at_all(browser: Any, tmp_path: Path) -> None:
    folder = make_study(tmp_path, seeds=1, questions=4)
    content = json.loads((folder / "frontier.json").read_text())
    for point in [content["base"], *content["points"]]:
        point |= {"F": None, "R": None, "R0": None, "axes": dict.fromkeys(point["axes"]), "by_benchmark": {}}
        point |= {"cost": dict.fromkeys(point["cost"]), "frontier_probability": None, "single_runs": []}
    content |= {"hypervolume": {}, "contrasts": []}
    (folder / "frontier.json").write_text(json.dumps(content))
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(build(folder).as_uri())
    assert "no point has both F and R" in page.text_content("#verdict")
    assert complaints == []
    page.close()


@pytest.mark.chromium
def test_without_reasoning_the_bias_axes_still_stand_over_the_shares(browser: Any, tmp_path: Path) -> None:
    folder = make_study(tmp_path, seeds=1, questions=4)
    content = json.loads((folder / "frontier.json").read_text())
    for point in [content["base"], *content["points"]]:
        point |= {"R": None, "R0": None, "by_benchmark": {}}
    (folder / "frontier.json").write_text(json.dumps(content | {"hypervolume": {}}))
    page = browser.new_page()
    page.goto(build(folder).as_uri())
    page.wait_for_selector("#share-across .scatterlayer .point")
    assert page.is_hidden("#share-up") and "No point has numbers for two axes" in page.text_content("#frontier")
    page.close()


def test_what_stands_in_the_file(page_file: Path, folder: Path) -> None:
    source = page_file.read_text()
    assert PAYLOAD[:20] not in source and source.count("<script") == source.count("</script") == 3
    html = unescape(source)
    assert "default-src 'none'" in html and "script-src 'sha256-" in html
    for text in (
        "Hypervolume",
        "grpo-b0.2",
        "leaky",
        "contaminated: gsm8k",
        "plumbing only: trains on a public test set",
    ):
        assert text in html
    assert "failed: <bdi>loss is not finite at step 31</bdi>" in html  # every seed of sft at .4 failed: a hole
    assert "collapsed at step 24" in html and "model: lab" in html


def test_a_model_whose_runs_all_failed_is_told_from_the_others(tmp_path: Path) -> None:
    """No point is left of it, and yet it is one of two models: every row says which is meant."""
    folder = make_study(tmp_path, seeds=1, questions=4)
    content = json.loads((folder / "study.json").read_text())
    for run in content["runs"]:
        run["model"] = "other" if run["status"] == "failed" else "lab"
    (folder / "study.json").write_text(json.dumps(content))
    frontier = json.loads((folder / "frontier.json").read_text())
    for point in frontier["points"]:
        point["model"] = "lab"
    (folder / "frontier.json").write_text(json.dumps(frontier))
    rows = points(read_study(folder))
    assert {row["series"] for row in rows if row.get("hole")} == {"sft · other"}
    shown = ["base", "sft · lab", "kd · lab", "grpo · lab", "kd on_policy · lab"]
    assert list(dict.fromkeys(row["series"] for row in rows if not row.get("hole"))) == shown


def test_counts_add_up(page_file: Path) -> None:
    table = page_file.read_text().partition('id="counts"')[2].partition("</table>")[0]
    rows = [[int(n) for n in re.findall(r"<td>(\d+)</td>", row)] for row in table.split("<tr>")[2:]]
    assert len(rows) == 54 * 4 and all(row[0] == sum(row[1:]) == 24 and len(row) == 1 + len(OUTCOMES) for row in rows)


def test_ten_answers_of_every_run(page_file: Path) -> None:
    """Each with its question, the right answer and what was written; a picture where it stands in the question."""
    html = page_file.read_text().partition('id="samples"')[2].partition("</section>")[0]
    blocks = html.split("<details>")[1:]
    assert [block.count("<pre") for block in blocks] == [3 * 10] * 54
    assert [re.findall('<img src="([^"]*)"', block) for block in blocks] == [[DOT] * 2] * 54


def test_the_papers_table_and_how_it_was_asked(page_file: Path, folder: Path) -> None:
    """Strategies x shares, a row a benchmark number; a share that failed or was not asked is a dash."""
    html, rows = page_file.read_text(), cells(page_file, "shares")
    assert rows[0] == [
        "Strategy",
        "Benchmark",
        "Number",
        "Base",
        *(f"share {s}" for s in ("0", "0.05", "0.1", "0.2", "0.4", "1")),
    ]
    points = {row["name"]: row["by_benchmark"] for row in json.loads((folder / "frontier.json").read_text())["points"]}
    sft = next(row for row in rows if row[:2] == ["<bdi>sft</bdi>", "<bdi>lab-math</bdi>"])
    assert sft[5] == f"{points['sft-b0.05']['accuracy/lab-math']['value']:.3f}" and sft[8] == "–"
    assert [row[2] for row in rows[1:] if row[0] == "<bdi>kd</bdi>" and "lab-bias<" in row[1]] == list(OF_BIAS.values())
    assert "thinking on; test split; 1 answer a question, greedy" in html
    areas = html.partition('id="areas"')[2].partition("</table>")[0]
    assert re.findall(r"<bdi>(\w+)</bdi></th><td>(\d+)", areas) == [("all", "12"), ("sft", "6"), ("grpo", "6")]


def test_two_strategies_are_compared_by_their_hypervolumes(page_file: Path) -> None:
    assert cells(page_file, "area-contrasts") == [
        ["From", "To", "Points of each", "Difference", "Verdict"],
        ["<bdi>sft</bdi>", "<bdi>grpo</bdi>", "5", "0.190", "better"],
        ["<bdi>kd</bdi>", "<bdi>grpo</bdi>", "6", "−0.010", "not told apart"],
    ]
    assert "[0.150, 0.230]" in page_file.read_text().partition('id="area-contrasts"')[2].partition("</table>")[0]


def test_fairness_never_stands_alone(page_file: Path, folder: Path) -> None:
    """Law 5: "always unknown" looks perfectly fair on some of these numbers alone, so they stand together."""
    header, *rows = cells(page_file, "numbers")
    titles = {
        "F": "F",
        "R": "R",
        "R0": "R₀",
        "accuracy_ambig": "Accuracy, ambiguous",
        "accuracy_disambig": "Accuracy, disambiguated",
        "s_amb": "s_AMB",
        "s_amb_abs": "|s_AMB| by category",
        "s_dis": "s_DIS",
        "nonalignment_cost": "Non-alignment cost",
        "abstention_j": "J",
        "unknown_ambig": "Unknown rate, ambiguous",
        "unknown_disambig": "Unknown rate, disambiguated",
    }
    assert header[2 : 2 + len(titles)] == list(titles.values())
    points = json.loads((folder / "frontier.json").read_text())["points"]
    grpo = next(point for point in points if point["name"] == "grpo-b1")
    values = [(grpo.get(key) or grpo["axes"][key])["value"] for key in titles]
    written = next(row for row in rows if row[:2] == ["<bdi>grpo</bdi>", "1"])
    assert written[2 : 2 + len(titles)] == [f"{value:.3f}".replace("-", "−") for value in values]


def without_shares(tmp_path: Path) -> Path:
    """A study in which one point was trained on a schedule and one is a model that was only evaluated."""
    folder = make_study(tmp_path, seeds=1, questions=4)
    content = json.loads((folder / "frontier.json").read_text())
    by_name = {point["name"]: point for point in content["points"]}
    by_name["sft-b0.2"] |= {"bias_share": None}
    by_name["kd-b0.2"] |= {"bias_share": None, "strategy": "none", "label": "none"}
    (folder / "frontier.json").write_text(json.dumps(content))
    return folder


def test_a_schedule_is_told_from_a_model_that_is_only_evaluated(tmp_path: Path) -> None:
    folder = without_shares(tmp_path)
    data = charts(read_study(folder))
    shareless = {point["name"]: point["trained"] for point in data["points"] if point["share"] is None}
    assert shareless == {"sft-b0.2": True, "kd-b0.2": False}
    assert [hole["trained"] for hole in data["holes"]] == [True]


@pytest.mark.chromium
def test_the_legend_tells_them_apart_in_words_and_shape(browser: Any, tmp_path: Path) -> None:
    one = Opened(browser, build(without_shares(tmp_path)))
    traces = one.run("document.getElementById('frontier').data")
    shapes = {trace["name"]: trace["marker"]["symbol"] for trace in traces if trace.get("legend") == "legend2"}
    assert list(shapes)[:-2] == [f"share {s}" for s in (0, 0.05, 0.1, 0.2, 0.4, 1)]
    assert set(list(shapes)[-2:]) == {"schedule", "evaluated only"} and len(set(shapes.values())) == len(shapes)
    sft = next(t for t in traces if t.get("meta") == "points" and t["legendgroup"] == "sft")["marker"]["symbol"]
    assert shapes["schedule"] in sft and shapes["evaluated only"] not in sft
    assert one.complaints == []
    one.page.close()


def test_the_pictures_legend_says_the_same(tmp_path: Path) -> None:
    content = json.loads((without_shares(tmp_path) / "frontier.json").read_text())
    picture = runpy.run_path(str(PICTURES))["picture"]
    dial = r">(bias share [\d.]+|schedule|evaluated only)<"
    shares = [f"bias share {s}" for s in (0, 0.05, 0.1, 0.2, 0.4, 1)]
    assert re.findall(dial, picture(content)) == [*shares, "evaluated only", "schedule"]
    content["points"] = [point for point in content["points"] if point["strategy"] != "none"]
    assert re.findall(dial, picture(content)) == [*shares, "schedule"]


def test_data_block_by_hand() -> None:
    assert as_data({"a": "</script>", "b": float("nan")}) == '{"a":"\\u003c/script>","b":null}'


def test_nothing_to_report(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no study\.json"):
        build(tmp_path)
    (tmp_path / "study.json").write_text('{"runs": []}')
    with pytest.raises(DataError, match="no run has scores yet"):
        build(tmp_path)
    assert not (tmp_path / "report").exists()


def test_a_study_that_still_runs(tmp_path: Path) -> None:
    folder = make_study(tmp_path, seeds=1, questions=4)
    (folder / "frontier.json").unlink()
    log = next((folder / "runs").glob("kd-b0.2*")) / "metrics.jsonl"
    log.write_text(log.read_text() + '{"step": 51, "sou')
    assert "The study has not ended yet" in build(folder).read_text()
