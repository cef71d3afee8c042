"""The plots of a report, as SVG text: for each kind a panel a data set, all with the same scales."""

from __future__ import annotations

import importlib.util
import io
import math
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from hipporag_like.errors import MissingExtraError
from hipporag_like.eval import report_panels as panels
from hipporag_like.eval.report_numbers import decimals, is_number
from hipporag_like.eval.report_page import Figure
from hipporag_like.eval.report_style import MUTED, PAPER, TITLE_LENGTH, Style, clipped, rc, styles_of
from hipporag_like.eval.report_tables import groups_of, main_metrics, metrics_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Results = Mapping[str, Mapping[str, Mapping[str, Any]]]  # by data set, by system
WIDTH = 4.0  # inches
TOP = 0.5  # inches above the axes, for two lines of title
ROW = 0.165  # inches of a bar with its name
GROUPS = 8  # types shown as bars; the table has all


class Title(NamedTuple):
    """Two lines above a panel."""

    bold: str
    plain: str


class _Box(NamedTuple):
    """Inches: height of the axes, and what is left around them for names and numbers."""

    inner: float = 2.1
    left: float = 0.42
    right: float = 1.42
    bottom: float = 0.32


def missing_plots() -> MissingExtraError | None:
    """Return why no plots can be drawn, or ``None`` if they can."""
    if importlib.util.find_spec("matplotlib") is None:
        return MissingExtraError("drawing the plots of a report", "report")
    return None


def draw_figures(results: Results, names: Sequence[str]) -> dict[str, tuple[Figure, ...]]:
    """Return the plots by kind: ``recall``, ``cost``, ``types`` and ``times``; what has no numbers is left out.

    Parameters
    ----------
    results
        ``results`` of ``results.json``.
    names
        All systems, in the order in which they get their colours.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    problem = missing_plots()
    if problem is not None:
        raise problem
    styles = styles_of(names)
    kinds = {"recall": _recall, "cost": _cost, "types": _types, "times": _times}
    return {kind: tuple(draw(results, styles)) for kind, draw in kinds.items()}


def _recall(results: Results, styles: Mapping[str, Style]) -> Iterable[Figure]:
    curves = {
        dataset: {name: curve for name, system in systems.items() if (curve := _curve(system["scores"]))}
        for dataset, systems in results.items()
    }
    lowest = min((v for c in curves.values() for curve in c.values() for _, v in curve), default=0.0)
    limits = (min(10 * math.floor(lowest / 10), 90.0), 100.0)
    for number, (dataset, found) in enumerate(curves.items(), 1):
        if found:
            draw = partial(panels.recall_curves, curves=found, styles=styles, y=limits)
            words = f"Recall in percent over the number of documents on {dataset}; numbers in the table of scores."
            title = Title(dataset, "Recall of the first 1 to 20 documents, in %")
            yield _figure("recall", number, dataset, title, words, draw, _Box())


def _cost(results: Results, styles: Mapping[str, Style]) -> Iterable[Figure]:
    systems = [system for found in results.values() for system in found.values()]
    metric = main_metrics(metrics_of(systems))[0] if metrics_of(systems) else ""
    points = {
        dataset: {
            name: (max(seconds, 1e-6), system["scores"][metric])
            for name, system in found.items()
            if is_number(seconds := (system.get("seconds") or {}).get("mean"))
            and is_number(system["scores"].get(metric))
        }
        for dataset, found in results.items()
    }
    flat = [point for found in points.values() for point in found.values()]
    if not flat:
        return
    x = _around([seconds for seconds, _ in flat], 1.9)
    y = _padded([value for _, value in flat], 1.0 if decimals(metric) == 3 else 100.0)
    for number, (dataset, found) in enumerate(points.items(), 1):
        if found:
            draw = partial(panels.quality_and_cost, points=found, styles=styles, x=x, y=y)
            words = f"{metric} over mean seconds per query on {dataset}; numbers in the tables of scores and costs."
            title = Title(dataset, f"{metric} over mean time of a query")
            yield _figure("cost", number, dataset, title, words, draw, _Box(right=0.2))


def _types(results: Results, styles: Mapping[str, Style]) -> Iterable[Figure]:
    for number, (dataset, systems) in enumerate(results.items(), 1):
        metric = (*main_metrics(metrics_of(systems.values())), "")[0]
        counts = groups_of(systems, "per_type")
        top = 1.0 if decimals(metric) == 3 else 100.0
        for place, group in enumerate(list(counts)[:GROUPS], 1):
            rows = {name: (s.get("per_type") or {}).get(group) or {} for name, s in systems.items()}
            values = {name: (row.get("scores") or {}).get(metric) for name, row in rows.items()}
            known = {name: value for name, value in values.items() if is_number(value)}
            if known:
                draw = partial(panels.bars, values=known, styles=styles, metric=metric, top=top)
                words = f"{metric} of each system on {dataset}, type {group}; numbers in the table by type."
                title = Title(f"{group} ({counts[group]:,})", f"{metric}, {dataset}")
                yield _figure(
                    f"types-{number}",
                    place,
                    group,
                    title,
                    words,
                    draw,
                    _Box(ROW * len(known), 1.2, 0.42, 0.08),
                )


def _times(results: Results, styles: Mapping[str, Style]) -> Iterable[Figure]:
    quantiles = {
        dataset: {name: q for name, system in systems.items() if (q := _quantiles(system))}
        for dataset, systems in results.items()
    }
    ends = [q[round(p * (len(q) - 1))] for f in quantiles.values() for q in f.values() for p in (0.05, 0.95)]
    for number, (dataset, found) in enumerate(quantiles.items(), 1):
        if found:
            limits = _around(ends, 1.25)
            draw = partial(panels.query_times, quantiles=found, styles=styles, x=limits)
            words = (
                f"Time of a query on {dataset}: 5 to 95 %, 25 to 75 %, median; numbers in the table of costs."
            )
            box = _Box(1.5 * ROW * len(found), 1.2, 0.62)
            yield _figure("times", number, dataset, Title(dataset, "Time of a query"), words, draw, box)


def _figure(
    kind: str, number: int, name: str, title: Title, words: str, draw: Callable[[Axes], None], box: _Box
) -> Figure:
    """Return a panel with what ``draw`` puts into its axes."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Canvas

    stem = f"{kind}-{number}-{_slug(name)}"
    height = box.inner + box.bottom + TOP
    with rc_context(rc(stem)), warnings.catch_warnings():
        # Letters that matplotlib's font lacks are still text in the SVG, which the reader's fonts show.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Canvas(figsize=(WIDTH, height), facecolor=PAPER)
        place = (
            box.left / WIDTH,
            box.bottom / height,
            1 - (box.left + box.right) / WIDTH,
            box.inner / height,
        )
        draw(figure.add_axes(place, facecolor="none"))
        x, top = 0.06 / WIDTH, 1 - 0.12 / height
        figure.text(x, top, clipped(title.bold, TITLE_LENGTH), va="center", fontweight="bold")
        figure.text(x, top - 0.17 / height, clipped(title.plain, TITLE_LENGTH + 8), va="center", color=MUTED)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return Figure(stem, f"{title.bold}: {title.plain}", words, text.getvalue())


def _curve(scores: Mapping[str, Any]) -> list[tuple[int, float]]:
    found = ((re.fullmatch(r"recall@(\d+)", metric), value) for metric, value in scores.items())
    return sorted((int(match[1]), float(value)) for match, value in found if match and is_number(value))


def _quantiles(system: Mapping[str, Any]) -> list[float]:
    values = (system.get("seconds") or {}).get("quantiles") or []
    return [float(value) for value in values] if all(is_number(value) for value in values) else []


def _around(values: Sequence[float], factor: float) -> tuple[float, float]:
    kept = [max(value, 1e-6) for value in values]
    return min(kept) / factor, max(kept) * factor


def _padded(values: Sequence[float], top: float) -> tuple[float, float]:
    """Return limits with room for labels, at multiples of a tenth of the scale."""
    step = top / 10
    return step * (math.floor(min(values) / step - 0.3)), min(
        step * math.ceil(max(values) / step + 0.3), 1.06 * top
    )


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "data"
