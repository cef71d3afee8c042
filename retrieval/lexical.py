"""BM25 of a question, worked out from its words' postings; or rank-bm25 itself, as the reference.

The scores are those of rank-bm25's ``BM25Okapi`` on the same tokens, its floor for frequent words included, with what
each word adds rounded to float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import LexicalConfig
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.texts import lexical_tokens, passage_text
from hipporag_like.retrieval.topk import top_k

Numbers = NDArray[np.int64]
Reals = NDArray[np.float64]

# Up to so many postings of a question's words numpy adds them all up, in about 1 ms; beyond, compiled code leaves out
# those that cannot matter. A corpus of some thousand passages is asked without loading numba, which takes 0.3 s.
ADDED_UP = 20_000


@dataclass(frozen=True, slots=True)
class _Corpus:
    """What BM25 must know of all passages, read once: O(passages + words).

    ``peaks`` keeps, for words in many passages, the most that one can add to a passage, by (k1, b) and word.
    """

    n_passages: int
    mean_length: float
    mean_idf: float
    peaks: dict[tuple[float, float, int], float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as rows of the postings: distinct rows, their idf, and the place among them of each word said."""

    rows: Numbers
    idf: Reals
    said: Numbers


_CORPORA: WeakKeyDictionary[Segment, _Corpus] = WeakKeyDictionary()


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
    indptr = segment.array("posting_indptr")
    many = int((indptr[asked.rows + 1] - indptr[asked.rows]).sum())
    if many > ADDED_UP and config.engine != "rank_bm25":
        passages, scores = _pruned(segment, asked, k, config, mask)
        if len(passages):
            return passages, scores
    held = _holding(segment, asked)
    held = held if mask is None else held[mask[held]]
    scores = _scores(segment, question, asked, held, config)
    good = scores > 0
    best = np.sort(top_k(scores, k, good if good.any() else None))
    return held[best], scores[best]


def bm25_at(segment: Segment, question: str, passages: Numbers, config: LexicalConfig) -> Reals:
    """Return the BM25Okapi scores of some passages; 0 for one that holds no word of the question.

    Parameters
    ----------
    segment, question, config
        See :func:`bm25_top`.
    passages
        int64, (n,), ascending.

    Returns
    -------
    float64, (n,)
    """
    return _scores(segment, question, _asked(segment, question, config), passages, config)


def _scores(segment: Segment, question: str, asked: _Asked, passages: Numbers, config: LexicalConfig) -> Reals:
    # rank-bm25 divides by zero where no passage has a word it sees.
    if config.engine == "rank_bm25" and len(segment.terms) > 0:
        scores = _reference(segment, config).get_scores(lexical_tokens(question))
        return np.asarray(scores, dtype=np.float64)[passages]
    indptr = segment.array("posting_indptr")
    holder, count = segment.array("posting_passage"), segment.array("posting_count")
    norm = _norms(segment, passages, config)
    wanted = passages.astype(holder.dtype)  # of one type, or numpy copies all postings to compare them
    scores = np.zeros(len(passages))
    for i in asked.said.tolist():
        first, last = int(indptr[asked.rows[i]]), int(indptr[asked.rows[i] + 1])
        at = first + np.searchsorted(holder[first:last], wanted)
        here = at < last
        here[here] = holder[at[here]] == wanted[here]
        times = count[at[here]].astype(np.float64)
        added = asked.idf[i] * times * (config.k1 + 1) / (times + norm[here])
        scores[here] += added.astype(np.float32)
    return scores


def _norms(segment: Segment, passages: Numbers, config: LexicalConfig) -> Reals:
    mean = max(_corpus(segment).mean_length, 1e-12)
    length = segment.array("passage_length")[passages]
    norm: Reals = config.k1 * (1 - config.b + config.b * length / mean)
    return norm


def _pruned(
    segment: Segment, asked: _Asked, k: int, config: LexicalConfig, mask: NDArray[np.bool_] | None
) -> tuple[Numbers, Reals]:
    from hipporag_like.retrieval.maxscore import best_passages

    bound = asked.idf * (config.k1 + 1) * _peaks(segment, asked.rows, config)
    often = np.bincount(asked.said, minlength=len(asked.rows))
    order = np.argsort(-bound * often, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    indptr = segment.array("posting_indptr")
    passages, scores = best_passages(
        indptr[asked.rows[order]],
        indptr[asked.rows[order] + 1],
        segment.array("posting_passage"),
        segment.array("posting_count"),
        segment.array("passage_length"),
        np.zeros(0, dtype=bool) if mask is None else mask,
        asked.idf[order],
        often[order],
        np.maximum(bound * often, 0.0)[order],
        place[asked.said],
        min(k, segment.n_passages),
        float(config.k1),
        float(config.b),
        max(_corpus(segment).mean_length, 1e-12),
    )
    ascending = np.argsort(passages)
    return passages[ascending], scores[ascending]


def _peaks(segment: Segment, rows: Numbers, config: LexicalConfig) -> Reals:
    """Return the largest ``count / (count + norm)`` of each word."""
    from hipporag_like.retrieval.maxscore import peak

    corpus, indptr = _corpus(segment), segment.array("posting_indptr")
    found = np.empty(len(rows))
    for i, row in enumerate(rows.tolist()):
        key = (config.k1, config.b, row)
        if key not in corpus.peaks:
            part = slice(int(indptr[row]), int(indptr[row + 1]))
            corpus.peaks[key] = peak(
                segment.array("posting_passage")[part],
                segment.array("posting_count")[part],
                segment.array("passage_length"),
                float(config.k1),
                float(config.b),
                max(corpus.mean_length, 1e-12),
            )
        found[i] = corpus.peaks[key]
    return found


def _holding(segment: Segment, asked: _Asked) -> Numbers:
    """Return the passages that hold a word of the question, ascending."""
    indptr, passage = segment.array("posting_indptr"), segment.array("posting_passage")
    lists = [passage[int(indptr[row]) : int(indptr[row + 1])] for row in asked.rows.tolist()]
    return np.unique(np.concatenate(lists)).astype(np.int64)


def _asked(segment: Segment, question: str, config: LexicalConfig) -> _Asked:
    found = segment.terms.find_many(lexical_tokens(question)).astype(np.int64)
    rows, said = np.unique(found[found >= 0], return_inverse=True)
    indptr = segment.array("posting_indptr")
    corpus = _corpus(segment)
    idf = _idf(indptr[rows + 1] - indptr[rows], corpus.n_passages)
    return _Asked(rows, np.where(idf < 0, config.epsilon * corpus.mean_idf, idf), said.astype(np.int64))


def _corpus(segment: Segment) -> _Corpus:
    known = _CORPORA.get(segment)
    if known is None:
        length, indptr = segment.array("passage_length"), segment.array("posting_indptr")
        idf = _idf(np.diff(indptr), len(length))
        known = _Corpus(
            len(length),
            float(length.mean()) if len(length) else 1.0,
            float(idf.mean()) if len(idf) else 0.0,
        )
        known = _CORPORA.setdefault(segment, known)
    return known


def _idf(passages: Sequence[int] | Numbers, n_passages: int) -> Reals:
    df = np.asarray(passages)
    idf: Reals = np.log(n_passages - df + 0.5) - np.log(df + 0.5)
    return idf


@lru_cache(maxsize=4)
def _reference(segment: Segment, config: LexicalConfig) -> Any:
    from rank_bm25 import BM25Okapi

    texts = [lexical_tokens(passage_text(segment.passage(i))) for i in range(segment.n_passages)]
    return BM25Okapi(texts, k1=config.k1, b=config.b, epsilon=config.epsilon)
