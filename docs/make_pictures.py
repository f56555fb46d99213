"""Draws docs/frontier.svg, the README's picture, from a study's frontier.json.

    python docs/make_pictures.py runs/lab-frontier [docs/frontier.svg]

The same colours as in the report: a colour a strategy, a marker's shape a bias share, a star the base.
Light or dark follows the reader's browser.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 62, 150, 20, 50
FIRST = ("sft", "kd", "grpo")
STYLE = """
text{font:13px system-ui,sans-serif;fill:var(--ink)} text.dim{fill:var(--dim)}
.paper{fill:var(--paper)} .ink{fill:var(--ink);stroke:var(--ink)} .key{fill:var(--dim);stroke:var(--dim)}
.rule{stroke:var(--rule)} .edge{stroke:var(--dim);fill:none;stroke-dasharray:2 4;stroke-width:1.5}
svg{--paper:#fff;--ink:#1b1f23;--dim:#59636e;--rule:#d5dae0}
.c0{--c:#0072b2}.c1{--c:#d55e00}.c2{--c:#008f68}.c3{--c:#b0528a}.c4{--c:#9a6a00}.c5{--c:#5b4bb7}
@media(prefers-color-scheme:dark){svg{--paper:#14171a;--ink:#e6e9ec;--dim:#a3adb8;--rule:#363c43}
.c0{--c:#56b4f0}.c1{--c:#ff8c42}.c2{--c:#2fc79a}.c3{--c:#e79ac8}.c4{--c:#e8bd4a}.c5{--c:#a99bf5}}
.c{stroke:var(--c);fill:var(--c)} .bar{stroke-width:1.2}
"""
CORNERS = {0: 0, 1: 4, 2: 4, 3: 3, 4: 5, 5: 6, 6: 3, 7: 8}
TURNS = {1: 45.0, 6: 180.0}


class Scale(NamedTuple):
    """A number's place: `low` lies at `start`, `high` at `end` (pixels)."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        step = next(s for s in (0.05, 0.1, 0.2, 0.5, 1, 2, 5) if (self.high - self.low) / s <= 8)
        first = math.ceil(self.low / step - 1e-9)
        return [round(i * step, 6) for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def picture(frontier: dict[str, Any]) -> str:
    """The SVG of a frontier.json. Raises SystemExit when no point has both F and R."""
    points = [p for p in frontier["points"] if p.get("F") and p.get("R")]
    if not points:
        sys.exit("no point of this study has both F and R; there is nothing to draw")
    base = frontier.get("base") or {}
    drawn = [*points, *([base] if base.get("F") and base.get("R") else [])]
    x, y = scale(drawn, "F", LEFT, WIDTH - RIGHT), scale(drawn, "R", HEIGHT - BOTTOM, TOP)
    labels = sorted(dict.fromkeys(p["label"] for p in points), key=lambda s: FIRST.index(s) if s in FIRST else 9)
    dials = sorted({dial(p) for p in points}, key=lambda at: (isinstance(at, str), at))
    parts = [*grid(x, y), *edge(points, x, y)]
    for point in points:
        kind = f"c c{labels.index(point['label']) % 6}"
        parts += mark(point, x, y, kind, marker(dials.index(dial(point))))
    if drawn[-1] is base:
        parts += mark(base, x, y, "ink", polygon(5, 10, inner=0.45))
    parts += legend(labels, dials)
    title = "Reasoning kept (R) against fairness (F) of every configuration, with 95 % intervals"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{title}</title>'
    paper = f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="8"/>'
    return "\n".join([head, f"<style>{STYLE}</style>", paper, *parts, "</svg>"]) + "\n"


def dial(point: dict[str, Any]) -> float | str:
    """Where a point stands on the dial: its share, or in words why it has none."""
    if point["bias_share"] is not None:
        return point["bias_share"]
    return "evaluated only" if point["strategy"] == "none" else "schedule"


def scale(points: Sequence[dict[str, Any]], key: str, start: float, end: float) -> Scale:
    values = [p[key][part] for p in points for part in ("value", "ci_low", "ci_high") if p[key][part] is not None]
    room = 0.05 * (max(values) - min(values) or 1)
    return Scale(min(values) - room, max(values) + room, start, end)


def grid(x: Scale, y: Scale) -> list[str]:
    parts = []
    for tick in x.ticks():
        parts.append(f'<path class="rule" d="M{x(tick):.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(
            f'<text class="dim" x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{tick:g}</text>'
        )
    for tick in y.ticks():
        parts.append(f'<path class="rule" d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="dim" x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">F (fairness)</text>')
    turn = f'transform="translate(16 {middle}) rotate(-90)" text-anchor="middle"'
    return [*parts, f"<text {turn}>R (reasoning kept, base = 1)</text>"]


def edge(points: Sequence[dict[str, Any]], x: Scale, y: Scale) -> list[str]:
    """The staircase below which every place is beaten by a point of the frontier."""
    on = sorted((p["F"]["value"], p["R"]["value"]) for p in points if p.get("on_frontier"))
    if not on:
        return []
    path = f"M{x(on[0][0]):.1f} {y(on[0][1]):.1f}" + "".join(f"V{y(R):.1f}H{x(F):.1f}" for F, R in on[1:])
    return [f'<path class="edge" d="{path}"/>']


def mark(point: dict[str, Any], x: Scale, y: Scale, kind: str, shape: str) -> list[str]:
    F, R = point["F"], point["R"]
    across, up = x(F["value"]), y(R["value"])
    parts = []
    if F["ci_low"] is not None:
        parts.append(f'<path class="{kind} bar" d="M{x(F["ci_low"]):.1f} {up:.1f}H{x(F["ci_high"]):.1f}"/>')
    if R["ci_low"] is not None:
        parts.append(f'<path class="{kind} bar" d="M{across:.1f} {y(R["ci_low"]):.1f}V{y(R["ci_high"]):.1f}"/>')
    text = escape(f"{point['name']}: F {F['value']:.3f}, R {R['value']:.3f}")
    place = f'transform="translate({across:.1f} {up:.1f})"'
    return [*parts, f'<g {place} class="{kind}" stroke-width="2"><title>{text}</title>{shape}</g>']


def marker(number: int) -> str:
    number %= len(CORNERS)
    return '<circle r="5.5"/>' if not CORNERS[number] else polygon(CORNERS[number], 7, TURNS.get(number, 0.0))


def polygon(corners: int, radius: float, turn: float = 0.0, inner: float | None = None) -> str:
    """A regular polygon with a corner up; with `inner` a star."""
    count = corners if inner is None else 2 * corners
    radii = [radius if inner is None or i % 2 == 0 else radius * inner for i in range(count)]
    angles = [math.radians(turn - 90 + 360 * i / count) for i in range(count)]
    places = (f"{r * math.cos(a):.1f},{r * math.sin(a):.1f}" for r, a in zip(radii, angles, strict=True))
    return f'<polygon points="{" ".join(places)}"/>'


def legend(labels: Sequence[str], dials: Sequence[float | str]) -> list[str]:
    rows = [("ink", polygon(5, 9, inner=0.45), "base")]
    rows += [(f"c c{i % 6}", '<circle r="5.5"/>', label) for i, label in enumerate(labels)]
    rows += [("", "", "")]
    rows += [("key", marker(i), at if isinstance(at, str) else f"bias share {at:g}") for i, at in enumerate(dials)]
    parts = []
    for number, (kind, shape, text) in enumerate(rows):
        place = f'transform="translate({WIDTH - RIGHT + 22} {TOP + 14 + 23 * number})"'
        parts.append(f'<g {place}><g class="{kind}">{shape}</g><text x="14" y="4">{escape(text)}</text></g>')
    return parts


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).with_name("frontier.svg")
    target.write_text(
        picture(json.loads((Path(sys.argv[1]) / "frontier.json").read_text(encoding="utf-8"))), encoding="utf-8"
    )
    print(target)
