"""Questions through a retriever and a reader, and out comes a table of numbers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from hipporag_like.config import METHODS, Config
from hipporag_like.errors import ConfigError
from hipporag_like.eval.asking import PASSAGES, Rag, ask_one, warm_up
from hipporag_like.eval.comparison import Comparison, compare
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.questions import Dataset, Question, require_gold
from hipporag_like.eval.tables import Result, system_table
from hipporag_like.eval.usage import total
from hipporag_like.progress import Track, silent
from hipporag_like.types import Usage

__all__ = ["PASSAGES", "Comparison", "Rag", "build_and_evaluate", "compare", "evaluate"]


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
        Also keep each question's ranking, answer, citations and scores, for
        :func:`hipporag_like.eval.comparison.compare` and :func:`hipporag_like.eval.trec.write_run`.

    Returns
    -------
    dict
        ``dataset``, ``n_questions``, ``systems`` (by method) and ``index`` (``rag.stats()``). A system has
        the scores of :func:`hipporag_like.eval.scores.question_scores`, each the mean over the questions that
        can be judged by it and ``None`` where there are none; ``seconds_per_query`` (retrieval alone, mean),
        ``per_type`` and, where the set tells them, ``per_hops``. ``usage`` (by stage) is what language
        models cost, where they were called.

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
            method: system_table(*_run(rag, questions, method, read, progress), details) for method in names
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
) -> tuple[list[Result], Mapping[str, Usage]]:
    """Return what came of each question, and what the first call cost."""
    warm = warm_up(rag, questions[0], method)
    results = []
    with progress(f"evaluate {method}", len(questions)) as advance:
        for question in questions:
            results.append(ask_one(rag, question, method, read))
            advance(1)
    return results, warm
