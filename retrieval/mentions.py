"""Which facts elsewhere mention the subject of a passage, the entity of its title."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.ragged import fixed

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Mentions:
    """Pairs of a candidate and a fact of another passage that mentions the candidate's subject.

    Attributes
    ----------
    candidate
        int64, (n,): places in the candidates.
    fact
        int64, (n,): places in the facts.
    """

    candidate: Numbers
    fact: Numbers


@dataclass(frozen=True, slots=True)
class Subjects:
    """Pairs of a candidate and an entity of its title; none where a passage has no title.

    Attributes
    ----------
    candidate
        int64, (n,): places in the candidates, ascending.
    entity
        int64, (n,): entity numbers.
    """

    candidate: Numbers
    entity: Numbers


def subjects(segment: Segment, candidates: Numbers) -> Subjects:
    """Return the subjects of passages.

    Parameters
    ----------
    segment
        The index.
    candidates
        int64, (n,): passage numbers.
    """
    passages, entities = segment.array("title_passage"), segment.array("title_entity")
    wanted = candidates.astype(passages.dtype)  # of another type, numpy would convert all titles first
    first = np.searchsorted(passages, wanted, side="left")
    counts = np.searchsorted(passages, wanted, side="right") - first
    owner = np.repeat(np.arange(len(candidates)), counts)
    return Subjects(owner, entities[ranges(first, counts)].astype(np.int64))


def mentions(segment: Segment, candidates: Numbers, about: Subjects, facts: Numbers) -> Mentions:
    """Return who of the candidates is mentioned by which of the facts.

    Parameters
    ----------
    segment
        The index.
    candidates
        int64, (n,): passage numbers.
    about
        Their subjects.
    facts
        int64, (m,): fact numbers that are looked at, ascending.
    """
    from hipporag_like.retrieval.loops import said_elsewhere

    rows = segment.entity_facts
    wanted = fixed(candidates), fixed(about.candidate), fixed(about.entity), fixed(facts)
    held = fixed(rows.indptr), fixed(rows.edges), rows.bits
    return Mentions(*said_elsewhere(*wanted, *held, fixed(segment.array("fact_passage"))))


def own_facts(segment: Segment, candidates: Numbers) -> tuple[Numbers, Numbers]:
    """Return the facts of passages, and the place of the passage that each belongs to."""
    starts = segment.array("passage_facts")
    counts = starts[candidates + 1] - starts[candidates]
    return ranges(starts[candidates], counts), np.repeat(np.arange(len(candidates)), counts)


def ranges(first: NDArray[np.integer], counts: NDArray[np.integer]) -> Numbers:
    """Return ``first[i], first[i] + 1, ...``, ``counts[i]`` numbers for each i."""
    total = int(counts.sum())
    offsets = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    numbers: Numbers = (np.repeat(first, counts) + offsets).astype(np.int64)
    return numbers
