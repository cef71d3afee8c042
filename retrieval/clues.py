"""What one namespace knows about its candidates, in raw numbers; ``retrieval.features`` makes columns of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import LexicalConfig
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.ragged import fixed
from hipporag_like.retrieval.incoming import cosines_said, facts_looked_at
from hipporag_like.retrieval.lexical import bm25_at
from hipporag_like.retrieval.link import Linked
from hipporag_like.retrieval.mentions import mentions, own_facts, subjects
from hipporag_like.retrieval.sets import places, starts_of
from hipporag_like.retrieval.similarity import fact_vectors_of, row_cosines
from hipporag_like.retrieval.walk import WalkResult
from hipporag_like.text import STOPWORDS, words

Numbers = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Clues:
    """Raw numbers of n candidates by v vectors: the question's, then those of its windows.

    Attributes
    ----------
    walk, onward
        float64, (n, 3): mass of each walk on the candidate's facts: over the root of their number, summed, and of
        the best fact.
    passage
        float64, (n, v): cosine of the candidate.
    sentence
        float64, (n, v): cosine of its best fact; -inf where it has none.
    moments
        float64, (3, v): number, sum and sum of squares of the cosines of all candidates' facts.
    rest
        float64, (n,): BM25 of the question without the names found in it.
    subject
        float64, (n, 5): whether the question names the subject, its seed mass, its mass in the first and in the second
        walk over the largest there, its rarity.
    candidate, source, cosine
        int64, int64 and float64, (m,): facts elsewhere about the subject of ``candidate``; ``source`` is the place of
        the fact's passage in the candidates, -1 where it is none.
    """

    walk: Reals
    onward: Reals
    passage: Reals
    sentence: Reals
    moments: Reals
    rest: Reals
    subject: Reals
    candidate: Numbers
    source: Numbers
    cosine: Reals


def clues(
    segment: Segment,
    question: str,
    vectors: NDArray[np.float32],
    linked: Linked,
    walks: tuple[WalkResult, WalkResult],
    candidates: Numbers,
    lexical: LexicalConfig,
) -> Clues:
    """Return what the namespace knows about its candidates.

    Parameters
    ----------
    segment
        The namespace.
    question
        In words.
    vectors
        float32, (v, dim), unit rows: the question, then its windows.
    linked, walks
        The seeds; the first and the second walk.
    candidates
        int64, (n,), ascending passage numbers.
    lexical
        Options of BM25.
    """
    passage = row_cosines(segment.stored("passage_vectors"), candidates, vectors)
    own, owner = own_facts(segment, candidates)
    cosines = fact_vectors_of(segment).cosines(own, vectors)
    sentence = np.full(passage.shape, -np.inf)
    if len(own):
        first = np.flatnonzero(starts_of(owner))
        sentence[owner[first]] = np.maximum.reduceat(cosines, first)
    moments = np.stack(
        [np.full(len(vectors), float(len(own))), cosines.sum(axis=0), (cosines**2).sum(axis=0)]
    )
    about = subjects(segment, candidates)
    facts = facts_looked_at(segment, walks[0], candidates)
    said = mentions(segment, candidates, about, facts)
    source = places(candidates, segment.array("fact_passage")[facts[said.fact]].astype(np.int64))
    return Clues(
        walk=_mass(segment, walks[0], candidates),
        onward=_mass(segment, walks[1], candidates),
        passage=passage,
        sentence=sentence,
        moments=moments,
        rest=_rest(segment, question, linked, candidates, lexical),
        subject=_subject(segment, linked, walks, about.candidate, about.entity, len(candidates)),
        candidate=said.candidate,
        source=source,
        cosine=cosines_said(segment, facts, said, vectors[0]),
    )


def _mass(segment: Segment, walked: WalkResult, candidates: Numbers) -> Reals:
    from hipporag_like.retrieval.loops import masses_of

    starts = segment.array("passage_facts")
    mass = masses_of(*map(fixed, (candidates, starts, walked.facts, walked.fact_mass)))
    facts = np.maximum(starts[candidates + 1] - starts[candidates], 1)
    return np.column_stack([mass[:, 0] / np.sqrt(facts), mass])


def _rest(
    segment: Segment, question: str, linked: Linked, candidates: Numbers, lexical: LexicalConfig
) -> Reals:
    named = {
        token
        for entity in linked.entities[linked.named].tolist()
        for token in segment.entity_key_strings[entity].split()
    }
    rest = [token for token in words(question) if token not in STOPWORDS and token not in named]
    return bm25_at(segment, " ".join(rest), candidates, lexical)


def _subject(
    segment: Segment,
    linked: Linked,
    walks: tuple[WalkResult, WalkResult],
    candidate: Numbers,
    entity: Numbers,
    n: int,
) -> Reals:
    passages = np.maximum(segment.array("entity_passages")[entity], 1)
    columns = (
        (places(linked.entities[linked.named], entity) >= 0).astype(np.float64),
        _values(linked.entities, linked.mass, entity),
        *(
            _values(w.entities, w.entity_mass, entity) / max(w.entity_mass.max(initial=0.0), 1e-300)
            for w in walks
        ),
        np.log(segment.n_passages / passages) / np.log(max(segment.n_passages, 2)),
    )
    found = np.zeros((n, len(columns)))
    np.maximum.at(found, candidate, np.stack(columns, axis=1))
    return found


def _values(keys: Numbers, values: Reals, wanted: Numbers) -> Reals:
    """Return the value of each wanted key, 0 where it has none; ``keys`` ascend."""
    place = places(keys, wanted)
    return np.where(place >= 0, np.append(values, 0.0)[place], 0.0)
