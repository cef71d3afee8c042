"""Time, memory and disk against the size of the corpus, on log axes: ``python -m ...benchmarks.scale_plots``.

Draws ``time.svg``, ``query.svg`` and ``space.svg`` beside the results that ``scale`` wrote. Run from the root of the
checkout; needs matplotlib (extra ``report``).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hipporag_like.errors import HippoRAGLikeError, InputError
from hipporag_like.eval.benchmarks.scale import RESULTS
from hipporag_like.eval.benchmarks.scale_read import Found, at, disk, first, points, snapshot_bytes
from hipporag_like.eval.pictures import FAINT, plain_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Read = Callable[[Found], "float | None"]
# Okabe and Ito's palette; ours are drawn whole, what others use is dashed.
_OURS = ("#0072B2", "#009E73", "#E69F00", "#56B4E9", "#CC79A7")
_THEIRS = ("#D55E00", "#999999", "#CC79A7", "#222222")


def _scaled(read: Read, factor: float) -> Read:
    def scaled(size: Found) -> float | None:
        value = read(size)
        return None if value is None else value * factor

    return scaled


def _query(method: str) -> Read:
    return _scaled(at("warm", "methods", method, "seconds", "p50"), 1000)


_METHODS = {method: _query(method) for method in ("graph", "hybrid", "dense", "bm25")}
# File, title of the panel, unit; then lines of ours and of others by name.
PLOTS: Mapping[str, Sequence[tuple[str, str, Mapping[str, Read], Mapping[str, Read]]]] = {
    "time.svg": (
        (
            "Writing",
            "seconds",
            {
                "build": at("build", "seconds"),
                "add 100 passages": first("add"),
                "update 10": first("update"),
                "delete 10": first("delete"),
                "open, first query": at("first", "seconds"),
            },
            {},
        ),
    ),
    "query.svg": (
        (
            "A query beyond embedding, median",
            "milliseconds",
            _METHODS,
            {"HippoRAG 2, stand-in": _scaled(at("standin", "seconds", "p50"), 1000)},
        ),
        (
            "Engines: the walk, BM25, dense",
            "milliseconds",
            {
                "walk (push)": _scaled(at("walks", "seconds", "push", "p50"), 1000),
                "BM25": _scaled(at("warm", "methods", "bm25", "stages", "bm25", "p50"), 1000),
                "dense": _scaled(at("warm", "methods", "dense", "stages", "dense", "p50"), 1000),
            },
            {
                "igraph prpack": _scaled(at("walks", "seconds", "prpack", "p50"), 1000),
                "scipy power iteration": _scaled(at("walks", "seconds", "power", "p50"), 1000),
                "rank-bm25": _scaled(at("lexical", "seconds", "rank_bm25", "p50"), 1000),
                "numpy, all vectors": _scaled(at("dense", "seconds", "numpy", "p50"), 1000),
            },
        ),
    ),
    "space.svg": (
        (
            "Memory",
            "MB",
            {
                "building, peak": at("build", "process", "peak_mb"),
                "200 questions, peak": at("warm", "process", "peak_mb"),
                "first query, growth": at("first", "growth_mb"),
            },
            {},
        ),
        (
            "Disk",
            "MB",
            {"snapshot": _scaled(snapshot_bytes, 1e-6), "snapshot and journal": _scaled(disk, 1e-6)},
            {},
        ),
    ),
}


def draw(found: Found, folder: Path) -> list[Path]:
    """Write the pictures; a line needs at least one point, and a picture is written in any case.

    Parameters
    ----------
    found
        What ``scale`` measured.
    folder
        Where to.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    written = []
    # Without a date and with a fixed salt the same numbers make the same file.
    with matplotlib.rc_context({"svg.hashsalt": "scale", "svg.fonttype": "none"}):
        for name, panels in PLOTS.items():
            figure = Figure(figsize=(5.6 * len(panels), 5.0), layout="constrained")
            FigureCanvasSVG(figure)
            for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
                _panel(axes, found, *panel)
            figure.savefig(folder / name, metadata={"Date": None})
            written.append(folder / name)
    return written


def _panel(
    axes: Axes, found: Found, title: str, unit: str, ours: Mapping[str, Read], theirs: Mapping[str, Read]
) -> None:
    drawn = 0
    for lines, colours, style in ((ours, _OURS, "-"), (theirs, _THEIRS, "--")):
        for (name, read), colour in zip(lines.items(), colours, strict=False):
            sizes, values = points(found, read)
            if sizes:
                axes.plot(sizes, values, style, marker="o", markersize=4, color=colour, label=name)
                drawn += 1
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel("passages")
    axes.set_ylabel(unit)
    axes.grid(True, which="major", color="#DDDDDD", linewidth=0.6)
    axes.tick_params(colors=FAINT)
    plain_axes(axes)
    if drawn:
        # Below: curves of all slopes leave no corner free.
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False, fontsize=8)


def main(arguments: Sequence[str]) -> int:
    """Draw in the given checkout, the current folder by default."""
    file = Path(arguments[0] if arguments else ".") / RESULTS
    try:
        if not file.is_file():
            raise InputError(f"{file} is not there; run make bench in the checkout")
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        draw(found, file.parent)
    except HippoRAGLikeError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
