"""The tables of a report, from the results of one data set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hipporag_like.eval import report_numbers as show
from hipporag_like.eval.report_page import Cell, Table

Systems = Mapping[str, Mapping[str, Any]]  # by name: the results of one data set


def metrics_of(systems: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the metrics that at least one system has a number for, in the order of the results."""
    found: dict[str, bool] = {}
    for system in systems:
        for metric, value in system["scores"].items():
            found[metric] = found.get(metric, False) or show.is_number(value)
    return tuple(metric for metric, known in found.items() if known)


def main_metrics(metrics: Sequence[str]) -> tuple[str, ...]:
    """Return those that a reader is shown first; the first one heads the report."""
    return tuple(metric for metric in show.MAIN if metric in metrics) or tuple(metrics[:1])


def scores_table(systems: Systems, baseline: str) -> Table:
    """Return every metric of every system: interval below, mark where it differs from the baseline."""
    metrics = metrics_of(systems.values())
    best = {
        metric: show.best(metric, (s["scores"].get(metric) for s in systems.values())) for metric in metrics
    }
    rows = []
    for name, system in systems.items():
        cells = [
            Cell(
                text := show.score(metric, system["scores"].get(metric)),
                text == best[metric],
                show.verdict((system.get("against_baseline") or {}).get(metric)),
                show.interval(metric, (system.get("intervals") or {}).get(metric)),
            )
            for metric in metrics
        ]
        rows.append((_name(name, baseline), *cells))
    note = f"▲ better, ▼ worse than {baseline} beyond chance (p corrected below {show.ALPHA})."
    if any(system.get("intervals") for system in systems.values()):
        note = f"With 95 % intervals of the mean. {note}"
    return Table("Scores", ("system", *metrics), tuple(rows), note)


def comparison_tables(systems: Systems, baseline: str) -> tuple[Table, ...]:
    """Return how far each system is from the baseline: the main metrics, then all others, folded."""
    metrics = metrics_of(systems.values())
    main = main_metrics(metrics)
    others = [metric for metric in metrics if metric not in main]
    parts = [
        (f"Against {baseline}", _comparisons(systems, main), False),
        (f"Against {baseline}: the other metrics", _comparisons(systems, others), True),
    ]
    head = ("metric", "system", "difference", "95 % interval", "p", "p corrected", "questions")
    return tuple(Table(title, head, rows, "", folded) for title, rows, folded in parts if rows)


def _comparisons(systems: Systems, metrics: Iterable[str]) -> tuple[tuple[Cell, ...], ...]:
    rows = []
    for metric in metrics:
        for name, system in systems.items():
            row = (system.get("against_baseline") or {}).get(metric)
            if row is None:
                continue
            gap = show.difference(metric, row.get("difference"))
            bounds = show.interval(metric, (row.get("low"), row.get("high")), signed=True)
            values = (bounds or show.NONE, *(show.p_value(row.get(key)) for key in ("p", "p_corrected")))
            cells = (Cell(gap, mark=show.verdict(row)), *map(Cell, (*values, show.whole(row.get("n")))))
            rows.append((Cell(metric), Cell(name), *cells))
    return tuple(rows)


def group_tables(systems: Systems, baseline: str, key: str, title: str) -> tuple[Table, ...]:
    """Return metrics within groups of questions, a group a column: the first metric, then the others, folded.

    Parameters
    ----------
    key
        ``"per_type"`` or ``"per_hops"``.
    title
        How the groups are called.
    """
    groups = groups_of(systems, key)
    metrics = main_metrics(metrics_of(systems.values()))
    heads = [f"{group} ({count:,})" for group, count in groups.items()]
    rows = {metric: _group_rows(systems, key, groups, metric) for metric in metrics}
    if not groups or not metrics:
        return ()
    first = tuple((_name(name, baseline), *cells) for name, cells in rows[metrics[0]].items())
    others = tuple(
        (Cell(metric), Cell(name), *cells) for metric in metrics[1:] for name, cells in rows[metric].items()
    )
    found = (
        Table(f"{metrics[0]} {title}", ("system", *heads), first),
        Table(f"Other metrics {title}", ("metric", "system", *heads), others, folded=True),
    )
    return tuple(table for table in found if table.rows)


def groups_of(systems: Systems, key: str) -> dict[str, int]:
    """Return the number of questions of each group, the largest group first."""
    counts: dict[str, int] = {}
    for system in systems.values():
        for group, row in (system.get(key) or {}).items():
            counts.setdefault(group, int(row.get("n") or 0))
    if key == "per_hops":
        return dict(sorted(counts.items(), key=lambda item: (len(item[0]), item[0])))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _group_rows(
    systems: Systems, key: str, groups: Mapping[str, int], metric: str
) -> dict[str, tuple[Cell, ...]]:
    """Return a cell for each group, by system; systems without any number are left out."""
    scores = {
        name: {g: ((s.get(key) or {}).get(g) or {}).get("scores") or {} for g in groups}
        for name, s in systems.items()
    }
    best = {g: show.best(metric, (row[g].get(metric) for row in scores.values())) for g in groups}
    texts = {
        name: {g: show.score(metric, row[g].get(metric)) for g in groups} for name, row in scores.items()
    }
    return {
        name: tuple(Cell(text, text == best[g]) for g, text in row.items())
        for name, row in texts.items()
        if any(text != show.NONE for text in row.values())
    }


def costs_table(systems: Systems, baseline: str) -> Table:
    """Return time, memory, tokens and money of each system; columns without any number are left out."""
    columns: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "mean": lambda s: show.seconds((s.get("seconds") or {}).get("mean")),
        "median": lambda s: show.seconds((s.get("seconds") or {}).get("p50")),
        "p95": lambda s: show.seconds((s.get("seconds") or {}).get("p95")),
        "slowest": lambda s: show.seconds((s.get("seconds") or {}).get("max")),
        "memory": lambda s: show.megabytes(s.get("memory_mb")),
        "model calls": lambda s: _tokens(s, "calls"),
        "tokens in": lambda s: _tokens(s, "input_tokens"),
        "tokens out": lambda s: _tokens(s, "output_tokens"),
        "money": lambda s: show.money(s.get("money")),
    }
    texts = {head: [column(system) for system in systems.values()] for head, column in columns.items()}
    kept = [head for head, column in texts.items() if not set(column) <= {show.NONE, "0"}]
    rows = tuple(
        (_name(name, baseline), *(Cell(texts[head][i]) for head in kept)) for i, name in enumerate(systems)
    )
    note = "Times are of one query, retrieval alone. A run file has none."
    return Table("Costs", ("system", *kept), rows, note)


def index_facts(dataset: Mapping[str, Any]) -> str:
    """Return what the index of a data set holds and took, as one sentence, or ``""`` without an index."""
    index = dataset.get("index") or {}
    counts = [f"{show.whole(index[k])} {k}" for k in ("passages", "entities", "facts") if k in index]
    costs = {
        "built in": show.seconds(index.get("build_seconds")),
        "on disk": show.size(_total_bytes(index.get("bytes"))),
        "peak memory while building": show.megabytes(index.get("peak_rss_mb")),
    }
    words = counts + [f"{name} {value}" for name, value in costs.items() if value != show.NONE]
    return f"Index: {', '.join(words)}." if words else ""


def _total_bytes(value: Any) -> Any:
    return sum(value.values()) if isinstance(value, Mapping) else value


def _tokens(system: Mapping[str, Any], key: str) -> str:
    stages = system.get("usage") or {}
    if not stages and not system.get("seconds"):
        return show.NONE  # a run file does not say
    return show.whole(sum(int(stage.get(key) or 0) for stage in stages.values()))


def _name(name: str, baseline: str) -> Cell:
    return Cell(name, note="baseline" if name == baseline else "")
