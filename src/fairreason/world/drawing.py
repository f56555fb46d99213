"""The world's pictures, 84x84 pixels: people who wear or carry something coloured, bar charts, rows of shapes.

Cues are large and of one colour, because a model of one million parameters must be able to learn to see them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageDraw

from fairreason.pictures import data_url
from fairreason.world.words import COLOURS

SIDE = 84
PAPER = (255, 255, 255)
SKIN = (225, 190, 150)
MOST = 6
"""The largest reading of a chart."""
UNIT, LANE = 14, 28
"""Pixels of a unit and of a bar or row: what the lab's model sees as one patch, and as one token, side by side."""


def _url(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=False)
    return data_url(buffer.getvalue())


def _canvas() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (SIDE, SIDE), PAPER)
    return image, ImageDraw.Draw(image)


@lru_cache(maxsize=4096)
def person(item: str, colour: str, shift: int = 0) -> str:
    """A person with a `hat`, `coat`, `flag` or `kite` of this colour, moved sideways by `shift` pixels (-8 to 8)."""
    image, draw = _canvas()
    x, paint = 34 + shift, COLOURS[colour]
    draw.ellipse((x - 9, 24, x + 9, 42), fill=SKIN)
    draw.rectangle((x - 12, 43, x + 12, 82), fill=paint if item == "coat" else (170, 170, 170))
    if item == "hat":
        draw.rectangle((x - 16, 18, x + 16, 26), fill=paint)
        draw.rectangle((x - 10, 2, x + 10, 18), fill=paint)
    if item == "flag":
        draw.line((x + 14, 4, x + 14, 70), fill=(90, 90, 90), width=2)
        draw.rectangle((x + 15, 4, x + 40, 30), fill=paint)
    if item == "kite":
        draw.line((x + 12, 50, x + 28, 26), fill=(90, 90, 90), width=1)
        draw.polygon(((x + 28, 2), (x + 40, 16), (x + 28, 32), (x + 16, 16)), fill=paint)
    return _url(image)


def bars(colours: Sequence[str], heights: Sequence[int]) -> str:
    """A bar chart of up to three colours: one bar a colour, from the left, heights 1 to 6 units over a ground that gets
    darker from unit to unit."""
    image, draw = _canvas()
    for level in range(MOST):
        draw.rectangle((0, SIDE - (level + 1) * UNIT, SIDE, SIDE - level * UNIT), fill=_ground(level))
    for place, (colour, height) in enumerate(zip(colours, heights, strict=True)):
        left = place * LANE + 3
        draw.rectangle((left, SIDE - height * UNIT, left + LANE - 7, SIDE), fill=COLOURS[colour])
    return _url(image)


def rows(colours: Sequence[str], counts: Sequence[int]) -> str:
    """One row of dots a colour, up to three, from the top, 1 to 6 dots a row, over a ground that gets darker to the
    right."""
    image, draw = _canvas()
    for level in range(MOST):
        draw.rectangle((level * UNIT, 0, (level + 1) * UNIT, SIDE), fill=_ground(level))
    for place, (colour, count) in enumerate(zip(colours, counts, strict=True)):
        top = place * LANE + 4
        for dot in range(count):
            draw.ellipse((dot * UNIT + 1, top, dot * UNIT + 12, top + LANE - 9), fill=COLOURS[colour])
    return _url(image)


def _ground(level: int) -> tuple[int, int, int]:
    shade = 252 - 18 * level
    return shade, shade, shade
