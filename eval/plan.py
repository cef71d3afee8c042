"""What an experiment is to run, and whether all of it can be: checked before the first query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hipporag_like.config import METHODS, Config
from hipporag_like.errors import ConfigError, InputError, UsageError
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.folders import read_object, write_object
from hipporag_like.eval.imported_runs import Run, load_runs
from hipporag_like.eval.plan_checks import (
    choose_baseline,
    find_condition,
    require_datasets,
    require_models,
    require_names,
)
from hipporag_like.eval.questions import Dataset, Question

FORMAT = 1
PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class System:
    """What is compared: a method of ours, or the run of another system.

    Attributes
    ----------
    source
        The run file or folder as it was given; ``None`` for a method.
    """

    name: str
    kind: Literal["method", "run"]
    source: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of ``results.json``."""
        method = self.name if self.kind == "method" else None
        return {"kind": self.kind, "method": method, "source": self.source}


@dataclass(frozen=True, slots=True)
class Task:
    """A data set and what other systems made of it.

    Attributes
    ----------
    path
        As it was given.
    runs
        By system; one that has no ranking for this data set is missing.
    """

    path: str
    dataset: Dataset
    runs: Mapping[str, Run]


@dataclass(frozen=True, slots=True)
class Plan:
    """An experiment that can be run.

    Attributes
    ----------
    folder
        Of the experiment; it exists and can be written to.
    index_root
        Where indexes are, one folder a data set.
    limit
        Only the first so many questions of each data set.
    condition
        The name of a change that was made to each data set; see ``conditions``.
    read
        Whether questions are answered too.
    """

    folder: Path
    tasks: tuple[Task, ...]
    systems: tuple[System, ...]
    baseline: str
    config: Config
    index_root: Path
    limit: int | None = None
    condition: str | None = None
    read: bool = True

    def questions(self, task: Task) -> tuple[Question, ...]:
        """Return the questions that are asked."""
        return task.dataset.questions[: self.limit]

    def systems_of(self, task: Task) -> tuple[System, ...]:
        """Return the systems that have something to say about a data set."""
        return tuple(s for s in self.systems if s.kind == "method" or s.name in task.runs)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``plan.json`` holds."""
        datasets = {
            task.dataset.name: {"path": task.path, "checksum": task.dataset.checksum} for task in self.tasks
        }
        return {
            "format": FORMAT,
            "datasets": datasets,
            "systems": {system.name: system.to_dict() for system in self.systems},
            "baseline": self.baseline,
            "limit": self.limit,
            "condition": self.condition,
            "read": self.read,
            "config": self.config.to_dict(),
        }


def make_plan(
    datasets: Sequence[str | Path],
    folder: str | Path,
    *,
    methods: Sequence[str] = METHODS,
    runs: Mapping[str, str | Path] | None = None,
    baseline: str | None = None,
    config: Config | None = None,
    limit: int | None = None,
    condition: str | None = None,
    read: bool = True,
    index_root: str | Path | None = None,
    find: Callable[[str], Path] = Path,
) -> Plan:
    """Return the experiment, with everything loaded and checked that can be before an index is made.

    Parameters
    ----------
    datasets
        Where they are; see :func:`hipporag_like.eval.datasets.load_dataset`.
    folder
        Of the experiment; made where missing. One that holds an experiment is gone on with.
    methods
        Names out of ``hipporag_like.config.METHODS``.
    runs
        By the name of the system: a TREC run file or a folder of them; see :func:`load_runs`.
    baseline
        The system that the others are tested against; without it ``hybrid``, or the first one.
    config
        Without it, the options of the indexes at ``index_root``, or the defaults where there are none.
    condition
        A name out of ``conditions.CONDITIONS``, for every data set.
    index_root
        Where indexes are or are made, ``INDEX_ROOT/DATASET``; without it inside ``folder``.
    find
        From the name of a data set to its path.

    Raises
    ------
    ConfigError, UsageError, InputError
        Anything that cannot be run as asked; one sentence with the fix.
    """
    systems = _systems(methods, runs or {})
    chosen = choose_baseline([system.name for system in systems], baseline)
    if limit is not None and limit < 1:
        raise ConfigError(f"limit must be at least 1, got {limit}")
    change = find_condition(condition)
    if not datasets:
        raise UsageError("an experiment needs at least one data set")
    loaded = [change(load_dataset(find(str(path)))) for path in datasets]
    require_datasets(loaded)
    rankings = {s.name: load_runs(s.source, loaded) for s in systems if s.source is not None}
    root = Path(folder) / "indexes" if index_root is None else Path(index_root)
    tasks = [
        Task(
            str(path),
            dataset,
            {n: found[dataset.name] for n, found in rankings.items() if dataset.name in found},
        )
        for path, dataset in zip(datasets, loaded, strict=True)
    ]
    options = config or _own_config([root / dataset.name for dataset in loaded])
    require_models(options, [system.name for system in systems if system.kind == "method"], read)
    plan = Plan(Path(folder), tuple(tasks), systems, chosen, options, root, limit, condition, read)
    _require_baseline_everywhere(plan)
    _take(plan)
    return plan


def _systems(methods: Sequence[str], runs: Mapping[str, str | Path]) -> tuple[System, ...]:
    require_names(methods, list(runs))
    ours = [System(method, "method") for method in dict.fromkeys(methods)]
    return (*ours, *(System(name, "run", str(path)) for name, path in runs.items()))


def _require_baseline_everywhere(plan: Plan) -> None:
    for task in plan.tasks:
        if plan.baseline not in [system.name for system in plan.systems_of(task)]:
            raise UsageError(
                f"the baseline {plan.baseline} has no ranking for {task.dataset.name}; choose another baseline"
            )


def _own_config(indexes: Sequence[Path]) -> Config:
    """Return the options of the indexes that are there, so that they are not made anew by the defaults."""
    from hipporag_like.indexing.notes import config_of

    own = [config_of(folder) for folder in indexes if folder.is_dir()]
    if any(config != own[0] for config in own):
        raise ConfigError(
            f"the indexes in {indexes[0].parent} were made with different options; say with --config which to use"
        )
    return own[0] if own else Config()


def _take(plan: Plan) -> None:
    """Write the plan; the folder is then known to be writable, and known as an experiment's."""
    folder = plan.folder
    if folder.is_dir() and any(folder.iterdir()) and read_object(folder / PLAN) is None:
        raise InputError(f"{folder} holds files but no experiment; give a new folder, or an experiment's")
    write_object(folder / PLAN, plan.to_dict(), indent=1)
