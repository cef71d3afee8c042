"""From finished units to the numbers of an experiment: means, intervals, tests against the baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import Config, is_llm
from hipporag_like.errors import InputError
from hipporag_like.eval.correction import holm
from hipporag_like.eval.folders import read_object, write_object
from hipporag_like.eval.machine import made_with
from hipporag_like.eval.plan import Plan, Task
from hipporag_like.eval.scores import DECIMALS, METRICS, mean_scores
from hipporag_like.eval.significance import bootstrap_intervals, randomisation_tests
from hipporag_like.eval.units import Unit, failures_of, scores_of
from hipporag_like.models.costs import price
from hipporag_like.types import Usage

FORMAT = 1
RESULTS = "results.json"
FAILURES_SHOWN = 5  # the units have all

Units = Mapping[str, Mapping[str, Unit]]  # by data set, then system
Row = Mapping[str, Any]


def write_results(folder: Path, results: Mapping[str, Any]) -> Path:
    """Write ``results.json`` into an experiment's folder, whole or not at all; return its path."""
    path = folder / RESULTS
    write_object(path, results, indent=1)
    return path


def load_results(place: str | Path) -> dict[str, Any]:
    """Return the results of an experiment.

    Parameters
    ----------
    place
        The experiment's folder, or a file such as its ``results.json``.

    Raises
    ------
    InputError
        There are none, or they were written in another format.
    """
    path = Path(place) / RESULTS if Path(place).is_dir() else Path(place)
    if not path.is_file():
        raise InputError(
            f"there are no results at {path}; make them with: hipporag-like experiment DATASET --out {path.parent}"
        )
    results = read_object(path)
    if results is None or not isinstance(results.get("results"), dict):
        raise InputError(f"{path} does not hold the results of an experiment; give the folder of one")
    if results.get("format") != FORMAT:
        raise InputError(
            f"{path} has format {results.get('format')!r}, and this version reads {FORMAT}; update hipporag-like, "
            "or run the experiment again"
        )
    return results


def summarise(plan: Plan, units: Units, indexes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the numbers of an experiment, as JSON values.

    Parameters
    ----------
    units
        One for each system that has something to say about a data set.
    indexes
        By data set; see :func:`hipporag_like.eval.shared_index.prepare_index`.

    Returns
    -------
    dict
        ``made`` (time, code, machine), ``config``, ``limit``, ``condition``, ``baseline``, ``read``, ``datasets``,
        ``systems`` and ``results`` by data set and system: ``scores`` (means; units as in ``eval.scores``),
        ``intervals`` (95% bootstrap, of the mean), ``per_type``, ``per_hops``, ``seconds`` (of retrieval),
        ``memory_mb``, ``usage``, ``money``, ``failures`` (questions that a language model failed on, which count as
        zero) and ``against_baseline``: by metric the paired ``difference`` with
        its interval (``low``, ``high``), ``p`` of the randomisation test, and ``p_corrected`` (Holm) over all
        comparisons of the metric in the experiment.
    """
    results: dict[str, dict[str, Any]] = {}
    for task in plan.tasks:
        name = task.dataset.name
        results[name] = {
            s: _system(unit, None if s in task.runs else plan.config) for s, unit in units[name].items()
        }
        _add_tests(results[name], units[name], plan.baseline)
    _correct(results)
    return {
        "format": FORMAT,
        "made": made_with(),
        "config": plan.config.to_dict(),
        "limit": plan.limit,
        "condition": plan.condition,
        "baseline": plan.baseline,
        "read": plan.read,
        "datasets": {t.dataset.name: _dataset(plan, t, indexes.get(t.dataset.name)) for t in plan.tasks},
        "systems": {system.name: system.to_dict() for system in plan.systems},
        "results": results,
    }


def _dataset(plan: Plan, task: Task, index: Mapping[str, Any] | None) -> dict[str, Any]:
    questions = plan.questions(task)
    types = Counter(question.type for question in questions if question.type)
    hops = Counter(question.hops for question in questions if question.hops)
    return {
        "path": task.path,
        "checksum": task.dataset.checksum,
        "n_documents": len(task.dataset.documents),
        "n_questions": len(questions),
        "types": dict(sorted(types.items())),
        "hops": {str(number): hops[number] for number in sorted(hops)},
        "index": None if index is None else {**index, "money": _money(index["usage"], plan.config)},
    }


def _system(unit: Unit, config: Config | None) -> dict[str, Any]:
    """Return the numbers of a unit; ``config`` has the prices, and is None where nobody knows what it cost."""
    rows = unit.rows
    values = np.array([[_number(row.get(name)) for name in METRICS] for row in rows])
    return {
        "scores": mean_scores([scores_of(row) for row in rows]),
        "intervals": _intervals(values),
        "per_type": _means_by(rows, lambda row: str(row["type"])),
        "per_hops": _means_by(rows, lambda row: str(row["hops"] or "")),
        "seconds": _seconds([row["seconds"] for row in rows if row["seconds"] is not None]),
        "memory_mb": unit.memory_mb,
        "usage": dict(unit.usage),
        "money": None if config is None else _money(unit.usage, config),
        "failures": _failures(unit),
        "against_baseline": None,
    }


def _failures(unit: Unit) -> dict[str, Any]:
    failed = failures_of(unit)
    return {"count": len(failed), "first": dict(list(failed.items())[:FAILURES_SHOWN])}


def _means_by(rows: Sequence[Row], group: Callable[[Row], str]) -> dict[str, dict[str, Any]]:
    """Return how many rows each group has and their mean scores; those of group ``""`` are left out."""
    names = sorted({group(row) for row in rows} - {""}, key=_in_order)
    parts = {name: [scores_of(row) for row in rows if group(row) == name] for name in names}
    return {name: {"n": len(part), "scores": mean_scores(part)} for name, part in parts.items()}


def _in_order(name: str) -> tuple[int, str]:
    """Return what sorts words by letters and numbers of hops by size: 10 comes after 2."""
    return (int(name), name) if name.isdigit() else (0, name)


def _seconds(values: Sequence[float]) -> dict[str, Any] | None:
    if not values:
        return None
    # A share of the queries, in percent, that took no longer.
    quantiles = [round(float(q), 6) for q in np.quantile(values, np.linspace(0, 1, 101))]
    mean = round(float(np.mean(values)), 6)
    return {
        "mean": mean,
        "p50": quantiles[50],
        "p95": quantiles[95],
        "max": quantiles[100],
        "quantiles": quantiles,
    }


def _money(usage: Mapping[str, Mapping[str, int]], config: Config) -> float | None:
    spent = {stage: Usage(**part) for stage, part in usage.items()}
    return price(spent, config.llm, config.read.reader if is_llm(config.read.reader) else "").money


# Intervals and tests


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _intervals(values: NDArray[np.float64]) -> dict[str, list[float] | None]:
    found: dict[str, list[float] | None] = dict.fromkeys(METRICS)
    for columns, known in _alike(values):
        for column, (low, high) in zip(columns, bootstrap_intervals(known), strict=True):
            found[METRICS[column]] = [round(float(low), DECIMALS), round(float(high), DECIMALS)]
    return found


def _alike(values: NDArray[np.float64]) -> list[tuple[list[int], NDArray[np.float64]]]:
    """Return the columns by the questions that they have a value for, and those values; empty ones are left out."""
    groups: dict[bytes, list[int]] = {}
    known = ~np.isnan(values)
    for column in range(values.shape[1]):
        if known[:, column].any():
            groups.setdefault(known[:, column].tobytes(), []).append(column)
    return [(columns, values[known[:, columns[0]]][:, columns]) for columns in groups.values()]


def _add_tests(results: dict[str, Any], units: Mapping[str, Unit], baseline: str) -> None:
    tables = {
        name: np.array([[_number(row.get(metric)) for metric in METRICS] for row in unit.rows])
        for name, unit in units.items()
    }
    for name, table in tables.items():
        if name != baseline:
            results[name]["against_baseline"] = _tests(table - tables[baseline])


def _tests(differences: NDArray[np.float64]) -> dict[str, dict[str, Any]]:
    """Return the paired tests of each metric that both systems have; ``p_corrected`` is filled in later."""
    found: dict[str, dict[str, Any]] = {}
    for columns, known in _alike(differences):
        bounds, p_values = bootstrap_intervals(known), randomisation_tests(known)
        for place, column in enumerate(columns):
            found[METRICS[column]] = {
                "n": len(known),
                "difference": round(float(known[:, place].mean()), DECIMALS),
                "low": round(float(bounds[place, 0]), DECIMALS),
                "high": round(float(bounds[place, 1]), DECIMALS),
                "p": float(p_values[place]),
            }
    return {metric: found[metric] for metric in METRICS if metric in found}


def _correct(results: Mapping[str, Mapping[str, Any]]) -> None:
    for metric in METRICS:
        tests = [
            system["against_baseline"][metric]
            for systems in results.values()
            for system in systems.values()
            if metric in (system["against_baseline"] or {})
        ]
        for test, corrected in zip(tests, holm([test["p"] for test in tests]), strict=True):
            test["p_corrected"] = corrected
