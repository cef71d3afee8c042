"""A trace as a person reads it: what the question named, what the walk used, where it came out."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hipporag_like.cli._console import ACCENT, FAINT, STRONG, bar, heading, indent, seconds
from hipporag_like.cli._costs import Cost, stage_lines
from hipporag_like.cli._render import render_explained_hits
from hipporag_like.text import squeeze
from hipporag_like.types import Step, Trace

FACTS = 8  # shown; --json has all
STEP_HITS = 4  # of each step, shown; --json has all
_SOURCES = {
    "ngram": "exact words",
    "fuzzy": "similar spelling",
    "embedding": "similar meaning",
    "fact": "a similar fact",
}


def render_trace(trace: Trace, cost: Cost | None = None) -> Group:
    """Return the whole explanation of a query, and what the models it called cost."""
    parts: list[RenderableType] = [Text(trace.question, style=STRONG), _method(trace)]
    if trace.note:
        parts.append(Text(trace.note))
    if trace.steps:
        parts += [heading("Steps"), indent(_steps(trace.steps), 2)]
    if trace.seeds:
        parts += [heading("Found in the question"), indent(_seeds(trace), 2)]
    if trace.facts:
        parts += [heading("Facts used"), indent(_facts(trace), 2)]
        if len(trace.facts) > FACTS:
            parts.append(Text(f"  and {len(trace.facts) - FACTS} more; --json has all", style=FAINT))
    if trace.hits:
        parts += [heading("Passages"), render_explained_hits(trace.hits)]
    parts += [Text(), *_costs(trace)]
    parts += [Text(line, style=FAINT) for line in (stage_lines(cost) if cost else [])]
    return Group(*parts)


def _steps(steps: Sequence[Step]) -> Table:
    """Return what was looked up, the best of what was found and what the model made of it, step by step."""
    table = _grid()
    for number, step in enumerate(steps, start=1):
        found = [f"{hit.passage.title or hit.passage.document_id} {hit.score:.3f}" for hit in step.trace.hits]
        more = f", and {len(found) - STEP_HITS} more" if len(found) > STEP_HITS else ""
        best = ", ".join(found[:STEP_HITS]) + more
        table.add_row(Text(str(number), style=ACCENT), Text(squeeze(step.query), style=STRONG))
        table.add_row("", Text(f"found: {best or 'nothing'}", style=FAINT))
        if step.thought:
            table.add_row("", Text(f"thought: {squeeze(step.thought)}"))
    return table


def _method(trace: Trace) -> Text:
    if trace.outcome == "empty":
        return Text("Nothing could be returned.")
    if trace.outcome == "no_seeds":
        return Text(
            f"Nothing in the question was found in the graph (no seeds), so {trace.requested_method} had "
            f"nowhere to start and {trace.method} answered instead."
        )
    return Text(f"method {trace.method}", style=FAINT)


def _seeds(trace: Trace) -> Table:
    table = _grid()
    top = max(abs(seed.weight) for seed in trace.seeds)
    for seed in trace.seeds:
        matched = f"\u201c{seed.matched}\u201d " if seed.matched else ""
        table.add_row(
            Text(seed.entity, style=ACCENT),
            bar(seed.weight / top if top else 0.0, 8),
            Text(f"{seed.weight:.3f}"),
            Text(f"{matched}by {_SOURCES[seed.source]}", style=FAINT),
        )
    return table


def _facts(trace: Trace) -> Table:
    table = _grid()
    for scored in trace.facts[:FACTS]:
        table.add_row(
            Text(f"{scored.score:.4f}"),
            Text(f"{scored.similarity:+.2f}", style=FAINT),
            Text.assemble(squeeze(scored.fact.text), (f"  {scored.fact.passage_id}", FAINT)),
        )
    table.columns[0].header = Text("mass", style=FAINT)
    table.columns[1].header = Text("cosine", style=FAINT)
    table.show_header = True
    return table


def _grid() -> Table:
    return Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))


def _costs(trace: Trace) -> list[RenderableType]:
    walk = [
        f"{name} {value:,.0f}" if value >= 1 else f"{name} {value:.1g}" for name, value in trace.walk.items()
    ]
    times = [f"{name} {seconds(value)}" for name, value in trace.seconds.items()]
    lines = {"walk": walk, "time": times}
    return [Text(f"{name}: {', '.join(items)}", style=FAINT) for name, items in lines.items() if items]
