"""What indexing did, what an index holds, and how systems compare, as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hipporag_like.cli._console import BAD, FAINT, GOOD, STRONG, indent, seconds
from hipporag_like.cli._costs import Cost, price_words, stage_line, stage_lines
from hipporag_like.text import squeeze
from hipporag_like.types import Failure, IndexReport, Usage

if TYPE_CHECKING:
    from hipporag_like.indexing.estimate import Estimate

FAILURES = 20  # shown; --json has all


def render_report(report: IndexReport, cost: Cost | None = None) -> Table:
    """Return what one run of ``index`` or ``delete`` did, and what the models it called cost."""
    table = _pairs()
    names = ("added", "updated", "unchanged", "deleted")
    done = [f"{getattr(report, name):,} {name}" for name in names if getattr(report, name)]
    table.add_row("documents", Text(", ".join(done) or "none", style=GOOD if done else ""))
    for name in ("passages", "entities", "facts"):
        table.add_row(name, f"{getattr(report, name):,}")
    if report.failures:
        table.add_row("failures", Text(f"{len(report.failures):,}", style=BAD))
    table.add_row("time", _times(report.seconds))
    spent = stage_lines(cost) if cost else []
    if spent:
        table.add_row("models", "\n".join(spent))
    return table


def render_estimate(estimate: Estimate) -> Group:
    """Return what a run of ``index`` would do and cost."""
    table = _pairs()
    fresh = estimate.passages - estimate.known
    table.add_row("documents", f"{estimate.documents:,}")
    table.add_row("passages", f"{estimate.passages:,}  ({fresh:,} new, {estimate.known:,} known)")
    total = sum(estimate.usage.values(), Usage())
    if not estimate.usage:
        table.add_row("calls", "0" if fresh == 0 else "0; the extractor calls no language model")
        return Group(table)
    cached = f"  ({total.cached:,} more from the cache)" if total.cached else ""
    table.add_row("calls", f"{total.calls:,}{cached}")
    if total.failed:
        noun = "passage does" if total.failed == 1 else "passages do"
        table.add_row("failures", Text(f"{total.failed:,} {noun} not fit the model", style=BAD))
    table.add_row("tokens in", f"{total.input_tokens:,}")
    table.add_row("tokens out", f"{total.output_tokens:,}")
    table.add_row("cost", Text(price_words(estimate.money, estimate.currency), style=STRONG))
    if len(estimate.usage) > 1:
        table.add_row("by stage", "\n".join(stage_line(*part) for part in estimate.usage.items()))
    return Group(table, *([Text(f"\n{estimate.note}", style=FAINT)] if estimate.note else []))


def render_failures(failures: Sequence[Failure]) -> Group:
    """Return the table of what failed and why: sources, and passages that were indexed by their words alone."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=FAINT)
    table.add_column("source", overflow="fold", max_width=40)
    table.add_column("reason", overflow="fold")
    for failure in failures[:FAILURES]:
        table.add_row(Text(failure.source, style=STRONG), Text(squeeze(failure.reason)))
    noun = "failure" if len(failures) == 1 else "failures"
    parts: list[RenderableType] = [
        Text(f"\n{len(failures):,} {noun}", style=BAD),
        indent(table, 2),
    ]
    if len(failures) > FAILURES:
        parts.append(Text(f"  and {len(failures) - FAILURES:,} more; --json lists all", style=FAINT))
    return Group(*parts)


def render_mapping(values: Mapping[str, Any], depth: int = 0) -> Group:
    """Return names and values aligned, mappings inside indented below their name."""
    flat = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    table = _pairs()
    for key, value in flat.items():
        table.add_row(_words(key), _value(value))
    parts: list[RenderableType] = [table] if flat else []
    for key, value in values.items():
        if isinstance(value, Mapping):
            inner = render_mapping(value, depth + 1) if value else Text("none", style=FAINT)
            space = "\n" if depth == 0 else ""
            parts += [Text(f"{space}{_words(key)}", style=STRONG), indent(inner, 2)]
    return Group(*parts)


def render_systems(systems: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return methods by measures; the best of each measure stands out."""
    scores = {method: _scores(row) for method, row in systems.items()}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=FAINT)
    table.add_column("method", style=STRONG, no_wrap=True)
    measures = list(dict.fromkeys(name for row in scores.values() for name in row))
    for name in measures:
        table.add_column(_SHORT.get(name, name), justify="right", no_wrap=True)
    for method, row in scores.items():
        cells = [_cell(name, row.get(name), [r.get(name) for r in scores.values()]) for name in measures]
        table.add_row(method, *cells)
    return table


def render_usage(numbers: Mapping[str, Any]) -> list[RenderableType]:
    """Return a line for each stage in which a language model was called, by index and method."""
    parts = {"index": numbers["index"], **numbers["systems"]}
    lines = []
    for name, part in parts.items():
        for stage, usage in part.get("usage", {}).items():
            lines.append(f"{name}  {stage_line(stage, Usage(**usage))}")
    return [Text(line, style=FAINT) for line in lines]


_SHORT = {
    **{f"recall@{k}": f"R@{k}" for k in (1, 2, 5, 10, 20)},
    "all_recall@5": "all@5",
    "seconds_per_query": "time",
}
_LEFT_OUT = (
    "precision@5",
    "mrr",
    "map",
    "ndcg@10",
    "span_iou",
)  # in --json; with them the table would not fit 80 columns


def _scores(row: Mapping[str, Any]) -> dict[str, float | None]:
    numbers = {name: value for name, value in row.items() if value is None or isinstance(value, (int, float))}
    return {name: value for name, value in numbers.items() if name not in _LEFT_OUT}


def _cell(name: str, value: float | None, column: Sequence[float | None]) -> Text:
    if value is None:
        return Text("-", style=FAINT)
    if name == "seconds_per_query":
        return Text(seconds(value), style=FAINT)
    best = max(v for v in column if v is not None)
    return Text(f"{value:.1f}", style=GOOD if value == best and len(column) > 1 else "")


def _pairs() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style=FAINT, no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _times(stages: Mapping[str, float]) -> Text:
    total = stages.get("total", sum(stages.values()))
    parts = ", ".join(f"{name} {seconds(value)}" for name, value in stages.items() if name != "total")
    return Text.assemble(seconds(total), (f"  ({parts})" if parts else "", FAINT))


def _words(key: str) -> str:
    return key.replace("_", " ")


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_value(item) for item in value) or "none"
    return str(value)
