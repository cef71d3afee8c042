"""Retrieval metrics of one question: a ranking of document ids against the ids that are needed.

All are in [0, 1], relevance is binary, a repeated id counts at its first place only, and an empty ranking
scores 0. Definitions: Manning, Raghavan, Schütze, *Introduction to Information Retrieval*, chapter 8;
nDCG: Järvelin and Kekäläinen 2002.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from hipporag_like.errors import UsageError


def recall_at_k(ranking: Sequence[str], gold: Collection[str], k: int) -> float:
    """Return the share of ``gold`` within the first ``k``.

    Parameters
    ----------
    ranking
        Document ids, best first.
    gold
        The ids that are needed, at least one.
    k
        At least 1.

    Raises
    ------
    UsageError
        ``gold`` is empty (recall is then undefined) or ``k`` is below 1. So for all metrics here.
    """
    needed = _needed(gold)
    return sum(_relevance(ranking, needed, k)) / len(needed)


def all_recall_at_k(ranking: Sequence[str], gold: Collection[str], k: int) -> float:
    """Return 1 where all of ``gold`` is within the first ``k``, else 0; see :func:`recall_at_k`."""
    needed = _needed(gold)
    return float(sum(_relevance(ranking, needed, k)) == len(needed))


def precision_at_k(ranking: Sequence[str], gold: Collection[str], k: int) -> float:
    """Return the share of the first ``k`` places that hold a needed id; places left empty count as misses."""
    return sum(_relevance(ranking, _needed(gold), k)) / k


def reciprocal_rank(ranking: Sequence[str], gold: Collection[str]) -> float:
    """Return 1 / the rank of the first needed id, 0 where there is none; the mean over questions is MRR."""
    relevance = _relevance(ranking, _needed(gold))
    return next((1.0 / rank for rank, relevant in enumerate(relevance, 1) if relevant), 0.0)


def average_precision(ranking: Sequence[str], gold: Collection[str]) -> float:
    """Return the precision at each needed id, averaged over ``gold``; the mean over questions is MAP."""
    needed = _needed(gold)
    found, total = 0, 0.0
    for rank, relevant in enumerate(_relevance(ranking, needed), 1):
        if relevant:
            found += 1
            total += found / rank
    return total / len(needed)


def ndcg_at_k(ranking: Sequence[str], gold: Collection[str], k: int) -> float:
    """Return the discounted gain (1 / log2(rank + 1)) of the first ``k``, as a share of the best possible."""
    needed = _needed(gold)
    ideal = _discounted([True] * min(k, len(needed)))
    return _discounted(_relevance(ranking, needed, k)) / ideal


def _discounted(relevance: Sequence[bool]) -> float:
    return math.fsum(1.0 / math.log2(rank + 1) for rank, relevant in enumerate(relevance, 1) if relevant)


def _needed(gold: Collection[str]) -> frozenset[str]:
    if not gold:
        raise UsageError("a question without supporting ids has no retrieval score; leave it out")
    return frozenset(gold)


def _relevance(ranking: Sequence[str], needed: frozenset[str], k: int | None = None) -> list[bool]:
    """Return whether each of the first ``k`` different ids is needed; of all where ``k`` is ``None``."""
    if k is not None and k < 1:
        raise UsageError(f"k must be at least 1, got {k}")
    return [id_ in needed for id_ in list(dict.fromkeys(ranking))[:k]]
