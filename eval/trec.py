"""Rankings and judgements in TREC's text formats, which every retrieval toolkit reads and writes.

A run has six columns a line: question id, ``Q0``, document id, rank, score, tag. Judgements (qrels) have four:
question id, ``0``, document id, grade.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from hipporag_like.errors import InputError, UsageError
from hipporag_like.eval.questions import Dataset
from hipporag_like.eval.rows import read_lines
from hipporag_like.store.files import file_errors, write_private

_BLANK = re.compile(r"\s")


def write_run(path: str | Path, rankings: Mapping[str, Sequence[tuple[str, float]]], tag: str) -> None:
    """Write rankings as a TREC run; the file is there whole or not at all.

    Scores are written in single precision, which is what trec_eval keeps, and where two in a row would be
    equal the second is lowered to the next smaller number: every tool then sees the order given here.

    Parameters
    ----------
    rankings
        By question id: (document id, score), best first. A question without results leaves no line.
    tag
        The name of the system.

    Raises
    ------
    UsageError
        White space in an id or the tag, an empty one, a document twice for one question, or scores that rise
        or are not finite; nothing is written then.
    StoreError
        The file cannot be written.
    """
    _require_word(tag, "the tag of a run")
    lines = [line for question, ranking in rankings.items() for line in _run_lines(question, ranking, tag)]
    _write(Path(path), lines)


def read_run(path: str | Path) -> dict[str, list[tuple[str, float]]]:
    """Return the rankings of a TREC run by question id: (document id, score), best first.

    The highest score comes first, as in trec_eval; where scores tie, the lower rank, then the earlier line
    (trec_eval would compare the ids, which says nothing about the system).

    Raises
    ------
    InputError
        Unreadable or empty, not six columns, a rank or score that is no number, or a document twice for one
        question; the message names file and line.
    """
    found: dict[str, dict[str, tuple[float, int]]] = {}
    for place, line in read_lines(Path(path)):
        question, document, rank, score = _parsed(line, place)
        ranking = found.setdefault(question, {})
        if document in ranking:
            raise InputError(f"{place}: document {document!r} stands twice for question {question!r}")
        ranking[document] = (-score, rank)
    if not found:
        raise InputError(f"{path} holds no rankings; a run has lines such as: q1 Q0 d7 1 12.5 my_system")
    return {question: _ordered(ranking) for question, ranking in found.items()}


def write_qrels(path: str | Path, dataset: Dataset) -> None:
    """Write the supporting documents of a data set as TREC judgements of grade 1.

    Raises
    ------
    UsageError
        White space in an id; nothing is written then.
    StoreError
        The file cannot be written.
    """
    require_words(dataset)
    judged = {question.id: question.supporting for question in dataset.questions}
    _write(Path(path), [f"{question} 0 {gold} 1" for question, golds in judged.items() for gold in golds])


def require_words(dataset: Dataset) -> None:
    """Check that a run of this data set can be written: TREC separates columns by white space.

    Raises
    ------
    UsageError
        An id of a question or document holds white space.
    """
    for question in dataset.questions:
        _require_word(question.id, "a question id")
    for document in dataset.documents:
        _require_word(document.id, "a document id")


def _require_word(text: str, what: str) -> None:
    if not text or _BLANK.search(text):
        raise UsageError(f"{what} in a TREC file must be one word without white space, got {text!r}")


def _run_lines(question: str, ranking: Sequence[tuple[str, float]], tag: str) -> Iterable[str]:
    _require_word(question, "a question id")
    if len({document for document, _ in ranking}) != len(ranking):
        raise UsageError(f"a document stands twice in the ranking of question {question!r}")
    written = _falling([score for _, score in ranking], question)
    for rank, ((document, _), score) in enumerate(zip(ranking, written, strict=True), 1):
        _require_word(document, "a document id")
        yield f"{question} Q0 {document} {rank} {score!s} {tag}"  # !s: the shortest digits of float32


def _falling(scores: Sequence[float], question: str) -> list[np.float32]:
    """Return the scores in single precision, each smaller than the one before."""
    if not all(abs(score) <= float(np.finfo(np.float32).max) / 2 for score in scores):
        raise UsageError(f"the scores of question {question!r} must be finite numbers")
    if any(after > before for before, after in zip(scores, scores[1:], strict=False)):
        raise UsageError(f"the ranking of question {question!r} must be best first, but its scores rise")
    falling: list[np.float32] = []
    for score in scores:
        value = np.float32(score)
        if falling and value >= falling[-1]:
            value = np.nextafter(falling[-1], np.float32(-np.inf))
        falling.append(value)
    return falling


def _parsed(line: str, place: str) -> tuple[str, str, int, float]:
    cells = line.split()
    if len(cells) != 6:
        raise InputError(
            f"{place}: must have 6 columns (question, Q0, document, rank, score, tag), got {len(cells)}"
        )
    question, _, document, rank, score, _ = cells
    try:
        number, value = int(rank), float(score)
    except ValueError:
        raise InputError(f"{place}: rank and score, columns 4 and 5, must be numbers") from None
    if not math.isfinite(value):
        raise InputError(f"{place}: the score, column 5, must be a finite number")
    return question, document, number, value


def _ordered(ranking: Mapping[str, tuple[float, int]]) -> list[tuple[str, float]]:
    best = sorted(ranking.items(), key=lambda entry: entry[1])  # stable: ties keep the order of the lines
    return [(document, -negative) for document, (negative, _) in best]


def _write(path: Path, lines: Sequence[str]) -> None:
    """Write the lines under another name, then rename: a reader never meets half a file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with file_errors("write", path):
        try:
            write_private(beside, "".join(f"{line}\n" for line in lines))
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
