"""One system on one data set: the grain at which an experiment goes on after it was stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hipporag_like.eval.folders import read_object, write_object

FORMAT = 1
# What a row holds besides scores.
FIELDS = (
    "id",
    "type",
    "hops",
    "ranking",
    "scores_of_ranking",
    "answer",
    "citations",
    "seconds",
    "error",
)


@dataclass(frozen=True, slots=True)
class Unit:
    """What one system made of one data set.

    Attributes
    ----------
    key
        Of what determines it: the same key, the same rows.
    rows
        One a question, in their order: ``FIELDS`` and the scores by name.
    usage
        What language models cost, by stage.
    memory_mb
        The highest resident memory of the process while it ran, in MB; ``None`` for a run file.
    """

    dataset: str
    system: str
    key: str
    rows: Sequence[Mapping[str, Any]]
    usage: Mapping[str, Mapping[str, int]]
    memory_mb: float | None


def unit_path(folder: Path, dataset: str, system: str) -> Path:
    """Return where a unit is kept in an experiment's folder."""
    return folder / "units" / dataset / f"{system}.json"


def save_unit(folder: Path, unit: Unit) -> None:
    """Write a unit, whole or not at all.

    Raises
    ------
    StoreError
        It cannot be written.
    """
    value = {
        "format": FORMAT,
        "key": unit.key,
        "rows": list(unit.rows),
        "usage": unit.usage,
        "memory_mb": unit.memory_mb,
    }
    write_object(unit_path(folder, unit.dataset, unit.system), value)


def load_unit(folder: Path, dataset: str, system: str, key: str) -> Unit | None:
    """Return a finished unit; ``None`` where there is none that was made of what ``key`` identifies.

    Raises
    ------
    StoreError
        The file is there and cannot be read.
    """
    value = read_object(unit_path(folder, dataset, system))
    if value is None or value.get("format") != FORMAT or value.get("key") != key:
        return None
    rows, usage, memory = value.get("rows"), value.get("usage"), value.get("memory_mb")
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows
    ):
        return None  # altered by hand; it is made again
    if not isinstance(usage, dict) or not isinstance(memory, (int, float, type(None))):
        return None
    return Unit(dataset, system, key, rows, usage, memory)


def failures_of(unit: Unit) -> dict[str, str]:
    """Return why questions have no passages or no answer that a language model should have found, by their ids."""
    return {row["id"]: row["error"] for row in unit.rows if row.get("error")}


def scores_of(row: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the scores in a row of a unit."""
    return {name: value for name, value in row.items() if name not in FIELDS}
