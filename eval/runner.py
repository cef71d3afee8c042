"""Runs an experiment, unit by unit; what is finished is never run again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Any

from hipporag_like.errors import UsageError
from hipporag_like.eval.asking import ask_one, warm_up
from hipporag_like.eval.imported_runs import Run
from hipporag_like.eval.machine import code_digest, peak_mb, start_of_peak
from hipporag_like.eval.plan import Plan, System, Task
from hipporag_like.eval.remembering import Remembering, remembering
from hipporag_like.eval.results import summarise, write_results
from hipporag_like.eval.scores import DEPTH, question_scores
from hipporag_like.eval.shared_index import prepare_index
from hipporag_like.eval.tables import Result
from hipporag_like.eval.trec import require_words, write_run
from hipporag_like.eval.units import Unit, failures_of, load_unit, save_unit
from hipporag_like.eval.usage import total
from hipporag_like.models.embedders import load_embedder
from hipporag_like.models.protocols import Embedder, Metered
from hipporag_like.progress import Track, silent
from hipporag_like.rag import HippoRAG
from hipporag_like.store.files import make_folder
from hipporag_like.text import content_hash
from hipporag_like.types import Usage

Tell = Callable[[str], None]
_INDEXING = ("chunk", "extract", "embed", "graph", "lexical")  # the options that make an index


def _say_nothing(message: str) -> None:
    """Take a message for nobody."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What all parts of a run share."""

    plan: Plan
    code: str
    embedder: Callable[[], Embedder]  # loads it when first called: run files alone need none
    progress: Track
    tell: Tell


def run_experiment(
    plan: Plan, *, embedder: Embedder | None = None, progress: Track = silent, tell: Tell = _say_nothing
) -> dict[str, Any]:
    """Run what is left of an experiment and return its results; they are in ``results.json`` too.

    All indexes are made first, so that what can go wrong with them does so before the first query.

    Parameters
    ----------
    plan
        See :func:`hipporag_like.eval.plan.make_plan`.
    embedder
        Stands in for ``plan.config.embed``.
    progress
        Told how far each piece of work is.
    tell
        Told in a sentence what is finished.

    Returns
    -------
    dict
        See :func:`hipporag_like.eval.results.summarise`.

    Raises
    ------
    UsageError
        An index holds documents that are not in its data set.
    StoreError, ModelError
        A file cannot be written, or a model does not work. What was finished is kept.
    """
    model = cache(lambda: embedder or load_embedder(plan.config.embed, plan.config.llm))
    run = _Run(plan, code_digest(), model, progress, tell)
    asks = any(system.kind == "method" for system in plan.systems)
    indexes = {task.dataset.name: _index(run, task) for task in plan.tasks if asks}
    units = {task.dataset.name: _units(run, task) for task in plan.tasks}
    results = summarise(plan, units, indexes)
    write_results(plan.folder, results)
    return results


def _open(run: _Run, task: Task, embedder: Embedder) -> HippoRAG:
    return HippoRAG(run.plan.index_root / task.dataset.name, config=run.plan.config, embedder=embedder)


def _index(run: _Run, task: Task) -> dict[str, Any]:
    name = task.dataset.name
    options = run.plan.config.to_dict()
    key = _digest(
        task.dataset.checksum,
        {stage: options[stage] for stage in _INDEXING},
        run.embedder().fingerprint,
    )
    note = run.plan.folder / "indexes" / f"{name}.json"
    with closing(_open(run, task, run.embedder())) as rag:
        numbers, made = prepare_index(rag, task.dataset, note, key, run.code, run.progress)
    took = f" in {numbers['build_seconds']:,.1f} s" if numbers["build_seconds"] is not None else ""
    run.tell(
        f"{name}: indexed {numbers['documents']:,} documents{took}" if made else f"{name}: index is there"
    )
    return numbers


def _units(run: _Run, task: Task) -> dict[str, Unit]:
    """Return the units of a data set, by system; those that are not finished are run."""
    memory = cache(lambda: remembering(run.embedder()))
    units = {}
    for system in run.plan.systems_of(task):
        name, key = system.name, _key(run, task, system)
        unit = load_unit(run.plan.folder, task.dataset.name, name, key)
        if unit is None or failures_of(unit):  # what did answer comes from the cache of the answers
            start = time.perf_counter()
            unit = (
                _imported(run.plan, task, name, key)
                if system.kind == "run"
                else _asked(run, task, name, key, memory())
            )
            _write_run(run, task, unit)
            save_unit(run.plan.folder, unit)  # last: a finished unit has all its files
            seconds = time.perf_counter() - start
            run.tell(f"{task.dataset.name}, {name}: {len(unit.rows):,} questions in {seconds:,.1f} s")
        else:
            run.tell(f"{task.dataset.name}, {name}: finished before")
        units[name] = unit
    return units


def _asked(run: _Run, task: Task, method: str, key: str, memory: Remembering) -> Unit:
    """Return a unit of one of our methods; the index is opened anew, so that no unit profits from another's."""
    with closing(_open(run, task, memory)) as rag:
        start_of_peak()
        before = _embedded(run)
        rows, spent = _ask_all(run, task, method, rag, memory)
        peak, embedded = peak_mb(), _embedded(run) - before
    usage = total([*spent, *([] if embedded == Usage() else [{"embed": embedded}])])
    return Unit(task.dataset.name, method, key, rows, usage, peak)


def _embedded(run: _Run) -> Usage:
    """Return what the embedder has cost so far; nothing where it is no paid service."""
    embedder = run.embedder()
    return embedder.usage if isinstance(embedder, Metered) else Usage()


def _ask_all(
    run: _Run, task: Task, method: str, rag: HippoRAG, memory: Remembering
) -> tuple[list[dict[str, Any]], list[Mapping[str, Usage]]]:
    questions = run.plan.questions(task)
    spent = [warm_up(rag, questions[0], method)]
    rows = []
    with run.progress(f"{task.dataset.name} {method}", len(questions)) as advance:
        for question in questions:
            errors: list[str] = []
            result = ask_one(rag, question, method, run.plan.read, memory.reading, errors)
            rows.append({**_row(result), "error": "; ".join(errors) or None})
            spent.append(result.usage)
            advance(1)
    return rows, spent


def _imported(plan: Plan, task: Task, system: str, key: str) -> Unit:
    """Return a unit of another system's rankings; a question that it has none for scores 0."""
    ranked = task.runs[system]
    rows = []
    for question in plan.questions(task):
        ranking = tuple(ranked.get(question.id, ()))[:DEPTH]
        scores = question_scores(question, [document for document, _ in ranking])
        rows.append(_row(Result(question, ranking, float("nan"), None, (), scores, {}), timed=False))
    return Unit(task.dataset.name, system, key, rows, {}, None)


def _row(result: Result, timed: bool = True) -> dict[str, Any]:
    question = result.question
    spans = [{"document_id": s.document_id, "start": s.start, "end": s.end} for s in result.citations]
    return {
        "id": question.id,
        "type": question.type,
        "hops": question.hops,
        "ranking": [document for document, _ in result.ranking],
        "scores_of_ranking": [float(score) for _, score in result.ranking],
        "answer": result.answer,
        "citations": spans,
        "seconds": round(result.seconds, 6) if timed else None,
        "error": None,
        **result.scores,
    }


def _write_run(run: _Run, task: Task, unit: Unit) -> None:
    try:
        require_words(task.dataset)
    except UsageError as error:
        run.tell(f"{task.dataset.name}, {unit.system}: no run file is written: {error}")
        return
    rankings = {
        row["id"]: list(zip(row["ranking"], row["scores_of_ranking"], strict=True)) for row in unit.rows
    }
    folder = run.plan.folder / "runs" / task.dataset.name
    make_folder(folder)
    write_run(folder / f"{unit.system}.run", rankings, unit.system)


def _key(run: _Run, task: Task, system: System) -> str:
    """Return what identifies all that a unit depends on."""
    plan = run.plan
    what: list[Any] = [task.dataset.checksum, plan.limit, run.code, system.to_dict()["method"]]
    if system.kind == "run":
        return _digest(*what, _run_digest(task.runs[system.name]))
    return _digest(*what, plan.config.to_dict(), run.embedder().fingerprint, plan.read)


def _run_digest(run: Run) -> str:
    return _digest({question: [[d, s] for d, s in ranking] for question, ranking in run.items()})


def _digest(*parts: Any) -> str:
    return content_hash(*(json.dumps(part, sort_keys=True, ensure_ascii=False) for part in parts))
