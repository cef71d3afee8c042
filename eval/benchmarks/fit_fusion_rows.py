"""Questions with known passages as rows to fit the learned fusion on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import Config, SearchConfig
from hipporag_like.eval.conditions import CONDITIONS
from hipporag_like.eval.crowded import crowded
from hipporag_like.eval.questions import Dataset
from hipporag_like.indexing.index import Index, Segment
from hipporag_like.models.protocols import Embedder
from hipporag_like.rag import HippoRAG
from hipporag_like.retrieval.features import features
from hipporag_like.retrieval.gather import gather
from hipporag_like.retrieval.query import Clock, Options, Query
from hipporag_like.retrieval.rank import judged, rank, sheet_of
from hipporag_like.retrieval.windows import windows
from hipporag_like.store.snapshot import open_snapshot

LIGHT = "light"
# Beside a set as it is: without titles and in small letters, so that the trees know corpora that have neither. Then
# the same in preset light; and, in that preset, among passages that mention the same names, for that is what a corpus
# is like that is large enough for it.
FITTED_ON = (
    "",
    "without_titles_in_text",
    "lower_cased",
    LIGHT,
    f"without_titles_in_text+{LIGHT}",
    f"lower_cased+{LIGHT}",
    f"crowded+{LIGHT}",
)


@dataclass(frozen=True, slots=True)
class Judged:
    """One question's candidates.

    Attributes
    ----------
    question, type
        Its id and kind.
    documents
        Each candidate's document.
    needed
        bool, (n,): whether the question needs that document.
    n_needed
        How many it needs in all.
    table
        float32, (n, len(features.NAMES)).
    score
        float64, (n,): by the fixed weights.
    plain
        float64, (n,): by dense and BM25, half each.
    """

    question: str
    type: str
    documents: tuple[str, ...]
    needed: NDArray[np.bool_]
    n_needed: int
    table: NDArray[np.float32]
    score: NDArray[np.float64]
    plain: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rows:
    """The questions of one data set under one condition; ``base`` is the set's own name."""

    base: str
    condition: str
    questions: tuple[Judged, ...]

    @property
    def name(self) -> str:
        """The set's name, and what was changed."""
        return f"{self.base}+{self.condition}" if self.condition else self.base


def rows_of(
    datasets: Sequence[Dataset],
    root: Path,
    embedder: Embedder,
    conditions: Sequence[str] = FITTED_ON,
    tell: Callable[[str], None] = lambda line: None,
) -> list[Rows]:
    """Return the rows of all data sets under all conditions.

    Parameters
    ----------
    datasets
        Sets with supporting documents.
    root
        Where indexes are kept, one a data set and condition.
    embedder
        What they are made with.
    conditions
        Names out of ``eval.conditions.CONDITIONS``, or ``crowded``; "" leaves a set as it is. ``light`` alone, or
        after a plus sign, is the preset that it is indexed with, which is otherwise the one for its size.
    tell
        Called with a line after each.
    """
    found = []
    for dataset in datasets:
        for condition in conditions:
            name = f"{dataset.name}+{condition}" if condition else dataset.name
            preset = LIGHT if condition.endswith(LIGHT) else Config().embed.preset
            questions = tuple(_judged(_changed(dataset, condition), root / name, embedder, preset))
            tell(f"{name}: {len(questions)} questions")
            found.append(Rows(dataset.name, condition, questions))
    return found


def _changed(dataset: Dataset, condition: str) -> Dataset:
    for name in condition.split("+"):
        if name not in ("", LIGHT):
            dataset = crowded(dataset) if name == "crowded" else CONDITIONS[name](dataset)
    return dataset


def _judged(dataset: Dataset, folder: Path, embedder: Embedder, preset: str) -> Iterator[Judged]:
    made_with = Config(embed=replace(Config().embed, preset=preset))
    rag = HippoRAG(folder, embedder=embedder, config=made_with)
    rag.index([document for document in dataset.documents if document.text.strip()])
    index = Index(open_snapshot(folder))
    config = Config(search=SearchConfig(fusion="full"))

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(embedder.embed(list(texts), "query"), dtype=np.float32)

    options = Options(config.search, config.lexical, config.hipporag, embed, None, lambda question: [])
    try:
        for question in dataset.questions:
            vector = embed([question.question])[0]
            query = Query(question.question, vector, 20, "graph")
            row = _row(index.segments["default"], query, options)
            if row is None or not question.supporting:
                continue
            documents, table, score = row
            needed = np.array([document in question.supporting for document in documents])
            yield Judged(
                question.id,
                question.type,
                documents,
                needed,
                len(question.supporting),
                table,
                score,
                _plain(table),
            )
    finally:
        index.close()


def _row(
    segment: Segment, query: Query, options: Options
) -> tuple[tuple[str, ...], NDArray[np.float32], NDArray[np.float64]] | None:
    """Return candidates' documents, columns and scores; None where the question names nothing in the graph."""
    part = gather(segment, query, "graph", None, options, Clock())
    if part.walked is None or len(part.walked.linked.entities) == 0:
        return None
    weights = Options(
        SearchConfig(fusion="weights"), options.lexical, options.hipporag, options.embed, None, lambda q: []
    )
    ranking = rank([part], query, "graph", weights)
    rows = judged(ranking)
    table = features(sheet_of(ranking, rows, [part], query, options, windows(query.text)))
    documents = tuple(segment.passage(int(number)).document_id for number in ranking.passages[rows])
    return documents, table, ranking.shares[rows].sum(axis=1)


def _plain(table: NDArray[np.float32]) -> NDArray[np.float64]:
    from hipporag_like.retrieval.features import NAMES

    columns = [NAMES.index("dense"), NAMES.index("bm25")]
    mean: NDArray[np.float64] = table[:, columns].astype(np.float64).mean(axis=1)
    return mean
