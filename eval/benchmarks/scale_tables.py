"""The tables of docs/scaling.md, made from what ``scale`` measured.

``python -m hipporag_like.eval.benchmarks.scale_tables``, run from the root of the checkout. Each table stands between
two marks in the document; a test compares the document with the file, so that no number there can be older than
its measurement.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hipporag_like.errors import HippoRAGLikeError, InputError
from hipporag_like.eval.benchmarks.method_tables import marks
from hipporag_like.eval.benchmarks.scale import RESULTS
from hipporag_like.eval.benchmarks.scale_bars import bars
from hipporag_like.eval.benchmarks.scale_read import Curve, Found, fitted, labels, number, points, shown
from hipporag_like.eval.benchmarks.scale_rows import BUILD, DATASET, ENGINES, FITTED, Row

DOCUMENT = Path("docs", "scaling.md")
EXTRAPOLATED = (10_000_000, 100_000_000)
NOTHING = "-"


def bar_table(found: Found) -> str:
    """Return what was promised at a million passages, and what came out."""
    words = {True: "yes", False: "**no**", None: NOTHING}
    rows = [[bar.what, bar.wanted, bar.measured, words[bar.met]] for bar in bars(found)]
    return markdown(["bar", "wanted", "measured", "met"], rows)


def build_table(found: Found) -> str:
    """Return what writing and opening cost at each size."""
    return _by_size(found, BUILD)


def query_table(found: Found) -> str:
    """Return median and 95th percentile of a query, by method and by stage of ``graph``."""
    sizes = sorted(found["sizes"], key=int)
    rows = []
    for method in ("graph", "hybrid", "dense", "bm25"):
        rows.append([f"`{method}`", *(_pair(found["sizes"][size], method) for size in sizes)])
    stages = _names(found, "warm", "methods", "graph", "stages")
    for stage in stages:
        rows.append(
            [f"`graph`: {stage}", *(_pair(found["sizes"][s], "graph", "stages", stage) for s in sizes)]
        )
    head = ["milliseconds, median / 95th percentile", *labels([int(size) for size in sizes])]
    return markdown(head, rows)


def recall_table(found: Found) -> str:
    """Return the share of the planted gold that is found."""
    sizes = sorted(found["sizes"], key=int)
    rows = []
    for method in ("graph", "hybrid", "dense", "bm25"):
        cells = []
        for size in sizes:
            values = [
                number(found["sizes"][size], "warm", "methods", method, f"recall@{depth}")
                for depth in (5, 10)
            ]
            cells.append(" / ".join(NOTHING if value is None else f"{value:.1f}" for value in values))
        rows.append([f"`{method}`", *cells])
    return markdown(["recall@5 / @10", *labels([int(size) for size in sizes])], rows)


def engine_table(found: Found) -> str:
    """Return the reference engines beside ours."""
    return _by_size(found, ENGINES)


def disk_table(found: Found) -> str:
    """Return the bytes of a passage by part of the index."""
    rows = []
    for part in _names(found, "build", "bytes"):
        cells = []
        for size in sorted(found["sizes"], key=int):
            value = number(found["sizes"][size], "build", "bytes", part)
            cells.append(NOTHING if value is None else shown(value / int(size)))
        rows.append([part, *cells])
    return markdown(["bytes a passage", *labels([int(s) for s in sorted(found["sizes"], key=int)])], rows)


def extrapolation_table(found: Found) -> str:
    """Return the fitted curves and what they say about larger sizes."""
    rows = []
    for name, read, unit in FITTED:
        curve = fitted(points(found, read))
        if curve is None:
            continue
        values = [shown(curve(size) / unit) for size in (curve.up_to, *EXTRAPOLATED)]
        rows.append([name, _formula(curve, unit), *values])
    head = ["", "fitted, n in passages", "at the largest size measured", *labels(EXTRAPOLATED)]
    return markdown(head, rows)


def dataset_table(found: Found) -> str:
    """Return the same on real data sets with the default embedder."""
    sets = sorted(found["datasets"])
    rows: list[list[str]] = []
    for name, read, unit in DATASET:
        rows.append([name, *(_cell(read(found["datasets"][one]), unit) for one in sets)])
    return markdown(["", *sets], rows)


def machine_table(found: Found) -> str:
    """Return with what each size was measured."""
    rows = []
    for size in sorted(found["sizes"], key=int):
        with_ = found["sizes"][size]["made_with"]
        commit = f"{str(with_['commit'])[:8]}{' and changes' if with_['dirty'] else ''}"
        machine = f"{with_['cpu']}, {with_['cores']} cores, {with_['memory_gb']} GB"
        rows.append([f"{int(size):,}", with_["at"][:10], commit, machine, f"Python {with_['python']}"])
    return markdown(["passages", "measured", "commit", "machine", ""], rows)


TABLES: Mapping[str, Callable[[Found], str]] = {
    "bars": bar_table,
    "build": build_table,
    "disk": disk_table,
    "query": query_table,
    "recall": recall_table,
    "engines": engine_table,
    "extrapolation": extrapolation_table,
    "datasets": dataset_table,
    "machine": machine_table,
}


def with_tables(document: str, found: Found) -> str:
    """Return the document with every table between its two marks.

    Raises
    ------
    InputError
        A table has no place in the document.
    """
    for name, table in TABLES.items():
        start, end = marks(name)
        before, started, rest = document.partition(start)
        _, ended, after = rest.partition(end)
        if not started or not ended:
            raise InputError(f"{DOCUMENT} has no place for a table; put {start} and {end} where it belongs")
        document = f"{before}{start}\n{table(found)}\n{end}{after}"
    return document


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _by_size(found: Found, lines: Sequence[Row]) -> str:
    sizes = sorted(found["sizes"], key=int)
    rows = [
        [name, *(_cell(read(found["sizes"][size]), unit) for size in sizes)] for name, read, unit in lines
    ]
    return markdown(["passages", *labels([int(size) for size in sizes])], rows)


def _cell(value: float | None, unit: float) -> str:
    return NOTHING if value is None else shown(value / unit)


def _pair(size: Found, method: str, *path: str) -> str:
    inside = path or ("seconds",)
    values = [number(size, "warm", "methods", method, *inside, part) for part in ("p50", "p95")]
    return " / ".join(NOTHING if value is None else shown(1000 * value) for value in values)


def _names(found: Found, *path: str) -> list[str]:
    names: dict[str, None] = {}
    for size in found["sizes"].values():
        part: Any = size
        for name in path:
            part = part.get(name, {})
        names.update(dict.fromkeys(part))
    return list(names)


def _formula(curve: Curve, unit: float) -> str:
    return f"{curve.factor / unit:.2e} n^{curve.power:.2f}"


def rewrite(root: Path) -> None:
    """Put the tables into the document of a checkout.

    Raises
    ------
    InputError
        There are no results, or no place for them.
    """
    try:
        found = json.loads((root / RESULTS).read_text(encoding="utf-8"))
        text = (root / DOCUMENT).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"{error.filename} is not there; run make bench in the checkout") from error
    (root / DOCUMENT).write_text(with_tables(text, found), encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Rewrite the document in the given folder, the current one by default."""
    try:
        rewrite(Path(arguments[0] if arguments else "."))
    except HippoRAGLikeError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
