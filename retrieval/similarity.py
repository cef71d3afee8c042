"""How like a question facts are, however that is stored: a vector a fact, or a bag of words a fact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.index import Segment


class FactVectors(Protocol):
    """Unit vectors of facts, as far as a search needs them."""

    def cosines(self, facts: NDArray[np.int64], asked: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the inner products of facts, (n,), with unit vectors, (v, dim): float64, (n, v)."""


def fact_vectors_of(segment: Segment) -> FactVectors:
    """Return the facts of a segment, by the preset that it was indexed with."""
    return WordFacts(segment) if segment.is_light else DenseFacts(segment)


@dataclass(frozen=True, slots=True)
class DenseFacts:
    """Facts that are embedded each."""

    segment: Segment

    def cosines(self, facts: NDArray[np.int64], asked: NDArray[np.float32]) -> NDArray[np.float64]:
        """See ``FactVectors``."""
        from hipporag_like.retrieval.descend import cosines_of

        return np.asarray(cosines_of(self.segment.array("fact_vectors"), facts, asked))


@dataclass(frozen=True, slots=True)
class WordFacts:
    """Facts that are bags of embedded words; see ``hipporag_like.indexing.words``."""

    segment: Segment

    def cosines(self, facts: NDArray[np.int64], asked: NDArray[np.float32]) -> NDArray[np.float64]:
        """See ``FactVectors``."""
        names = ("word_codes", "word_scale", "fact_words_indptr", "fact_words_index", "fact_norm")
        codes, scale, indptr, index, norm = map(self.segment.array, names)
        found = np.zeros((len(facts), len(asked)))
        for row, fact in enumerate(facts.tolist()):
            words = index[indptr[fact] : indptr[fact + 1]]
            vectors = codes[words].astype(np.float64) * scale[words][:, None]
            found[row] = asked.astype(np.float64) @ vectors.sum(axis=0) / norm[fact]
        return found
