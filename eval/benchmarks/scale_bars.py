"""What was promised at a million passages, and whether it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hipporag_like.eval.benchmarks.scale_read import Found, first, number, shown


@dataclass(frozen=True, slots=True)
class Bar:
    """What was promised, and whether it holds; ``met`` is None where it was not measured."""

    what: str
    wanted: str
    measured: str
    met: bool | None


def bars(found: Found) -> list[Bar]:
    """Return the bars at a million passages, in the order of docs/scaling.md."""
    million, ten = found["sizes"].get("1000000", {}), found["sizes"].get("10000", {})
    rows = [
        _most(
            "build from extracted passages, vectors given",
            "min",
            _per(_at(million, "build", "seconds"), 60),
            20,
        ),
        _most("its peak memory", "GB", _per(_at(million, "build", "process", "peak_mb"), 1000), 12),
        _most("open and first query, no embedding", "s", _at(million, "first", "seconds"), 2),
        _most("the memory it brings in", "MB", _at(million, "first", "growth_mb"), 500),
        _most("warm `graph` query beyond embedding, median", "ms", _graph(million, "p50"), 60),
        _most("the same, 95th percentile", "ms", _graph(million, "p95"), 150),
        _least(
            "walk against igraph prpack", "x", _at(million, "walks", "times_slower_than_push", "prpack"), 300
        ),
        _least(
            "its top 20 in common with the exact solution",
            "",
            _at(million, "walks", "top_20_shared_mean", "exact"),
            0.99,
        ),
        _most("walk's time at 1,000,000 over that at 10,000", "x", _over(million, ten, _walk), 2),
        _most("add 100 passages at 1,000,000", "s", first("add")(million), 30),
        _most("add 100 passages at 10,000", "s", first("add")(ten), 1),
        _least("query at 10,000 against the stand-in for HippoRAG 2", "x", _standin(ten), 10),
        _least("the same at 50,000", "x", _standin(found["sizes"].get("50000", {})), 50),
        _least("recall@5 at 1,000,000 over that at 10,000", "", _over(million, ten, _recall), 0.9),
    ]
    for name, dataset in found["datasets"].items():
        slower = number(dataset, "embedding", "systems", "sentence_transformers", "speed_relative_to_minilm")
        if slower:
            rows.append(_least(f"bulk embedding against sentence-transformers, {name}", "x", 1 / slower, 1.7))
    return rows


def _at(size: Found, *path: str) -> float | None:
    return number(size, *path)


def _per(value: float | None, unit: float) -> float | None:
    return None if value is None else value / unit


def _graph(size: Found, part: str) -> float | None:
    return _per(number(size, "warm", "methods", "graph", "seconds", part), 0.001)


def _walk(size: Found) -> float | None:
    return number(size, "walks", "seconds", "push", "p50")


def _recall(size: Found) -> float | None:
    return number(size, "warm", "methods", "graph", "recall@5")


def _over(one: Found, other: Found, read: Callable[[Found], float | None]) -> float | None:
    above, below = read(one), read(other)
    return None if above is None or not below else above / below


def _standin(size: Found) -> float | None:
    theirs, ours = number(size, "standin", "seconds", "p50"), _graph(size, "p50")
    return None if theirs is None or not ours else 1000 * theirs / ours


def _most(what: str, unit: str, value: float | None, wanted: float) -> Bar:
    met = None if value is None else value <= wanted
    return Bar(what, f"at most {_text(wanted, unit)}", _text(value, unit), met)


def _least(what: str, unit: str, value: float | None, wanted: float) -> Bar:
    met = None if value is None else value >= wanted
    return Bar(what, f"at least {_text(wanted, unit)}", _text(value, unit), met)


def _text(value: float | None, unit: str) -> str:
    if value is None:
        return "not measured"
    return f"{shown(value)} {unit}".strip()
