"""Questions through a retriever and a reader, and out comes a table of numbers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from hipporag_like.config import METHODS, Config
from hipporag_like.errors import ConfigError
from hipporag_like.eval.comparison import Comparison, compare
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.questions import Dataset, Question, require_gold
from hipporag_like.eval.scores import DEPTH, answer_scores, mean_scores, retrieval_scores, rounded
from hipporag_like.eval.usage import retrieved, total
from hipporag_like.progress import Track, silent
from hipporag_like.types import Answer, Hit, Usage

__all__ = ["Comparison", "Rag", "build_and_evaluate", "compare", "evaluate"]

PASSAGES = 3 * DEPTH  # a document may be cut into several passages; asked for again where three are too few


class Rag(Protocol):
    """What is evaluated; :class:`hipporag_like.HippoRAG` is one."""

    def retrieve(self, question: str, k: int = ..., *, method: str = ...) -> list[Hit]:
        """Return the ``k`` best passages."""
        ...

    def ask(self, question: str, *, method: str = ...) -> Answer:
        """Return an answer."""
        ...

    def stats(self) -> dict[str, Any]:
        """Return counts of the index."""
        ...


@dataclass(frozen=True, slots=True)
class _Result:
    """What one method made of one question; ``answer`` is ``None`` where nothing was read."""

    question: Question
    ranking: tuple[str, ...]
    seconds: float
    answer: str | None
    scores: dict[str, float | None]
    usage: Mapping[str, Usage]


def evaluate(
    rag: Rag,
    dataset: Dataset,
    methods: Sequence[str],
    limit: int | None = None,
    *,
    read: bool = False,
    details: bool = False,
    progress: Track = silent,
) -> dict[str, Any]:
    """Return the scores of each method on a data set.

    Parameters
    ----------
    rag
        An index that holds the documents of ``dataset``.
    methods
        Names out of ``hipporag_like.config.METHODS``.
    limit
        Only the first so many questions.
    read
        Also answer each question; else ``em`` and ``f1`` are ``None``.
    details
        Also keep each question's ranking, answer and scores, for
        :func:`hipporag_like.eval.comparison.compare`.

    Returns
    -------
    dict
        ``dataset``, ``n_questions``, ``systems`` (by method) and ``index`` (``rag.stats()``). A system has
        recalls, ``em`` and ``f1`` in percent, ``mrr`` (over 20 documents) and ``ndcg@10`` from 0 to 1,
        ``seconds_per_query`` (retrieval alone, mean) and ``per_type``. Each score is the mean over the
        questions that can be judged by it, and ``None`` where there are none. ``usage`` (by stage) is what
        language models cost, where they were called.

    Raises
    ------
    ConfigError
        An unknown method, none at all, or a limit below 1; before the first query, as all of these.
    InputError
        Supporting ids that are not in the corpus.
    """
    names = _require_methods(methods)
    _require_limit(limit)
    require_gold(dataset)
    questions = dataset.questions[:limit]
    return {
        "dataset": dataset.name,
        "n_questions": len(questions),
        "systems": {
            method: _system(*_run(rag, questions, method, read, progress), details) for method in names
        },
        "index": dict(rag.stats()),
    }


def build_and_evaluate(
    path: str | Path,
    index_dir: str | Path | None = None,
    methods: Sequence[str] = ("graph",),
    extractor: str | None = None,
    limit: int | None = None,
    config: Config | None = None,
    *,
    read: bool = True,
    details: bool = False,
    progress: Track = silent,
) -> dict[str, Any]:
    """Load a data set, index its documents and return what :func:`evaluate` does.

    Parameters
    ----------
    path
        See :func:`hipporag_like.eval.datasets.load_dataset`.
    index_dir
        Where the index is kept or already is; ``None``: in a temporary folder.
    extractor
        Instead of the one in ``config``.

    Returns
    -------
    dict
        As :func:`evaluate`; ``index`` also has ``build_seconds``, ``usage`` where language models were called,
        and ``documents_without_text``: these cannot be indexed, so they count as never found.

    Raises
    ------
    ConfigError, InputError
        As :func:`evaluate` and ``load_dataset``; before anything is indexed.
    """
    names = _require_methods(methods)
    _require_limit(limit)
    options = config or _own_config(index_dir)
    if extractor is not None:
        options = replace(options, extract=replace(options.extract, extractor=extractor))
    dataset = load_dataset(path)
    require_gold(dataset)
    documents = [document for document in dataset.documents if document.text.strip()]

    from hipporag_like.rag import HippoRAG

    with ExitStack() as stack:
        folder = index_dir or stack.enter_context(tempfile.TemporaryDirectory(prefix="hipporag-like-"))
        rag = HippoRAG(Path(folder), config=options)
        start = time.perf_counter()
        indexed = rag.index(documents, track=progress)
        seconds = time.perf_counter() - start
        report = evaluate(rag, dataset, names, limit, read=read, details=details, progress=progress)
    report["index"]["build_seconds"] = round(seconds, 3)
    if indexed.usage:
        report["index"]["usage"] = total([indexed.usage])
    report["index"]["documents_without_text"] = len(dataset.documents) - len(documents)
    return report


def _own_config(index_dir: str | Path | None) -> Config:
    """Return the options of the index that is there, so that it is not made anew by the defaults."""
    if index_dir is None:
        return Config()
    from hipporag_like.indexing.notes import config_of

    return config_of(Path(index_dir))


def _require_methods(methods: Sequence[str]) -> tuple[str, ...]:
    unknown = [method for method in methods if method not in METHODS]
    if unknown or not methods:
        asked = ", ".join(map(repr, unknown)) or "no method"
        raise ConfigError(f"cannot evaluate {asked}; methods are {', '.join(METHODS)}")
    return tuple(dict.fromkeys(methods))


def _require_limit(limit: int | None) -> None:
    if limit is not None and limit < 1:
        raise ConfigError(f"limit must be at least 1, got {limit}")


def _run(
    rag: Rag, questions: Sequence[Question], method: str, read: bool, progress: Track
) -> tuple[list[_Result], Mapping[str, Usage]]:
    """Return what came of each question, and what the first call cost."""
    # Untimed: the first call loads files and compiles the walk, which is no cost of a query.
    _, warm = retrieved(rag, f"first, {questions[0].question}", PASSAGES, method)
    results = []
    with progress(f"evaluate {method}", len(questions)) as advance:
        for question in questions:
            results.append(_answered(rag, question, method, read))
            advance(1)
    return results, warm


def _answered(rag: Rag, question: Question, method: str, read: bool) -> _Result:
    start = time.perf_counter()
    hits, usage = retrieved(rag, question.question, PASSAGES, method)
    seconds = time.perf_counter() - start
    ranking = _documents(rag, question.question, method, hits)
    text: str | None = None
    if read:
        answer = rag.ask(question.question, method=method)
        text = answer.text or ""
        # What retrieval asks for the second time comes from the cache; what it cost is counted above.
        usage = {**answer.usage, **usage}
    scores = {**retrieval_scores(question, ranking), **answer_scores(question, text)}
    return _Result(question, ranking, seconds, text, scores, usage)


def _documents(rag: Rag, question: str, method: str, hits: Sequence[Hit]) -> tuple[str, ...]:
    """Return the ``DEPTH`` best documents, each at its best passage; asks for more where passages crowd."""
    k = PASSAGES
    while True:
        ranking = tuple(dict.fromkeys(hit.passage.document_id for hit in hits))
        if len(ranking) >= DEPTH or len(hits) < k:
            return ranking[:DEPTH]
        k *= 4
        hits = rag.retrieve(question, k, method=method)


def _system(results: Sequence[_Result], warm: Mapping[str, Usage], details: bool) -> dict[str, Any]:
    system: dict[str, Any] = dict(mean_scores([result.scores for result in results]))
    system["seconds_per_query"] = round(sum(result.seconds for result in results) / len(results), 6)
    system["per_type"] = _per_type(results)
    usage = total([warm, *(result.usage for result in results)])
    if usage:
        system["usage"] = usage
    if details:
        system["details"] = [
            {"id": r.question.id, "ranking": list(r.ranking), "answer": r.answer, **rounded(r.scores)}
            for r in results
        ]
    return system


def _per_type(results: Sequence[_Result]) -> dict[str, dict[str, float | None]]:
    types = sorted({result.question.type for result in results} - {""})
    table: dict[str, dict[str, float | None]] = {}
    for kind in types:
        scores = [result.scores for result in results if result.question.type == kind]
        means = mean_scores(scores)
        table[kind] = {"n": len(scores), "recall@5": means["recall@5"], "f1": means["f1"]}
    return table
