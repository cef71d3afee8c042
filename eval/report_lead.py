"""The result of an experiment in a few sentences and one table. What is said follows fixed rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hipporag_like.eval import report_numbers as show
from hipporag_like.eval.report_page import Cell, Table
from hipporag_like.eval.report_tables import main_metrics, metrics_of

Results = Mapping[str, Mapping[str, Mapping[str, Any]]]  # by data set, by system

_VERDICTS = {"better": "better beyond chance", "worse": "worse beyond chance", "": "not clearly different"}


def headline_metric(results: Results) -> str:
    """Return the metric that stands for quality, or ``""`` where nothing was scored."""
    metrics = metrics_of([system for found in results.values() for system in found.values()])
    return main_metrics(metrics)[0] if metrics else ""


def means(results: Results, metric: str) -> dict[str, float]:
    """Return the mean over the data sets, each counting the same, of the systems that all of them have."""
    names = dict.fromkeys(name for found in results.values() for name in found)
    values = {name: [_score(found, name, metric) for found in results.values()] for name in names}
    kept = {name: [v for v in row if v is not None] for name, row in values.items()}
    return {name: sum(row) / len(row) for name, row in kept.items() if row and len(row) == len(results)}


def lead(results: Results, baseline: str) -> tuple[str, ...]:
    """Return the result in a few sentences: who is best, whether that is beyond chance, at what cost."""
    metric = headline_metric(results)
    averages = means(results, metric)
    if not averages:
        return ("No system has a score on every data set, so there is no overall best; see the tables.",)
    best = max(averages, key=lambda name: averages[name])
    where = f"over the {len(results)} data sets" if len(results) > 1 else f"on {next(iter(results))}"
    kind = "highest mean" if len(results) > 1 else "highest"
    first = f"{best} has the {kind} {metric} {where}: {show.score(metric, averages[best])}"
    if best == baseline:
        return (f"{first}. It is the baseline: no system is above it.", *_cost(results, (best,)))
    against = (
        f", against {show.score(metric, averages[baseline])} for {baseline}, the baseline"
        if baseline in averages
        else ""
    )
    sentences = [f"{first}{against}.", _beyond_chance(results, best, baseline, metric)]
    return (*(s for s in sentences if s), *_cost(results, (best, baseline)))


def summary_table(results: Results, names: Sequence[str], baseline: str) -> Table:
    """Return the headline metric of each system on each data set, and its mean."""
    metric = headline_metric(results)
    averages = means(results, metric)
    columns: list[dict[str, Any]] = [
        {name: _score(found, name, metric) for name in names} for found in results.values()
    ]
    heads = list(results)
    if len(results) > 1:
        columns.append(dict(averages))
        heads.append("mean")
    tops = [show.best(metric, column.values()) for column in columns]
    verdicts = [
        {name: show.verdict(_comparison(found, name, metric)) for name in names} for found in results.values()
    ]
    verdicts += [{}] * (len(columns) - len(verdicts))  # the mean is not tested
    rows = []
    for name in names:
        texts = [show.score(metric, column.get(name)) for column in columns]
        cells = [
            Cell(t, t == top, verdict.get(name, ""))
            for t, top, verdict in zip(texts, tops, verdicts, strict=True)
        ]
        rows.append((Cell(name, note="baseline" if name == baseline else ""), *cells))
    note = f"▲ better, ▼ worse than {baseline} beyond chance (p corrected below {show.ALPHA})."
    return Table(f"{metric} of each data set", ("system", *heads), tuple(rows), note)


def _beyond_chance(results: Results, best: str, baseline: str, metric: str) -> str:
    verdicts = [
        show.verdict(row)
        for found in results.values()
        if (row := _comparison(found, best, metric)) is not None
    ]
    if not verdicts:
        return ""
    intro = f"Compared with {baseline} question by question, and corrected for many comparisons, it is"
    if len(verdicts) == 1:
        return f"{intro} {_VERDICTS[verdicts[0]]}."
    counts = {words: sum(verdict == key for verdict in verdicts) for key, words in _VERDICTS.items()}
    parts = [f"{words} on {count}" for words, count in counts.items() if count]
    return f"{intro} {', '.join(parts)} of {len(verdicts)} data sets."


def _cost(results: Results, names: Sequence[str]) -> tuple[str, ...]:
    parts = []
    for name in dict.fromkeys(names):
        times = [(found.get(name) or {}).get("seconds") or {} for found in results.values()]
        known = [time["mean"] for time in times if show.is_number(time.get("mean"))]
        if known and len(known) == len(times):
            parts.append(f"{show.seconds(sum(known) / len(known))} with {name}")
    return (f"A query takes {' and '.join(parts)} on average.",) if parts else ()


def _score(found: Mapping[str, Mapping[str, Any]], name: str, metric: str) -> float | None:
    value = ((found.get(name) or {}).get("scores") or {}).get(metric)
    return float(value) if value is not None and show.is_number(value) else None


def _comparison(found: Mapping[str, Mapping[str, Any]], name: str, metric: str) -> Mapping[str, Any] | None:
    row: Mapping[str, Any] | None = ((found.get(name) or {}).get("against_baseline") or {}).get(metric)
    return row
