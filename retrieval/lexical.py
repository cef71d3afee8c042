"""BM25 scores of a question: the postings of its words, added up; or rank-bm25 itself, as the reference."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import LexicalConfig
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.texts import lexical_tokens, passage_text


def bm25_scores(segment: Segment, question: str, config: LexicalConfig) -> NDArray[np.float64]:
    """Return the BM25Okapi score of every passage for a question.

    Parameters
    ----------
    segment
        The index.
    question
        In words; a repeated word counts as often as it stands there, as in rank-bm25.
    config
        ``engine`` is ``eager`` or ``rank_bm25``.

    Returns
    -------
    float64, (n_passages,)
    """
    tokens = lexical_tokens(question)
    # rank-bm25 divides by zero where no passage has a word it sees.
    if config.engine == "rank_bm25" and len(segment.terms) > 0:
        return np.asarray(_reference(segment, config).get_scores(tokens), dtype=np.float64)
    return _eager(segment, tokens)


def holding(segment: Segment, question: str) -> NDArray[np.bool_]:
    """Return which passages hold a word of the question; (n_passages,)."""
    found = np.zeros(segment.n_passages, dtype=bool)
    indptr, passage = segment.array("posting_indptr"), segment.array("posting_passage")
    for row in segment.terms.find_many(lexical_tokens(question)).tolist():
        if row >= 0:
            found[passage[int(indptr[row]) : int(indptr[row + 1])]] = True
    return found


def _eager(segment: Segment, tokens: Sequence[str]) -> NDArray[np.float64]:
    scores = np.zeros(segment.n_passages)
    indptr = segment.array("posting_indptr")
    passage, score = segment.array("posting_passage"), segment.array("posting_score")
    for row in segment.terms.find_many(tokens).tolist():
        if row >= 0:
            part = slice(int(indptr[row]), int(indptr[row + 1]))
            scores[passage[part]] += score[part]
    return scores


@lru_cache(maxsize=4)
def _reference(segment: Segment, config: LexicalConfig) -> Any:
    from rank_bm25 import BM25Okapi

    texts = [lexical_tokens(passage_text(segment.passage(i))) for i in range(segment.n_passages)]
    return BM25Okapi(texts, k1=config.k1, b=config.b, epsilon=config.epsilon)
