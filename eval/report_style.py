"""How the plots of a report look: colours, marks, and labels that keep out of each other's way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

# Okabe and Ito 2008, told apart with every common colour vision; marks and dashes tell them apart in grey.
COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a7a7a")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)))

INK, MUTED, RULE, PAPER = "#1c1e21", "#62666d", "#d5d8dc", "#ffffff"
FONT = 8.5  # points; a panel is 4 inches wide, so 10 CSS pixels remain when a phone shows it at 345
NAME_LENGTH = 15  # characters that fit right of a panel
TITLE_LENGTH = 38


@dataclass(frozen=True, slots=True)
class Style:
    """What stands for one system in every plot."""

    colour: str
    marker: str
    dash: Any


def styles_of(names: Iterable[str]) -> dict[str, Style]:
    """Return a style for each system: the first seven colours differ, the first nine marks, and more combined."""
    return {
        name: Style(COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)], DASHES[i % len(DASHES)])
        for i, name in enumerate(names)
    }


def clipped(name: str, length: int = NAME_LENGTH) -> str:
    """Return a name that fits; its middle is left out, since long names often differ at their ends."""
    text = "".join(c if c.isprintable() else " " for c in name)  # control characters are no XML
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def spread(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places near ``values``, at least ``gap`` apart and within ``low`` to ``high`` if they fit.

    Least squares by pooling adjacent violators (Ayer et al. 1955), since places ``gap`` apart are a
    monotone sequence once ``i * gap`` is taken off.
    """
    order = sorted(range(len(values)), key=lambda i: (values[i], i))
    pools: list[list[float]] = []  # [sum, count]
    for position, i in enumerate(order):
        pools.append([values[i] - position * gap, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] >= pools[-1][0] / pools[-1][1]:
            total, count = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += count
    flat = [total / count for total, count in pools for _ in range(int(count))]
    ceiling = high - (len(values) - 1) * gap
    places = [0.0] * len(values)
    for position, i in enumerate(order):
        places[i] = max(low, min(flat[position], ceiling)) + position * gap
    return places


Box = tuple[float, float, float, float]  # left, bottom, right, top
PAD = 5.0  # points from the middle of a mark to its edge, and a little air


def label_boxes(
    points: Sequence[tuple[float, float]], sizes: Sequence[tuple[float, float]], right: float
) -> list[Box]:
    """Return a box for the label of each point, beside it and off the other points and labels where possible.

    Parameters
    ----------
    points
        In any unit of length, such as points of 1/72 inch.
    sizes
        Width and height of each label, in the same unit.
    right
        Labels reach from 0 to here.
    """
    marks: list[Box] = [(x - PAD, y - PAD, x + PAD, y + PAD) for x, y in points]
    boxes: list[Box] = []
    for i, (point, size) in enumerate(zip(points, sizes, strict=True)):
        options = _around(point, size)
        inside = [box for box in options if box[0] >= 0 and box[2] <= right] or options
        free = [box for box in inside if not any(_overlap(box, other) for other in marks + boxes)]
        others = marks[:i] + marks[i + 1 :]
        clear = [box for box in free if not any(_between(point, box, other) for other in others)]
        boxes.append((clear or free or inside)[0])
    return boxes


def _around(point: tuple[float, float], size: tuple[float, float]) -> list[Box]:
    """Return boxes around a point, the most readable first: beside it, above, below, then farther off."""
    (x, y), (width, height) = point, size
    places = [
        (x + 7, y - height / 2),
        (x - 7 - width, y - height / 2),
        (x - width / 2, y + 6),
        (x - width / 2, y - 6 - height),
    ]
    for step in (1, 2, 3):
        for low in (y + step * height - height / 2, y - step * height - height / 2):
            places += [(x + 5, low), (x - 5 - width, low)]
    return [(left, low, left + width, low + height) for left, low in places]


def _between(point: tuple[float, float], box: Box, other: Box) -> bool:
    """Return whether the straight line from a point to the middle of its label crosses another box."""
    to = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    for step in range(1, 8):
        x, y = (start + step / 8 * (end - start) for start, end in zip(point, to, strict=True))
        if other[0] < x < other[2] and other[1] < y < other[3]:
            return True
    return False


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def rc(salt: str) -> dict[Any, Any]:
    """Return matplotlib's settings: text stays text, names are no formulas, equal input gives equal bytes."""
    return {
        "svg.hashsalt": salt,
        "svg.fonttype": "none",
        "text.parse_math": False,
        "font.family": ["DejaVu Sans"],  # comes with matplotlib, so that places do not depend on the machine
        "font.size": FONT,
        "text.color": INK,
        "axes.edgecolor": RULE,
        "axes.labelcolor": MUTED,
        "axes.unicode_minus": True,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": RULE,
        "grid.linewidth": 0.6,
    }
