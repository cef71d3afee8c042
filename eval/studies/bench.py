"""What every study needs: an index that holds exactly one data set, scores question by question, a paired test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hipporag_like.config import METHODS as ALL_METHODS
from hipporag_like.config import Config
from hipporag_like.errors import ConfigError, UsageError
from hipporag_like.eval.comparison import compare
from hipporag_like.eval.correction import holm
from hipporag_like.eval.experiment import evaluate
from hipporag_like.eval.questions import Dataset, Question
from hipporag_like.models.protocols import Embedder
from hipporag_like.progress import Track, silent
from hipporag_like.rag import HippoRAG
from hipporag_like.types import IndexReport

# What studies report. The first is the one that is tested: the papers' own measure, on the five passages a reader gets.
METRICS = ("recall@5", "recall@2", "all_recall@5", "mrr")
TESTED = METRICS[0]
ALPHA = 0.05
DECIMALS = 4

Row = Mapping[str, Any]  # one question's ranking and scores, as in the details of ``evaluate``


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a study keeps its indexes and how it makes them.

    Attributes
    ----------
    root
        Folder of indexes, one a data set, by name; made where it is missing.
    config
        Options; None: those of the index that is there, or the defaults.
    embedder
        Stands in for ``config.embed``.
    progress
        Told how far the work is.
    """

    root: Path
    config: Config | None = None
    embedder: Embedder | None = None
    progress: Track = silent

    def open(self, name: str, embedder: Embedder | None = None) -> HippoRAG:
        """Return the index of this name, whatever it holds by now."""
        folder = self.root / name.replace(":", "-").replace("/", "-")
        return HippoRAG(folder, config=self.config, embedder=embedder or self.embedder)

    def index(self, dataset: Dataset, embedder: Embedder | None = None) -> HippoRAG:
        """Return an index that holds the documents of ``dataset`` and no others; what is there already stays.

        Raises
        ------
        UsageError
            The index holds other documents as well: they would be found in the place of the right ones.
        """
        rag = self.open(dataset.name, embedder=embedder)
        documents = with_text(dataset)
        rag.index(documents, track=self.progress)
        held = rag.stats()["documents"]
        if held != len(documents):
            raise UsageError(
                f"the index {rag.path} holds {held:,} documents and {dataset.name} has {len(documents):,}; "
                "name another folder for the indexes"
            )
        return rag


@dataclass(frozen=True, slots=True)
class Measured:
    """What one method made of the questions: a row each, and seconds a query on average."""

    rows: Sequence[Row]
    seconds: float

    def plain(self, rows: Sequence[Row] | None = None) -> dict[str, Any]:
        """Return number and means of all rows, or of some."""
        kept = self.rows if rows is None else rows
        return {"n": len(kept), "scores": means(kept), "seconds_per_query": self.seconds}


def require_methods(methods: Sequence[str]) -> None:
    """Check the names of methods before anything is indexed for them.

    Raises
    ------
    ConfigError
        There is no such method.
    """
    unknown = [method for method in methods if method not in ALL_METHODS]
    if unknown:
        names = ", ".join(map(repr, unknown))
        raise ConfigError(f"there is no method {names}; methods are {', '.join(ALL_METHODS)}")


def with_text(dataset: Dataset) -> list[Any]:
    """Return the documents that can be indexed."""
    return [document for document in dataset.documents if document.text.strip()]


def judged(dataset: Dataset, limit: int | None = None) -> tuple[Question, ...]:
    """Return the first questions whose supporting documents are known.

    Raises
    ------
    ConfigError
        ``limit`` is below 1.
    UsageError
        There is no such question, so no ranking could be judged.
    """
    if limit is not None and limit < 1:
        raise ConfigError(f"limit must be at least 1, got {limit}")
    questions = tuple(question for question in dataset.questions if question.supporting)[:limit]
    if not questions:
        raise UsageError(
            f"no question of {dataset.name} names supporting documents; rankings cannot be judged"
        )
    return questions


def measure(
    rag: HippoRAG, dataset: Dataset, questions: Sequence[Question], methods: Sequence[str], progress: Track
) -> dict[str, Measured]:
    """Return by method what it finds for each question."""
    asked = replace(dataset, questions=tuple(questions))
    systems = evaluate(rag, asked, methods, details=True, progress=progress)["systems"]
    return {
        method: Measured(system["details"], system["seconds_per_query"]) for method, system in systems.items()
    }


def means(rows: Sequence[Row]) -> dict[str, float | None]:
    """Return the mean of each of ``METRICS`` over the rows that have it."""
    table: dict[str, float | None] = {}
    for metric in METRICS:
        values = [row[metric] for row in rows if row.get(metric) is not None]
        table[metric] = round(sum(values) / len(values), DECIMALS) if values else None
    return table


def paired(rows: Sequence[Row], base: Sequence[Row], metric: str = TESTED) -> dict[str, Any]:
    """Return how much better ``rows`` are than ``base`` on the same questions, with a test and an interval."""
    found = compare(rows, base, metric)
    return {
        "metric": metric,
        "n": found.n,
        "difference": round(found.difference, DECIMALS),
        "low": round(found.low, DECIMALS),
        "high": round(found.high, DECIMALS),
        "p": found.p_value,
    }


def correct(tests: Sequence[dict[str, Any]]) -> None:
    """Add ``p_corrected`` to each of the tests that one table shows: Holm's, for so many looks at once."""
    for test, value in zip(tests, holm([test["p"] for test in tests]), strict=True):
        test["p_corrected"] = value


def counted(report: IndexReport) -> dict[str, Any]:
    """Return what an index run did, as plain values."""
    names = ("added", "updated", "unchanged", "passages", "extracted", "embedded")
    return {
        **{name: getattr(report, name) for name in names},
        "failures": len(report.failures),
        "seconds": round(sum(v for k, v in report.seconds.items() if k != "total"), 3),
    }


def described(dataset: Dataset, questions: Sequence[Question]) -> dict[str, Any]:
    """Return what a study says about its data."""
    return {
        "dataset": dataset.name,
        "checksum": dataset.checksum,
        "n_documents": len(dataset.documents),
        "n_questions": len(questions),
    }
