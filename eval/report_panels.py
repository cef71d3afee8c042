"""The four plots of one data set, each drawn into given axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hipporag_like.eval import report_numbers as show
from hipporag_like.eval.report_style import (
    FONT,
    INK,
    MUTED,
    PAPER,
    RULE,
    Box,
    Style,
    clipped,
    label_boxes,
    spread,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Limits = tuple[float, float]
Curve = Sequence[tuple[int, float]]  # (k, recall@k)
LINE = 1.25  # of the font size: distance of lines of text
EDGE: dict[str, Any] = {"markeredgecolor": PAPER, "markeredgewidth": 0.5}  # keeps marks apart that touch
LEADER = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3}
FAR = 7.5  # points: a label beside its mark is 7 away and needs no line to it
LETTER = 0.58  # of the font size: mean width of a letter in DejaVu Sans, measured on our system names


def recall_curves(axes: Axes, curves: Mapping[str, Curve], styles: Mapping[str, Style], y: Limits) -> None:
    """Draw recall over the number of documents; each line is named at its right end."""
    depths = sorted({k for curve in curves.values() for k, _ in curve})
    axes.set_xscale("log")
    axes.set_xlim(depths[0] if len(depths) > 1 else depths[0] / 2, depths[-1])
    axes.set_ylim(*y)
    _ticks(axes, depths, [f"@{k}" for k in depths])
    axes.grid(axis="y")
    names = list(curves)
    ends = [curves[name][-1][1] for name in names]
    gap = LINE * FONT / 72 * (y[1] - y[0]) / _inches(axes)[1]
    for name, end, place in zip(names, ends, spread(ends, gap, *y), strict=True):
        style = styles[name]
        xs, ys = [k for k, _ in curves[name]], [value for _, value in curves[name]]
        axes.plot(xs, ys, color=style.colour, linestyle=style.dash, linewidth=1.6, clip_on=False)
        axes.plot(xs, ys, style.marker, color=style.colour, markersize=5, clip_on=False, **EDGE)
        right = axes.get_yaxis_transform()
        axes.plot([1.015, 1.05], [end, place], color=MUTED, linewidth=0.5, transform=right, clip_on=False)
        text = f"{clipped(name)} {show.score('recall', end)}"
        axes.text(1.06, place, text, va="center_baseline", transform=right)


def quality_and_cost(
    axes: Axes,
    points: Mapping[str, tuple[float, float]],
    styles: Mapping[str, Style],
    x: Limits,
    y: Limits,
) -> None:
    """Draw quality over seconds per query; each mark is named beside it."""
    axes.set_xscale("log")
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    _second_ticks(axes, x)
    axes.grid(True)
    axes.set_axisbelow(True)
    width, height = _inches(axes)
    places = [
        (
            72 * width * math.log(seconds / x[0]) / math.log(x[1] / x[0]),
            72 * height * (value - y[0]) / (y[1] - y[0]),
        )
        for seconds, value in points.values()
    ]
    sizes = [(len(clipped(name)) * FONT * LETTER, LINE * FONT) for name in points]
    for name, place, box in zip(points, places, label_boxes(places, sizes, 72 * width), strict=True):
        style = styles[name]
        axes.plot(*points[name], style.marker, color=style.colour, markersize=7.5, clip_on=False, **EDGE)
        axes.annotate(
            clipped(name),
            points[name],
            ((box[0] + box[2]) / 2 - place[0], (box[1] + box[3]) / 2 - place[1]),
            textcoords="offset points",
            ha="center",
            va="center_baseline",
            arrowprops=LEADER if _apart(place, box) > FAR else None,
        )


def _apart(point: tuple[float, float], box: Box) -> float:
    """Return how far a point is from a box."""
    x, y = point
    return math.hypot(max(box[0] - x, 0, x - box[2]), max(box[1] - y, 0, y - box[3]))


def bars(
    axes: Axes, values: Mapping[str, float], styles: Mapping[str, Style], metric: str, top: float
) -> None:
    """Draw a bar for each system, named at its foot and with its value at its end."""
    for row, (name, value) in enumerate(values.items()):
        axes.barh(row, value, height=0.72, color=styles[name].colour)
        axes.text(value + top / 80, row, show.score(metric, value), va="center_baseline")
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.set_xlim(0, top)
    axes.set_yticks(range(len(values)), [clipped(name) for name in values], color=INK)
    axes.tick_params(length=0)
    axes.set_xticks([])
    axes.spines[["bottom"]].set_visible(False)


def query_times(
    axes: Axes, quantiles: Mapping[str, Sequence[float]], styles: Mapping[str, Style], x: Limits
) -> None:
    """Draw a strip for each system: 5 to 95 % thin, 25 to 75 % thick, a stroke and a number at the median."""
    axes.set_xscale("log")
    axes.set_xlim(*x)
    axes.set_ylim(len(quantiles) - 0.4, -0.6)
    _second_ticks(axes, x)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    for row, (name, q) in enumerate(quantiles.items()):
        style = styles[name]
        for low, high, line in ((5, 95, 1.2), (25, 75, 7.0)):
            ends = [_at(q, low), _at(q, high)]
            axes.plot(ends, [row, row], color=style.colour, linewidth=line, solid_capstyle="butt")
        axes.plot(_at(q, 50), row, "|", color=INK, markersize=10, markeredgewidth=1.3, zorder=3)
        axes.text(
            1.03,
            row,
            show.seconds(_at(q, 50)),
            va="center_baseline",
            transform=axes.get_yaxis_transform(),
        )
    axes.set_yticks(range(len(quantiles)), [clipped(name) for name in quantiles], color=INK)
    axes.tick_params(axis="y", length=0)
    axes.spines[["left"]].set_visible(False)


def _at(quantiles: Sequence[float], percent: float) -> float:
    """Return a quantile of values that stand evenly from 0 to 100 %."""
    return max(quantiles[round(percent / 100 * (len(quantiles) - 1))], 1e-6)  # a logarithm has no zero


def _second_ticks(axes: Axes, limits: Limits) -> None:
    decades = math.log10(limits[1] / limits[0])
    steps = (1,) if decades > 2 else (1, 3) if decades > 1 else (1, 2, 5)
    places = [step * 10.0**power for power in range(-6, 5) for step in steps]
    kept = [place for place in places if limits[0] <= place <= limits[1]]
    _ticks(axes, kept, [f"{1000 * place:g} ms" if place < 1 else f"{place:g} s" for place in kept])


def _ticks(axes: Axes, places: Sequence[float], names: Sequence[str]) -> None:
    from matplotlib.ticker import NullLocator

    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(places, names)
    axes.tick_params(length=0, pad=5)
    axes.spines[["left"]].set_color(RULE)


def _inches(axes: Axes) -> tuple[float, float]:
    figure: Any = axes.figure
    box = axes.get_position()
    width, height = figure.get_size_inches()
    return float(box.width * width), float(box.height * height)
