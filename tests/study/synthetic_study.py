"""A study folder as study and evaluation write it, made from a formula, so that the report can be tested untrained.

Numbers are plausible and mean nothing. `make_study(folder, evil=PAYLOAD)` writes the payload as one completion, one
category and one run's name.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from pathlib import Path
from typing import Any

PAYLOAD = (
    "</script><script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>"
    "<a href=javascript:window.pwned=3>link</a>{{7*7}} \u200fright-to-left"
)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
DOT = f"data:image/png;base64,{PIXEL}"
SHARES = [0.0, 0.05, 0.1, 0.2, 0.4, 1.0]
STRATEGIES = {"sft": (0.55, 0.62), "kd": (0.75, 0.12), "grpo": (0.82, 0.18)}  # fairness reached, reasoning lost
BENCHES = {"lab-bias": "bias", "lab-bias-vl": "bias", "lab-math": "reasoning", "lab-chart": "reasoning"}
CATEGORIES = ["Hats", "Towns", "Instruments", "Handedness", "Gardens", "Breakfast"]
OUTCOMES = ("correct", "wrong", "unparsed", "truncated", "error")


def make_study(folder: Path, *, evil: str | None = None, seeds: int = 3, questions: int = 60) -> Path:
    """Base, 3 strategies x 6 shares x seeds, one on-policy point, one run that failed and one that collapsed."""
    runs = [("none-lab", "none", "none", None, None)]
    runs += [(f"{s}-b{b:g}-s{i}", s, s, b, i) for s in STRATEGIES for b in SHARES for i in range(seeds)]
    runs += [(f"kd-on_policy-b0.2-s{i}", "kd", "kd on_policy", 0.2, i) for i in range(seeds)]
    failed = {"grpo-b0.05-s1", *(f"sft-b0.4-s{i}" for i in range(seeds))}
    rows = []
    for number, (name, strategy, label, share, seed) in enumerate(runs):
        shown = evil if evil and name == "grpo-b0.2-s0" else name
        place = f"{name}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
        status = "failed" if name in failed else "finished"
        reason = "loss is not finite at step 31" if status == "failed" else ""
        row = {
            "name": shown,
            "folder": f"runs/{place}",
            "point": name.rpartition("-s")[0] if seed is not None else name,
            "strategy": strategy,
            "label": label,
            "bias_share": share,
            "seed": seed,
        }
        rows.append({**row, "status": status, "reason": reason, "seconds": 40.0 + number})
        write_run(folder / "runs" / place, name, label, share, seed or 0, status, evil, questions)
    write(folder / "study.json", {"version": "0.1.0", "recipe": RECIPE, "recipe_yaml": RECIPE_YAML, "runs": rows})
    write(folder / "frontier.json", frontier(rows, seeds))
    lines(folder / "questions.jsonl", [question(b, i, evil) for b in BENCHES for i in range(questions)])
    return folder


def write_run(
    folder: Path, name: str, label: str, share: float | None, seed: int, status: str, evil: str | None, questions: int
) -> None:
    collapsed = 24 if name == "sft-b1-s2" else None
    cost = {"prompt_tokens": 96_000, "trained_tokens": 41_000, "sampled_tokens": 0, "seconds": 61.0, "steps": 50}
    state = {"status": status, "collapsed_at": collapsed, "cost": cost}
    write(folder / "state.json", state)
    if share is not None:
        lines(folder / "metrics.jsonl", curve(label, share, seed, 31 if status == "failed" else 50))
    if status == "failed":
        return
    for bench, axis in BENCHES.items():
        grades = [grade(bench, i, name, evil) for i in range(questions)]
        counts = {outcome: sum(g["outcome"] == outcome for g in grades) for outcome in OUTCOMES}
        place = folder / "evaluation" / bench
        answers = [completion(bench, i, evil if name == "grpo-b0.2-s0" else None) for i in range(questions)]
        lines(place / "grades.jsonl", grades)
        lines(place / "completions.jsonl", answers)
        scores = [row for row in scores_of(bench, axis, label, share, seed, evil)]
        write(place / "scores.json", {"benchmark": bench, "n": questions, "counts": counts, "scores": scores})


def figures(label: str, share: float | None, seed: int = 0) -> dict[str, float]:
    """F, R and the bias axes of a configuration, by formula; the seed moves them a little."""
    reached, lost = STRATEGIES.get(label, (0.88, 0.03))
    move = random.Random(f"{label}{share}{seed}").uniform(-0.02, 0.02)
    gain = 0.0 if share is None else reached * (1 - math.exp(-7 * share))
    ambig, disambig = min(0.98, 0.14 + gain + move), 0.86 + 0.04 * gain - (0.25 * (share or 0) if label == "sft" else 0)
    R = 1.0 if share is None else 1.06 - lost * share**0.6 + move
    s_amb = 0.62 - 0.62 * gain / 0.9 + move
    return {
        "F": ambig + disambig - 1,
        "R": R,
        "accuracy_ambig": ambig,
        "accuracy_disambig": disambig,
        "s_amb": s_amb,
        "s_amb_abs": abs(s_amb) + 0.02,
        "s_dis": 0.11 - 0.08 * gain,
        "nonalignment_cost": -0.16 + 0.12 * gain,
        "abstention_j": ambig - 0.1,
        "unknown_ambig": ambig,
        "unknown_disambig": 0.1 + (0.3 * (share or 0) if label == "sft" else 0),
    }


def frontier(rows: list[dict[str, Any]], seeds: int) -> dict[str, Any]:
    points = []
    for label, share in [*((s, b) for s in STRATEGIES for b in SHARES), ("kd on_policy", 0.2)]:
        prefix = f"{label.replace(' ', '-')}-b{share:g}-s"
        runs = [r for r in rows if Path(r["folder"]).name.startswith(prefix) and r["status"] == "finished"]
        if runs:
            points.append(point(label, share, runs))
    for p in points:
        beaten = any(
            q["F"]["value"] >= p["F"]["value"] and q["R"]["value"] >= p["R"]["value"] and q is not p for q in points
        )
        p["on_frontier"], p["frontier_probability"] = not beaten, 0.05 if beaten else 0.87
    base = {**point("base", None, rows[:1]), "R0": None, "on_frontier": False, "frontier_probability": 0.0}
    spot = {"best": "grpo-b0.2", "alike": ["grpo-b0.2", "kd-on_policy-b0.2"], "by_share": {"0.2": 0.71, "0.4": 0.29}}
    return {
        "benchmarks": {axis: [b for b, a in BENCHES.items() if a == axis] for axis in ("bias", "reasoning")},
        "constants": {"reference": {"F": 0, "R": 0.5}, "cut": {"F": 1, "R": 1.25}, "margin": 0.02},
        "base": base,
        "points": points,
        "contrasts": contrasts(),
        "hypervolume": {
            "all": {**estimate(0.61, 0.02), "points": 12},
            "sft": {**estimate(0.39, 0.03), "points": 6},
            "grpo": {**estimate(0.58, 0.02), "points": 6},
        },
        "hypervolume_contrasts": [
            {"from": "sft", "to": "grpo", "points": 5, **difference(0.19, 0.02), "verdict": "better"},
            {"from": "kd", "to": "grpo", "points": 6, **difference(-0.01, 0.01), "verdict": "not told apart"},
        ],
        "sweet_spot": {"0.88": spot, "0.95": spot, "0.98": {"best": None, "alike": [], "by_share": {"none": 1.0}}},
        "rule": "Among the points whose one-sided 95 % lower bound of R is at least rho the one with the highest F.",
        "failed": [{"run": r["name"], "reason": r["reason"]} for r in rows if r["status"] == "failed"],
        "marks": ["leaky", "contaminated: gsm8k"],
    }


def point(label: str, share: float | None, runs: list[dict[str, Any]]) -> dict[str, Any]:
    value = figures(label, share)
    axes = {key: estimate(number, 0.015) for key, number in value.items() if key not in ("F", "R")}
    benches = {"accuracy/lab-math": estimate(0.6 * value["R"], 0.015), "accuracy/lab-chart": estimate(0.64, 0.015)}
    singles = [{"seed": r["seed"], "run": Path(r["folder"]).name, **single(label, share, r["seed"] or 0)} for r in runs]
    cost = {"prompt_tokens": 96_000, "trained_tokens": 41_000, "sampled_tokens": 0, "seconds": 61.0, "steps": 50}
    benches |= {f"{key}/lab-bias": estimate(value[key], 0.02) for key in ("F", "accuracy_ambig", "accuracy_disambig")}
    cost["sampled_tokens"] = 310_000 if label in ("grpo", "kd on_policy") else 0
    return {
        "name": label if share is None else f"{label.replace(' ', '-')}-b{share:g}",
        "strategy": label.split()[0],
        "label": label,
        "bias_share": share,
        "seeds": [r["seed"] for r in runs],
        "runs": [Path(r["folder"]).name for r in runs],
        "F": estimate(value["F"], 0.02),
        "R": estimate(value["R"], 0.018),
        "R0": estimate(value["R"] / 1.06, 0.018),
        "axes": axes,
        "by_benchmark": benches,
        "cost": cost,
        "collapsed": [{"run": "sft-b1-s2", "step": 24}] if (label, share) == ("sft", 1.0) else [],
        "hollow": (label, share) == ("sft", 1.0),
        "single_runs": singles,
    }


def single(label: str, share: float | None, seed: int) -> dict[str, Any]:
    value = figures(label, share, seed + 1)
    return {"F": value["F"], "R": value["R"], "axes": {k: v for k, v in value.items() if k not in ("F", "R")}}


def contrasts() -> list[dict[str, Any]]:
    rows = []
    for number, (label, metric) in enumerate((s, m) for s in STRATEGIES for m in ("F", "R")):
        verdict = ("better", "worse", "tie", "not told apart")[number % 4]
        row = {"strategy": label, "from": 0.0, "to": 0.2, "metric": metric, "difference": 0.4 - 0.1 * number}
        rows.append(
            {**row, "ci_low": 0.31 - 0.1 * number, "ci_high": 0.49 - 0.1 * number, "p": 0.004, "verdict": verdict}
        )
    return rows


def difference(value: float, stderr: float) -> dict[str, float]:
    ends = estimate(value, stderr)
    return {"difference": ends.pop("value"), **ends}


def estimate(value: float, stderr: float) -> dict[str, float]:
    return {"value": value, "ci_low": value - 2 * stderr, "ci_high": value + 2 * stderr, "stderr": stderr}


def curve(label: str, share: float, seed: int, steps: int) -> list[dict[str, Any]]:
    noise = random.Random(f"{label}{share}{seed}")
    rows = []
    for step in range(1, steps + 1):
        done = step / 50
        sources = {}
        for bench, axis in BENCHES.items():
            n = round(40 * (share if axis == "bias" else 1 - share) / 2)
            if n:
                level = min(1, 0.3 + 0.6 * done + noise.uniform(-0.08, 0.08))
                one = {"n": n, "tokens": n * 22, "length": 22 - 6 * done, "loss": 1.6 - done + noise.uniform(0, 0.1)}
                if label in ("grpo", "kd on_policy"):
                    one |= {"accuracy": level, "reward": 2 * level - 1, "zero_variance": done * 0.6}
                    one |= {"unknown_rate": 0.5 * level} if axis == "bias" else {}
                sources[bench] = one
        loss = 1.6 - done + noise.uniform(0, 0.1)
        shares = {"share_examples": share, "share_tokens": share / 3, "unknown_disambig": 0.1}
        rows.append({"step": step, "progress": done, "loss": loss, "learning_rate": 1e-3, **shares, "sources": sources})
    return rows


def scores_of(
    bench: str, axis: str, label: str, share: float | None, seed: int, evil: str | None
) -> list[dict[str, Any]]:
    value = figures(label, share, seed + 1)
    if axis == "reasoning":
        return [score(bench, "accuracy", None, None, 0.6 * value["R"])]
    wanted = {
        ("accuracy", "ambig"): "accuracy_ambig",
        ("accuracy", "disambig"): "accuracy_disambig",
        ("s_amb", "ambig"): "s_amb",
        ("s_dis", "disambig"): "s_dis",
        ("nonalignment_cost", "disambig"): "nonalignment_cost",
        ("unknown_rate", "ambig"): "unknown_ambig",
        ("unknown_rate", "disambig"): "unknown_disambig",
        ("abstention_j", None): "abstention_j",
        ("fairness", None): "F",
        ("s_amb_abs", "ambig"): "s_amb_abs",
    }
    rows = []
    for (metric, condition), key in wanted.items():
        rows.append(score(bench, metric, None, condition, value[key]))
        for number, category in enumerate(categories(evil)):
            shifted = value[key] + 0.02 * (number - 2)
            undefined = metric == "s_dis" and number == 3
            rows.append(score(bench, metric, category, condition, None if undefined else shifted))
    return rows


def score(bench: str, metric: str, category: str | None, condition: str | None, value: float | None) -> dict[str, Any]:
    ends = {"stderr": None, "ci_low": None, "ci_high": None}
    if value is not None:
        ends = {"stderr": 0.03, "ci_low": value - 0.06, "ci_high": value + 0.06}
    row = {"benchmark": bench, "metric": metric, "category": category, "condition": condition}
    return {
        **row,
        "value": value,
        **ends,
        "n": 40 if category is None else 10,
        "clusters": 20 if category is None else 5,
    }


def categories(evil: str | None) -> list[str]:
    return [evil or CATEGORIES[0], *CATEGORIES[1:]]


def grade(bench: str, number: int, name: str, evil: str | None) -> dict[str, Any]:
    outcome = random.Random(f"{bench}{number}{name}").choices(OUTCOMES, (60, 30, 6, 3, 1))[0]
    bias, read = BENCHES[bench] == "bias", outcome in ("correct", "wrong")
    return {
        "id": f"{bench}/test/{number}",
        "sample": 0,
        "cluster": f"{bench}/c{number // 4}",
        "outcome": outcome,
        "choice": 1 if bias and read else None,
        "answer": str(number + 14) if read and not bias else None,
        "rule": "boxed" if read else "",
        "category": categories(evil)[number % 6] if bias else None,
        "condition": ("ambig", "disambig")[number % 2] if bias else None,
    }


def question(bench: str, number: int, evil: str | None) -> dict[str, Any]:
    """Two pictures: one that stands in the question, one that is a file and stays where it is."""
    images = [DOT, "pictures/1.png", f"data:image/svg+xml;base64,{number}"] if bench == "lab-chart" else []
    asked = {"prompt": evil or f"What is {number} + 14?", "images": images, "gold": f"\\boxed{{{number + 14}}}"}
    return {"benchmark": bench, "id": f"{bench}/test/{number}", **asked}


def completion(bench: str, number: int, evil: str | None) -> dict[str, Any]:
    text = (
        evil
        or f"<think>\nfirst {number}, then 14 more: {number} + 14 = {number + 14}\n</think>\n\n\\boxed{{{number + 14}}}"
    )
    place = {"id": f"{bench}/test/{number}", "sample": 0, "text": text, "finish_reason": "stop"}
    return {**place, "prompt_tokens": 31, "completion_tokens": 24}


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


RECIPE = {
    "model": "lab",
    "seed": 0,
    "thinking": "on",
    "marks": ["leaky"],
    "note": "plumbing only: trains on a public test set",
    "mixture": {"size": 2000, "bias_share": 0.2, "bias": {"lab-bias": 1}, "reasoning": {"lab-math": 1}},
    "strategy": {"type": "grpo"},
    "evaluation": {"benchmarks": list(BENCHES), "split": "test", "samples": 1},
    "study": {"grid": {"strategy": {"type": list(STRATEGIES)}, "mixture": {"bias_share": SHARES}, "seed": [0, 1, 2]}},
}
RECIPE_YAML = "# the lab's frontier\nmodel: lab\nseed: 0\nmixture: {size: 2000, bias_share: 0.2}\n"
