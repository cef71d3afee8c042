"""Continual growth: a corpus comes in parts, and nothing that is known is worked on again.

HippoRAG 2 (Gutiérrez et al. 2025) calls this non-parametric continual learning: documents and questions are cut into
segments, one segment and its questions come first, and more segments are added. Two things can go wrong. Old questions
can get harder, as there is more to mistake for an answer; and adding can cost as much as starting over.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import ConfigError, UsageError
from hipporag_like.eval.questions import Dataset, Question, require_gold
from hipporag_like.eval.studies.bench import (
    Bench,
    Measured,
    correct,
    counted,
    described,
    judged,
    measure,
    paired,
    require_methods,
)
from hipporag_like.models.protocols import Embedder, TextKind
from hipporag_like.rag import HippoRAG
from hipporag_like.text import content_hash
from hipporag_like.types import Document

METHODS = ("graph", "hybrid", "hipporag2")
SEGMENTS = 4  # as in HippoRAG 2's simulation


@dataclass(frozen=True, slots=True)
class Segment:
    """Documents that come together, and the questions that they make answerable."""

    documents: tuple[Document, ...]
    questions: tuple[Question, ...]


class Witness:
    """An ``Embedder`` that remembers which texts it was handed: a text seen twice was embedded again."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.seen: Counter[str] = Counter()

    @property
    def fingerprint(self) -> str:
        """The embedder's."""
        return self._embedder.fingerprint

    @property
    def dim(self) -> int:
        """The embedder's."""
        return self._embedder.dim

    @property
    def again(self) -> int:
        """How often a passage, fact or name came that had come before; questions do not count."""
        return sum(count - 1 for count in self.seen.values())

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> NDArray[np.float32]:
        """Return one unit vector a text; see ``models.protocols.Embedder``."""
        if kind == "passage":
            self.seen.update(content_hash(text) for text in texts)
        return self._embedder.embed(texts, kind)


def cut(dataset: Dataset, questions: Sequence[Question], n: int) -> list[Segment]:
    """Return the data set in ``n`` segments that hold questions with their supporting documents.

    The questions are cut in order. A supporting document comes with the first segment that needs it; the documents
    that no question needs are dealt out in order, so that every segment has its share of them.

    Raises
    ------
    ConfigError
        Fewer than two segments.
    UsageError
        Fewer questions than segments.
    """
    if n < 2:
        raise ConfigError(f"a corpus grows in at least 2 segments, got {n}")
    if len(questions) < n:
        raise UsageError(
            f"{dataset.name} has {len(questions)} questions to judge, too few for {n} segments; ask for fewer segments"
        )
    bounds = [round(i * len(questions) / n) for i in range(n + 1)]
    groups = [tuple(questions[start:stop]) for start, stop in zip(bounds, bounds[1:], strict=False)]
    home: dict[str, int] = {}
    for number, group in enumerate(groups):
        for question in group:
            for gold in question.supporting:
                home.setdefault(gold, number)
    others = [document.id for document in dataset.documents if document.id not in home]
    home.update({id_: i * n // len(others) for i, id_ in enumerate(others)})
    parts: list[list[Document]] = [[] for _ in range(n)]
    for document in dataset.documents:
        if document.text.strip():
            parts[home[document.id]].append(document)
    return [Segment(tuple(part), group) for part, group in zip(parts, groups, strict=True)]


def growth(
    dataset: Dataset,
    bench: Bench,
    methods: Sequence[str] = METHODS,
    segments: int = SEGMENTS,
    limit: int | None = None,
) -> dict[str, Any]:
    """Return the quality after each segment, and what each segment cost.

    Parameters
    ----------
    bench
        Its ``root`` is not used: growth starts from nothing, in a temporary folder.
    limit
        Only the first so many questions.

    Returns
    -------
    dict
        ``steps``, one a segment: ``documents`` so far, ``index`` (the report of :meth:`HippoRAG.index`, which is
        handed everything so far), ``again`` (``extracted``: passages extracted beyond the new ones; ``embedded``:
        texts embedded that had been embedded before), and by method ``first`` (the first segment's questions) and
        ``so_far`` (all whose documents are in). ``nothing_again`` says that no step did anything twice. ``change``
        compares, by method, the first segment's questions after the last step with after the first.

    Raises
    ------
    InputError, ConfigError, UsageError
        Gold that is missing, an unknown method, or too few questions or segments.
    """
    require_methods(methods)
    require_gold(dataset)
    questions = judged(dataset, limit)
    parts = cut(dataset, questions, segments)
    with tempfile.TemporaryDirectory(prefix="hipporag-like-") as folder:
        found, steps = _grown(dataset, parts, bench, methods, Path(folder) / "index")
    change = {
        method: paired(_of(parts[0], found[-1][method]).rows, found[0][method].rows) for method in found[0]
    }
    correct(list(change.values()))
    return {
        **described(dataset, questions),
        "segments": segments,
        "first_questions": len(parts[0].questions),
        "steps": steps,
        "nothing_again": all(step["again"] == {"extracted": 0, "embedded": 0} for step in steps),
        "change": change,
    }


def _grown(
    dataset: Dataset, parts: Sequence[Segment], bench: Bench, methods: Sequence[str], folder: Path
) -> tuple[list[dict[str, Measured]], list[dict[str, Any]]]:
    """Return for each segment what the methods found after it, and its step of the result."""
    witness = Witness(HippoRAG(folder, config=bench.config, embedder=bench.embedder).embedder)
    found: list[dict[str, Measured]] = []
    steps: list[dict[str, Any]] = []
    passages = 0
    with HippoRAG(folder, config=bench.config, embedder=witness) as rag:
        for number in range(1, len(parts) + 1):
            documents = [document for part in parts[:number] for document in part.documents]
            asked = [question for part in parts[:number] for question in part.questions]
            report = rag.index(documents, track=bench.progress)
            extracted_again = max(0, report.extracted - (report.passages - passages))
            passages = report.passages
            found.append(measure(rag, dataset, asked, methods, bench.progress))
            steps.append(
                {
                    "segment": number,
                    "documents": len(documents),
                    "index": counted(report),
                    "again": {"extracted": extracted_again, "embedded": witness.again},
                    "first": {method: _of(parts[0], every).plain() for method, every in found[-1].items()},
                    "so_far": {method: every.plain() for method, every in found[-1].items()},
                }
            )
    return found, steps


def _of(segment: Segment, measured: Measured) -> Measured:
    """Return what was measured on the first segment's questions, which come first."""
    return replace(measured, rows=measured.rows[: len(segment.questions)])
