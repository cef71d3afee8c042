"""BM25 of a question, worked out from its words' postings; or rank-bm25 itself, as the reference.

The scores are those of rank-bm25's ``BM25Okapi`` on the same tokens, its floor for frequent words included, with what
each word adds rounded to float32.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import LexicalConfig
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.ragged import fixed
from hipporag_like.indexing.texts import lexical_tokens, passage_text
from hipporag_like.retrieval.topk import top_k

Numbers = NDArray[np.int64]
Reals = NDArray[np.float64]

# Up to so many passages numpy adds up all postings of a question's words, in less than a millisecond; beyond, compiled
# code leaves out those that cannot matter. So a small index is asked without loading numba, which takes 0.3 s.
ADDED_UP = 20_000


@dataclass(frozen=True, slots=True)
class _Corpus:
    """What BM25 must know of all passages, read once: O(passages + words).

    Attributes
    ----------
    n_passages, mean_idf
        As they are called; the mean over all words.
    norm
        float64, (longest + 1,): BM25's norm of a passage, by its length.
    peaks
        The most that a word can add to a passage, over idf and ``k1 + 1``, for the words asked so far.
    """

    n_passages: int
    mean_idf: float
    norm: Reals
    peaks: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as rows of the postings: distinct rows, their idf, and the place among them of each word said."""

    rows: Numbers
    idf: Reals
    said: Numbers


_CORPORA: WeakKeyDictionary[Segment, dict[tuple[float, float], _Corpus]] = WeakKeyDictionary()


def bm25_top(
    segment: Segment,
    question: str,
    k: int,
    config: LexicalConfig,
    mask: NDArray[np.bool_] | None = None,
) -> tuple[Numbers, Reals]:
    """Return the passages with the best BM25Okapi scores above 0, and these scores.

    In a corpus of a few passages each word is in half of them, and no score is above 0: then the best of the passages
    that hold a word of the question.

    Parameters
    ----------
    segment
        The index.
    question
        In words; a repeated word counts as often as it stands there, as in rank-bm25.
    k
        At most so many; of equal scores the passages first in order.
    config
        ``engine`` is ``eager`` or ``rank_bm25``.
    mask
        bool, (n_passages,): passages that may be found; None means all.

    Returns
    -------
    passages : int64, (at most k,)
        Ascending.
    scores : float64, aligned
    """
    asked = _asked(segment, question, config)
    if len(asked.rows) == 0 or k < 1:
        return np.zeros(0, np.int64), np.zeros(0)
    if segment.n_passages > ADDED_UP and config.engine != "rank_bm25":
        passages, scores = _pruned(segment, asked, k, config, mask)
        if len(passages):
            return passages, scores
        held = _holding(segment, asked)
        scores = bm25_at(segment, question, held, config)
    else:
        held = np.arange(segment.n_passages)
        scores = _all(segment, question, asked, config)
    good = scores > 0 if mask is None else mask[held] & (scores > 0)
    if not good.any():
        good = np.isin(held, _holding(segment, asked))
        good = good if mask is None else good & mask[held]
    best = np.sort(top_k(scores, k, good))
    return held[best], scores[best]


def bm25_at(segment: Segment, question: str, passages: Numbers, config: LexicalConfig) -> Reals:
    """Return the BM25Okapi scores of some passages; 0 for one that holds no word of the question.

    Parameters
    ----------
    segment, question, config
        See :func:`bm25_top`.
    passages
        int64, (n,).

    Returns
    -------
    float64, (n,)
    """
    asked = _asked(segment, question, config)
    if config.engine == "rank_bm25":
        return _all(segment, question, asked, config)[passages]
    from hipporag_like.retrieval.loops import bm25_of

    indptr, said = segment.array("posting_indptr"), asked.rows[asked.said]
    return bm25_of(
        fixed(passages),
        fixed(indptr[said]),
        fixed(indptr[said + 1]),
        fixed(segment.array("posting_passage")),
        fixed(segment.array("posting_count")),
        fixed(segment.array("passage_length")),
        fixed(_corpus(segment, config).norm),
        fixed(asked.idf[asked.said]),
        float(config.k1),
    )


def _all(segment: Segment, question: str, asked: _Asked, config: LexicalConfig) -> Reals:
    """Return the scores of all passages."""
    # rank-bm25 divides by zero where no passage has a word it sees.
    if config.engine == "rank_bm25" and len(segment.terms) > 0:
        scores = _reference(segment, config).get_scores(lexical_tokens(question))
        return np.asarray(scores, dtype=np.float64)
    indptr, holder = segment.array("posting_indptr"), segment.array("posting_passage")
    scores = np.zeros(segment.n_passages)
    for i in asked.said.tolist():
        part = slice(int(indptr[asked.rows[i]]), int(indptr[asked.rows[i] + 1]))
        scores[holder[part]] += _parts(segment, asked, i, part, config)
    return scores


def _parts(segment: Segment, asked: _Asked, i: int, at: slice, config: LexicalConfig) -> NDArray[np.float32]:
    """Return what one of the question's words adds to the passages of its postings."""
    count = segment.array("posting_count")[at].astype(np.float64)
    length = segment.array("passage_length")[segment.array("posting_passage")[at]]
    norm = _corpus(segment, config).norm[length]
    parts: NDArray[np.float32] = (asked.idf[i] * count * (config.k1 + 1) / (count + norm)).astype(np.float32)
    return parts


def _pruned(
    segment: Segment, asked: _Asked, k: int, config: LexicalConfig, mask: NDArray[np.bool_] | None
) -> tuple[Numbers, Reals]:
    """Return the best passages with scores above 0, ascending, and their scores."""
    from hipporag_like.retrieval.maxscore import best_passages

    often = np.bincount(asked.said, minlength=len(asked.rows))
    bound = asked.idf * (config.k1 + 1) * _peaks(segment, asked.rows, config) * often
    order = np.argsort(-bound, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    indptr = segment.array("posting_indptr")
    passages, scores = best_passages(
        indptr[asked.rows[order]],
        indptr[asked.rows[order] + 1],
        segment.array("posting_passage"),
        segment.array("posting_count"),
        segment.array("passage_length"),
        _corpus(segment, config).norm,
        np.zeros(0, dtype=bool) if mask is None else mask,
        asked.idf[order],
        often[order],
        np.maximum(bound, 0.0)[order],
        place[asked.said],
        min(k, segment.n_passages),
        float(config.k1),
    )
    ascending = np.argsort(passages)
    return passages[ascending], scores[ascending]


def _peaks(segment: Segment, rows: Numbers, config: LexicalConfig) -> Reals:
    """Return the largest ``count / (count + norm)`` of each word."""
    from hipporag_like.retrieval.maxscore import peak

    corpus, indptr = _corpus(segment, config), segment.array("posting_indptr")
    passage, count = segment.array("posting_passage"), segment.array("posting_count")
    for row in rows.tolist():
        if row not in corpus.peaks:
            part = slice(int(indptr[row]), int(indptr[row + 1]))
            corpus.peaks[row] = peak(passage[part], count[part], segment.array("passage_length"), corpus.norm)
    return np.array([corpus.peaks[row] for row in rows.tolist()])


def _holding(segment: Segment, asked: _Asked) -> Numbers:
    """Return the passages that hold a word of the question, ascending."""
    indptr, passage = segment.array("posting_indptr"), segment.array("posting_passage")
    lists = [passage[int(indptr[row]) : int(indptr[row + 1])] for row in asked.rows.tolist()]
    return np.unique(np.concatenate(lists)).astype(np.int64)


def _asked(segment: Segment, question: str, config: LexicalConfig) -> _Asked:
    found = [row for row in segment.terms.find_many(lexical_tokens(question)).tolist() if row >= 0]
    rows = np.array(sorted(set(found)), np.int64)
    said = np.searchsorted(rows, np.array(found, np.int64))
    indptr, corpus = segment.array("posting_indptr"), _corpus(segment, config)
    idf = _idf(indptr[rows + 1] - indptr[rows], corpus.n_passages)
    return _Asked(rows, np.where(idf < 0, config.epsilon * corpus.mean_idf, idf), said)


def _corpus(segment: Segment, config: LexicalConfig) -> _Corpus:
    known = _CORPORA.setdefault(segment, {})
    key = (config.k1, config.b)
    if key not in known:
        length = segment.array("passage_length")
        idf = _idf(np.diff(segment.array("posting_indptr")), len(length))
        mean = max(float(length.mean()) if len(length) else 1.0, 1e-12)
        lengths = np.arange(int(length.max(initial=0)) + 1)
        norm: Reals = np.asarray(config.k1 * (1 - config.b + config.b * lengths / mean), dtype=np.float64)
        known[key] = _Corpus(len(length), float(idf.mean()) if len(idf) else 0.0, norm)
    return known[key]


def _idf(passages: Numbers, n_passages: int) -> Reals:
    idf: Reals = np.log(n_passages - passages + 0.5) - np.log(passages + 0.5)
    return idf


@lru_cache(maxsize=4)
def _reference(segment: Segment, config: LexicalConfig) -> Any:
    from rank_bm25 import BM25Okapi

    texts = [lexical_tokens(passage_text(segment.passage(i))) for i in range(segment.n_passages)]
    return BM25Okapi(texts, k1=config.k1, b=config.b, epsilon=config.epsilon)
