"""The results of an experiment, as a person reads them: a table a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hipporag_like.cli._console import BAD, FAINT, GOOD, STRONG, seconds
from hipporag_like.cli._costs import price_words

ALPHA = 0.05  # the usual level
_SHORT = {
    "recall@2": "R@2",
    "recall@5": "R@5",
    "recall@10": "R@10",
    "all_recall@5": "all@5",
    "em": "em",
    "f1": "f1",
}  # what fits 80 columns; the report has all


def render_experiment(results: Mapping[str, Any], files: Sequence[str]) -> Group:
    """Return a table for each data set, what its marks mean, and the files that hold the rest."""
    parts: list[RenderableType] = []
    for name, systems in results["results"].items():
        parts += [_title(name, results["datasets"][name]), _table(systems, results), Text()]
    if any(_marked(row) for systems in results["results"].values() for row in systems.values()):
        parts.append(
            Text(
                f"+ better, - worse than {results['baseline']}: p <= {ALPHA}, randomisation test, "
                "Holm-corrected",
                style=FAINT,
            )
        )
    parts += [Text(line, style=BAD) for line in _failures(results)]
    return Group(*parts, *(Text(path, style=FAINT) for path in files))


def _failures(results: Mapping[str, Any]) -> list[str]:
    """Return a line for each system that a language model failed; what it lost counts as zero."""
    lines = []
    for name, systems in results["results"].items():
        for system, row in systems.items():
            failed = row["failures"]
            if failed["count"]:
                reason = next(iter(failed["first"].values()))
                noun = "question" if failed["count"] == 1 else "questions"
                lines.append(
                    f"{name}, {system}: {failed['count']:,} {noun} failed and counted as zero ({reason}); run the "
                    "command again to ask them again"
                )
    return lines


def _title(name: str, dataset: Mapping[str, Any]) -> Text:
    counts = [(dataset["n_questions"], "question"), (dataset["n_documents"], "document")]
    said = ", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in counts)
    return Text.assemble((name, STRONG), f": {said}")


def _table(systems: Mapping[str, Mapping[str, Any]], results: Mapping[str, Any]) -> Table:
    measures = [name for name in _SHORT if any(row["scores"][name] is not None for row in systems.values())]
    paid = any(row["money"] for row in systems.values())
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=FAINT)
    table.add_column("system", style=STRONG, no_wrap=True)
    for name in [*(_SHORT[measure] for measure in measures), "time", *(["cost"] if paid else [])]:
        table.add_column(name, justify="right", no_wrap=True)
    best = {m: max(r["scores"][m] for r in systems.values() if r["scores"][m] is not None) for m in measures}
    for system, row in systems.items():
        cells = [_cell(row, measure, best[measure], len(systems) > 1) for measure in measures]
        taken = row["seconds"]
        cells.append(Text("-" if taken is None else seconds(taken["mean"]), style=FAINT))
        if paid:
            currency = results["config"]["llm"]["currency"]
            cells.append(
                Text("-" if row["money"] is None else price_words(row["money"], currency), style=FAINT)
            )
        table.add_row(system, *cells)
    return table


def _cell(row: Mapping[str, Any], measure: str, best: float, compared: bool) -> Text:
    value = row["scores"][measure]
    if value is None:
        return Text("-  ", style=FAINT)
    return Text.assemble(
        (f"{value:.1f}", GOOD if value == best and compared else ""),
        (_mark(row, measure) or " ", FAINT),
    )


def _mark(row: Mapping[str, Any], measure: str) -> str:
    """Return how a system differs from the baseline: ``+``, ``-``, or nothing where it may be chance."""
    test = (row["against_baseline"] or {}).get(measure)
    if test is None or test["p_corrected"] > ALPHA:
        return ""
    return "+" if test["difference"] > 0 else "-"


def _marked(row: Mapping[str, Any]) -> bool:
    return any(_mark(row, measure) for measure in _SHORT)
