"""From the results of an experiment to what its report says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hipporag_like.eval import report_numbers as show
from hipporag_like.eval import report_tables as tables
from hipporag_like.eval.report_guide import guide
from hipporag_like.eval.report_lead import lead, summary_table
from hipporag_like.eval.report_page import Cell, Figure, Figures, Page, Section, Table

Results = Mapping[str, Any]
SHORT = 12  # characters of a checksum or commit that tell it from others

_FIGURES = {
    "recall": (
        "Recall curves",
        "How much of what a question needs is found among the first documents. All data sets have the same scale.",
    ),
    "cost": (
        "Quality against cost",
        "Up is better, left is faster; the scale of time is logarithmic. A run file has no times and is left out.",
    ),
    "times": (
        "Distribution of query times",
        "Thin line: 5 to 95 % of the queries; thick line: 25 to 75 %; stroke and number: the median. "
        "The scale is logarithmic.",
    ),
}


def make_page(results: Results, figures: Mapping[str, Sequence[Figure]], problem: str = "") -> Page:
    """Return the whole report.

    Parameters
    ----------
    results
        What ``results.json`` holds.
    figures
        By kind, as :func:`hipporag_like.eval.report_plots.draw_figures` returns them; none where they cannot
        be drawn.
    problem
        Why there are none.
    """
    everything = [system for found in results["results"].values() for system in found.values()]
    metrics = tables.metrics_of(everything)
    return Page(
        "Experiment: " + ", ".join(results["results"]),
        lead(results["results"], results["baseline"]),
        _facts(results),
        (
            _glance(results, problem),
            Section("What was compared", blocks=(_systems(results), _datasets(results))),
            *_pictures(figures),
            *(_dataset(results, name, figures.get("types", ())) for name in results["results"]),
        ),
        guide(metrics),
        json.dumps(results["config"], indent=2, ensure_ascii=False) if results.get("config") else "",
    )


def _facts(results: Results) -> tuple[tuple[str, str], ...]:
    made = results["made"]
    commit = str(made.get("commit") or "unknown")[:SHORT]
    state = " with changes that are not in it" if made.get("dirty") else ""
    machine = [
        str(made.get("cpu") or ""),
        f"{made['cores']} cores" if made.get("cores") else "",
        f"{made['memory_gb']:.1f} GB memory" if show.is_number(made.get("memory_gb")) else "",
        str(made.get("platform") or ""),
    ]
    limit, condition = results.get("limit"), results.get("condition")
    special = {
        "limit": f"the first {show.whole(limit)} questions of each data set" if limit else "",
        "condition": str(condition or ""),
        "answers": "" if results.get("read") else "not read, so there are no em and f1",
    }
    return (
        ("made", str(made.get("at") or "unknown")),
        ("commit", commit + state),
        ("version", f"{made.get('version') or 'unknown'}, Python {made.get('python') or 'unknown'}"),
        ("machine", ", ".join(part for part in machine if part) or "unknown"),
        *((name, text) for name, text in special.items() if text),
    )


def _glance(results: Results, problem: str) -> Section:
    text = (f"There are no plots: {problem}.",) if problem else ()
    table = summary_table(results["results"], list(results["systems"]), results["baseline"])
    return Section("At a glance", text, (table,))


def _systems(results: Results) -> Table:
    rows = []
    for name, system in results["systems"].items():
        ours = system.get("kind") != "run"
        source = (
            f"method {system.get('method') or name}" if ours else f"run file {system.get('source') or ''}"
        )
        rows.append(
            (Cell(name, note="baseline" if name == results["baseline"] else ""), Cell(source.strip()))
        )
    return Table("Systems", ("system", "what it is"), tuple(rows))


def _datasets(results: Results) -> Table:
    rows = []
    for name, dataset in results["datasets"].items():
        values = (
            show.whole(dataset.get("n_questions")),
            show.whole(dataset.get("n_documents")),
            show.named(dataset.get("types") or {}),
            show.named(dataset.get("hops") or {}),
            str(dataset.get("checksum") or show.NONE)[:SHORT],
        )
        rows.append((Cell(name), *map(Cell, values)))
    head = ("data set", "questions", "documents", "types", "hops", "checksum")
    return Table("Data sets", head, tuple(rows))


def _pictures(figures: Mapping[str, Sequence[Figure]]) -> list[Section]:
    """Return a section for each kind of plot, or one for all where each kind has one plot alone."""
    found = {kind: tuple(figures[kind]) for kind in _FIGURES if figures.get(kind)}
    if found and all(len(items) == 1 for items in found.values()):
        words = tuple(f"{title}: {text}" for title, text in (_FIGURES[kind] for kind in found))
        return [Section("Plots", words, (Figures(tuple(items[0] for items in found.values())),))]
    return [
        Section(_FIGURES[kind][0], (_FIGURES[kind][1],), (Figures(items),)) for kind, items in found.items()
    ]


def _dataset(results: Results, name: str, bars: Sequence[Figure]) -> Section:
    systems, baseline = results["results"][name], results["baseline"]
    place = list(results["results"]).index(name) + 1
    facts = tables.index_facts(results["datasets"][name])
    own = tuple(figure for figure in bars if figure.stem.startswith(f"types-{place}-"))
    metric = tables.main_metrics(tables.metrics_of(systems.values()))[:1]
    blocks: list[Table | Figures] = [
        tables.scores_table(systems, baseline),
        *tables.comparison_tables(systems, baseline),
        *tables.group_tables(systems, baseline, "per_type", "by type of question"),
    ]
    if own:
        blocks.append(Figures(own, f"{metric[0]} by type, drawn"))
    blocks += tables.group_tables(systems, baseline, "per_hops", "by number of hops")
    blocks.append(tables.costs_table(systems, baseline))
    kept = tuple(b for b in blocks if isinstance(b, Figures) or (b.rows and len(b.head) > 1))
    return Section(f"Data set {name}", (facts,) if facts else (), kept)
