"""Path finding: questions whose starting points lead to many places, of which one is where the paths meet.

HippoRAG's paper (Gutiérrez et al. 2024, figure 1 and the case study of its discussion) tells two kinds of multi-hop
questions apart. One that *follows* a path has one way to go at each step: where was the director of this film born.
One that *finds* a path starts at things that each lead to many others: which Stanford professor works on Alzheimer's.
Of all professors and all researchers it wants the one that both starting points are tied to, though no passage need
say so in the question's words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hipporag_like.errors import ConfigError
from hipporag_like.eval.questions import Dataset, Question, require_gold
from hipporag_like.eval.studies.bench import (
    Bench,
    Measured,
    Row,
    correct,
    described,
    judged,
    measure,
    paired,
    require_methods,
)
from hipporag_like.rag import HippoRAG
from hipporag_like.text import words
from hipporag_like.types import Trace

METHODS = ("graph", "hipporag", "hipporag2", "hybrid", "dense", "bm25")
BASELINE = "hybrid"  # what finds passages without any path
# A question finds a path where its rarest starting point leads to more passages than a reader is shown by default:
# up to there, one who reads all of them needs no path.
MANY = 5
SHOWN = 10  # hits that carry a path
CALLED = ("path finding", "finding")  # what a data set may call the type of such a question
KINDS = ("finding", "following")


@dataclass(frozen=True, slots=True)
class Start:
    """An entity that the question names, and how many passages name it too."""

    entity: str
    passages: int


def path_finding(
    dataset: Dataset,
    bench: Bench,
    methods: Sequence[str] = METHODS,
    many: int = MANY,
    limit: int | None = None,
) -> dict[str, Any]:
    """Return how well each method finds the ends of paths, and the path that the graph took.

    Parameters
    ----------
    many
        A question finds a path where its rarest starting point leads to more passages than this; and where the data
        set calls it so (:data:`CALLED`).
    limit
        Only the first so many questions.

    Returns
    -------
    dict
        ``kinds``: for ``finding`` and ``following`` the number of questions and by method the scores against the
        path's end, with ``against_baseline`` (hybrid) where it was asked for. ``questions``: for each its kind, the
        starting points with the passages that each leads to, the documents at the end, the rank of the first of
        them by method, and the path that the trace found to it.

    Raises
    ------
    InputError, ConfigError, UsageError
        Gold that is missing, an unknown method, or an index that holds other documents.
    """
    if many < 1:
        raise ConfigError(f"a starting point leads to at least 1 passage, got many = {many}")
    require_methods(methods)
    require_gold(dataset)
    rag = bench.index(dataset)
    texts = {d.id: f"{d.title}\n{d.text}" for d in dataset.documents}
    questions = [replace(q, supporting=ends(q, texts)) for q in judged(dataset, limit)]
    found = measure(rag, dataset, questions, methods, bench.progress)
    held = _passages_of_entities(rag)
    titles = {d.id: d.title or d.id for d in dataset.documents}
    rows = [
        _row(rag, q, {m: f.rows[at] for m, f in found.items()}, held, titles)
        for at, q in enumerate(questions)
    ]
    for row, question in zip(rows, questions, strict=True):
        row["kind"] = kind_of(row["starts"], question, many)
    kinds = {kind: _kind(found, [at for at, row in enumerate(rows) if row["kind"] == kind]) for kind in KINDS}
    tests = [m["against_baseline"] for k in kinds.values() for m in k["methods"].values()]
    correct([test for test in tests if test is not None])
    return {**described(dataset, questions), "many": many, "kinds": kinds, "questions": rows}


def ends(question: Question, texts: Mapping[str, str]) -> tuple[str, ...]:
    """Return the supporting documents that hold an answer: there the path ends. All of them where none does.

    Whole words count, whatever their case; "yes" and "no" stand everywhere and nowhere, so they end no path.
    """
    answers = [f" {' '.join(words(answer))} " for answer in question.answers if words(answer)]
    answers = [answer for answer in answers if answer.strip() not in ("yes", "no")]
    spread = {id_: f" {' '.join(words(texts[id_]))} " for id_ in question.supporting}
    holding = tuple(id_ for id_, text in spread.items() if any(answer in text for answer in answers))
    return holding or question.supporting


def starts(trace: Trace, held: Mapping[str, int]) -> list[Start]:
    """Return the entities that the question itself names, the rarest first."""
    said = f" {' '.join(words(trace.question))} "
    named = [s.entity for s in trace.seeds if s.matched and f" {' '.join(words(s.matched))} " in said]
    found = [Start(name, held.get(name, 0)) for name in dict.fromkeys(named)]
    return sorted(found, key=lambda start: (start.passages, start.entity))


def kind_of(begun: Sequence[Mapping[str, Any]], question: Question, many: int = MANY) -> str:
    """Return ``finding`` where even the rarest starting point leads to more than ``many`` passages, else ``following``.

    A question whose starting points are not found has nothing to follow, so it is ``finding`` too.
    """
    if question.type.lower().replace("_", " ").replace("-", " ") in CALLED:
        return "finding"
    return "finding" if not begun or begun[0]["passages"] > many else "following"


def _passages_of_entities(rag: HippoRAG) -> dict[str, int]:
    graph = rag.to_networkx()
    return {d["name"]: d["passages"] for _, d in graph.nodes(data=True) if d["kind"] == "entity"}


def _row(
    rag: HippoRAG,
    question: Question,
    found: Mapping[str, Row],
    held: Mapping[str, int],
    titles: Mapping[str, str],
) -> dict[str, Any]:
    trace = rag.explain(question.question, SHOWN)
    begun = starts(trace, held)
    return {
        "id": question.id,
        "question": question.question,
        "kind": "",
        "starts": [{"entity": start.entity, "passages": start.passages} for start in begun],
        "ends": [{"document_id": id_, "title": titles[id_]} for id_ in question.supporting],
        "ranks": {method: _rank(row, question) for method, row in found.items()},
        "path": _path(trace, question),
    }


def _rank(row: Row, question: Question) -> int | None:
    """Return the rank of the best end of the path; None where none is among the documents that are judged."""
    return next((n for n, id_ in enumerate(row["ranking"], 1) if id_ in question.supporting), None)


def _path(trace: Trace, question: Question) -> list[dict[str, str]]:
    """Return the steps from the question to the best end of the path; empty where the graph led to none."""
    hits = [hit for hit in trace.hits if hit.passage.document_id in question.supporting and hit.path]
    return [{"kind": step.kind, "text": step.text} for step in hits[0].path] if hits else []


def _kind(found: Mapping[str, Measured], kept: Sequence[int]) -> dict[str, Any]:
    """Return the scores over some of the questions."""
    rows = {method: [measured.rows[at] for at in kept] for method, measured in found.items()}
    table = {}
    for method, measured in found.items():
        tested = bool(kept) and BASELINE in found and method != BASELINE
        table[method] = {
            **measured.plain(rows[method]),
            "against_baseline": paired(rows[method], rows[BASELINE]) if tested else None,
        }
    return {"n": len(kept), "methods": table}
