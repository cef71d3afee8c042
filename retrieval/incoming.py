"""Incoming facts: what other passages say about the subject of a passage.

"A 1969 film directed by Ann Lee" tells which of the film's people the question means; the passage about Ann Lee does
not say so. So a passage is judged by the fact elsewhere that mentions its subject, the entity of its title, and is most
similar to the question.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval.topk import top_k
from hipporag_like.retrieval.walk import WalkResult

FACTS = 1000  # of the first walk that are looked at, besides those of the candidates
# What stands for a cosine where there is none.
NAMED = np.inf  # the question itself names the subject
UNKNOWN = np.nan  # the passage has no title
NEVER = -np.inf  # no fact looked at mentions the subject


def incoming(
    segment: Segment,
    question: NDArray[np.float32],
    seeds: NDArray[np.int64],
    walked: WalkResult,
    candidates: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return each candidate's best incoming fact.

    Parameters
    ----------
    segment
        The index.
    question
        float32, (dim,), unit length.
    seeds
        int64: entities that the question names.
    walked
        The first walk.
    candidates
        int64, (n,), ascending passage numbers.

    Returns
    -------
    float64, (n,)
        The cosine of the fact to the question, or ``NAMED``, ``UNKNOWN`` or ``NEVER``.
    """
    owner, subject = _subjects(segment, candidates)
    found = np.full(len(candidates), UNKNOWN)
    if len(owner) == 0:
        return found
    found[owner] = NEVER
    facts = _facts(segment, walked, candidates)
    entity, fact = _mentions(segment, facts, np.unique(subject))
    cosine = (np.asarray(segment.array("fact_vectors")[facts]) @ question).astype(np.float64)[fact]
    passage = segment.array("fact_passage")[facts[fact]]
    order = np.argsort(entity, kind="stable")
    entity, cosine, passage = entity[order], cosine[order], passage[order]
    first = np.searchsorted(entity, subject, side="left").tolist()
    last = np.searchsorted(entity, subject, side="right").tolist()
    for row, start, end in zip(owner.tolist(), first, last, strict=True):
        elsewhere = cosine[start:end][passage[start:end] != candidates[row]]
        if len(elsewhere):
            found[row] = max(found[row], float(elsewhere.max()))
    found[owner[np.isin(subject, seeds)]] = NAMED
    return found


def _subjects(segment: Segment, candidates: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of a candidate's place and an entity of its title."""
    passages, entities = segment.array("title_passage"), segment.array("title_entity")
    first = np.searchsorted(passages, candidates, side="left")
    counts = np.searchsorted(passages, candidates, side="right") - first
    owner = np.repeat(np.arange(len(candidates)), counts)
    return owner, entities[_ranges(first, counts)].astype(np.int64)


def _facts(segment: Segment, walked: WalkResult, candidates: NDArray[np.int64]) -> NDArray[np.int64]:
    starts = segment.array("passage_facts")
    own = _ranges(starts[candidates], starts[candidates + 1] - starts[candidates])
    return np.union1d(own, walked.facts[top_k(walked.fact_mass, FACTS)])


def _mentions(
    segment: Segment, facts: NDArray[np.int64], wanted: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of a wanted entity and the place of a fact that mentions it."""
    rows = segment.fact_entities
    counts = rows.indptr[facts + 1] - rows.indptr[facts]
    entity = rows.indices[_ranges(rows.indptr[facts], counts)].astype(np.int64)
    fact = np.repeat(np.arange(len(facts)), counts)
    good = np.isin(entity, wanted)
    return entity[good], fact[good]


def _ranges(first: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``first[i], first[i] + 1, ...``, ``counts[i]`` numbers for each i."""
    total = int(counts.sum())
    offsets = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    return (np.repeat(first, counts) + offsets).astype(np.int64)
