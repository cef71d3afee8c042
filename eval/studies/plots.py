"""The results of a study as pictures, one a data set. Needs matplotlib (extra ``report``)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hipporag_like.eval.pictures import COLOURS, FAINT, plain_axes
from hipporag_like.eval.studies.bench import TESTED
from hipporag_like.store.files import create_private

Result = Mapping[str, Any]
PER_ROW = 3  # small plots beside each other


def draw(study: str, result: Result, path: Path) -> None:
    """Write the picture of one data set's result to ``path``; its ending says the format."""
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": study}):  # the same result gives the same file
        figure = PICTURES[study](result)
        with os.fdopen(create_private(path), "wb") as file:
            kind = path.suffix[1:]
            metadata = {"Date": None} if kind == "svg" else None
            figure.savefig(file, format=kind, bbox_inches="tight", metadata=metadata)


def _figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, [plain_axes(ax) for row in axes for ax in row]


def _growth(result: Result) -> Any:
    figure, (left, right) = _figure(9, 3.6, 1, 2)
    steps = result["steps"]
    at = [step["segment"] for step in steps]
    for ax, which, title in (
        (left, "first", "The first segment's questions"),
        (right, "so_far", "All questions so far"),
    ):
        for method in result["change"]:
            values = [step[which][method]["scores"][TESTED] for step in steps]
            ax.plot(at, values, marker="o", color=COLOURS[method], label=method)
        ax.set(title=title, xlabel="segments indexed", xticks=at)
    left.set_ylabel(f"{TESTED} (%)")
    low = min(left.get_ylim()[0], right.get_ylim()[0])
    for ax in (left, right):
        ax.set_ylim(low, 102)
    right.legend(frameon=False)
    figure.suptitle(f"Growth: {result['dataset']}")
    return figure


def _paths(result: Result) -> Any:
    figure, (ax,) = _figure(8, 3.6)
    kinds = {k: e for k, e in result["kinds"].items() if e["n"]}
    methods = list(next(iter(kinds.values()))["methods"])
    width = 0.8 / len(methods)
    for number, method in enumerate(methods):
        values = [entry["methods"][method]["scores"][TESTED] for entry in kinds.values()]
        places = [at - 0.4 + (number + 0.5) * width for at in range(len(kinds))]
        bars = ax.bar(places, values, width * 0.9, color=COLOURS[method], label=method)
        ax.bar_label(bars, fmt="%.0f", fontsize=8, color=FAINT)
    ax.set_xticks(
        range(len(kinds)), [f"path {kind}\n{entry['n']} questions" for kind, entry in kinds.items()]
    )
    ax.set(
        ylabel=f"{TESTED} of the path's end (%)", ylim=(0, 108), title=f"Path finding: {result['dataset']}"
    )
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _knobs(result: Result) -> Any:
    entries = result["knobs"]
    rows = max(1, -(-len(entries) // PER_ROW))
    figure, axes = _figure(3.4 * PER_ROW, 2.6 * rows, rows, PER_ROW)
    heights = _heights(entries)
    for ax, entry in zip(axes, entries, strict=False):
        scores = [row["scores"][TESTED] for row in entry["values"]]
        ax.plot(range(len(scores)), scores, marker="o", color=COLOURS[entry["method"]])
        for at, row in enumerate(entry["values"]):
            if row["default"]:
                ax.plot(at, scores[at], marker="o", markersize=12, mfc="none", mec="black")
        ax.set_xticks(range(len(scores)), [f"{row['value']:g}" for row in entry["values"]])
        ax.set_title(f"{entry['knob']}\n{entry['method']}", fontsize=10)
        ax.set_ylim(*heights[entry["method"]])
        ax.margins(x=0.12)
    for ax in axes[len(entries) :]:
        ax.set_axis_off()
    figure.supylabel(f"{TESTED} (%)")
    figure.suptitle(f"Knobs: {result['dataset']} (circled: the default)")
    return figure


def _heights(entries: Sequence[Result]) -> dict[str, tuple[float, float]]:
    """Return lowest and highest score by method with room around them, so that knobs of a method compare."""
    scores: dict[str, list[float]] = {}
    for entry in entries:
        scores.setdefault(entry["method"], []).extend(row["scores"][TESTED] for row in entry["values"])
    room = {method: max(2.0, (max(values) - min(values)) / 5) for method, values in scores.items()}
    return {m: (min(values) - room[m], max(values) + room[m]) for m, values in scores.items()}


def _robustness(result: Result) -> Any:
    conditions = list(result["conditions"].items())[::-1]
    methods = list(result["plain"])
    figure, (ax,) = _figure(8, 1.2 + 0.24 * len(conditions) * (len(methods) + 1))
    height = 0.8 / len(methods)
    for number, method in enumerate(methods):
        tests = [entry["methods"][method]["against_plain"] for _, entry in conditions]
        places = [at + 0.4 - (number + 0.5) * height for at in range(len(conditions))]
        values = [test["difference"] for test in tests]
        # Resampled means may fall short of the difference itself by rounding.
        ends = [[max(0.0, t["difference"] - t["low"]) for t in tests]]
        ends += [[max(0.0, t["high"] - t["difference"]) for t in tests]]
        ax.barh(places, values, height * 0.85, color=COLOURS[method], label=method)
        ax.errorbar(values, places, xerr=ends, fmt="none", ecolor=FAINT, capsize=2, linewidth=1)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_yticks(range(len(conditions)), [name.replace("_", " ") for name, _ in conditions])
    ax.set(xlabel=f"change of {TESTED} (points, 95 % interval)", title=f"Robustness: {result['dataset']}")
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


PICTURES: Mapping[str, Callable[[Result], Any]] = MappingProxyType(
    {"growth": _growth, "paths": _paths, "knobs": _knobs, "robustness": _robustness}
)
