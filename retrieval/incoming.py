"""Incoming facts: what other passages say about the subject of a passage.

"A 1969 film directed by Ann Lee" tells which of the film's people the question means; the passage about Ann Lee does
not say so. So a passage is judged by the fact elsewhere that mentions its subject, the entity of its title, and is most
similar to the question.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval.mentions import Mentions, mentions, own_facts, subjects
from hipporag_like.retrieval.sets import distinct, places
from hipporag_like.retrieval.similarity import fact_vectors_of
from hipporag_like.retrieval.topk import top_set
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
        int64, ascending: entities that the question names.
    walked
        The first walk.
    candidates
        int64, (n,), ascending passage numbers.

    Returns
    -------
    float64, (n,)
        The cosine of the fact to the question, or ``NAMED``, ``UNKNOWN`` or ``NEVER``.
    """
    found = np.full(len(candidates), UNKNOWN)
    about = subjects(segment, candidates)
    if len(about.entity) == 0:
        return found
    found[about.candidate] = NEVER
    facts = facts_looked_at(segment, walked, candidates)
    said = mentions(segment, candidates, about, facts)
    np.maximum.at(found, said.candidate, cosines_said(segment, facts, said, question))
    found[about.candidate[places(seeds, about.entity) >= 0]] = NAMED
    return found


def facts_looked_at(segment: Segment, walked: WalkResult, candidates: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the facts of the candidates and the best of the walk; ascending."""
    own, _ = own_facts(segment, candidates)
    return distinct(np.concatenate([own, walked.facts[top_set(walked.fact_mass, FACTS)]]))


def cosines_said(
    segment: Segment, facts: NDArray[np.int64], said: Mentions, question: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the cosine of each pair's fact to the question: float64, (n,); only these facts are read."""
    needed = np.zeros(len(facts), dtype=bool)
    needed[said.fact] = True
    cosines = np.empty(len(facts))
    cosines[needed] = fact_vectors_of(segment).cosines(facts[needed], question[None, :])[:, 0]
    return cosines[said.fact]
