"""The facts most like a question: of all of them where these are few, else of the passages most like it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import EXACT_LIMIT
from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval.dense import nearest_in
from hipporag_like.retrieval.inside import Inside
from hipporag_like.retrieval.mentions import own_facts
from hipporag_like.retrieval.similarity import fact_vectors_of
from hipporag_like.retrieval.topk import top_k

# Passages, by the dense signal and by BM25 each, whose facts stand for all where these are too many. Compared with
# all facts recall@5 of graph on the dev sets stays the same, with vectors of facts as with words; @2 and @10 change by
# 0.5 at most.
NEAR_PASSAGES = 50


def compares_all(segment: Segment) -> bool:
    """Return whether a question is compared with every fact: these have vectors of their own, and are not too many."""
    return not segment.is_light and segment.n_facts <= EXACT_LIMIT


def nearest_facts(
    segment: Segment,
    vector: NDArray[np.float32],
    k: int,
    near: NDArray[np.int64] | None = None,
    inside: Inside | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    """Return the facts most like a question and their cosines, best first; equal ones in ascending order.

    Parameters
    ----------
    segment
        The index.
    vector
        float32, (dim,): the question's unit vector.
    k
        At most so many.
    near
        int64, ascending: the passages to look in where not all facts are compared (:func:`compares_all`); None
        compares all in any case.
    inside
        Only facts that may be seen; None means all.
    """
    if compares_all(segment):
        return nearest_in(segment, "fact", vector, k, None if inside is None else inside.all_facts())
    facts, _ = own_facts(segment, np.arange(segment.n_passages) if near is None else near)
    facts = facts if inside is None else facts[inside.facts(facts)]
    cosines = fact_vectors_of(segment).cosines(facts, vector[None, :])[:, 0]
    best = top_k(cosines, k)
    return facts[best], cosines[best]
