"""How like a question facts are, however that is stored: a vector a fact, or a bag of words a fact.

Preset ``full`` embeds every fact (``DenseFacts``). Preset ``light`` embeds every word once (``WordFacts``): the vector
of a fact is the sum of its words' vectors, brought to unit length. Nothing here depends on the number of facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval.mentions import ranges

SINGLE, HALF, WORDS = 0, 1, 2


class FactArrays(NamedTuple):
    """All kinds of facts in one shape, so that the walk is compiled once; those of other kinds are empty.

    Attributes
    ----------
    kind
        ``SINGLE``, ``HALF`` or ``WORDS``.
    single, half
        float32, and float16 seen as uint16, (n_facts, dim): unit rows.
    codes, scale
        int8, (n_words, dim), and float32, (n_words,): the vector of a word is ``codes * scale``.
    indptr, words, norm
        int64, (n_facts + 1,), int32, and float32, (n_facts,): the words of each fact, and the length of the sum of
        their vectors.
    """

    kind: int
    single: NDArray[np.float32]
    half: NDArray[np.uint16]
    codes: NDArray[np.int8]
    scale: NDArray[np.float32]
    indptr: NDArray[np.int64]
    words: NDArray[np.int32]
    norm: NDArray[np.float32]


class FactVectors(Protocol):
    """Unit vectors of facts, as far as a search needs them."""

    def __len__(self) -> int:
        """Return the number of facts."""

    def cosines(self, facts: NDArray[np.int64], asked: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the inner products of facts with unit vectors.

        Parameters
        ----------
        facts
            int64, (n,).
        asked
            float32, (v, dim), unit rows.

        Returns
        -------
        float64, (n, v)
            A pair's is the same to the bit wherever it stands.
        """

    def take(self, facts: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors of facts: float32, (n, dim), unit rows."""

    def arrays(self) -> FactArrays:
        """Return what compiled code reads."""


def fact_vectors_of(segment: Segment) -> FactVectors:
    """Return the facts of a segment, by the preset that it was indexed with."""
    if not segment.has("fact_words_index"):
        return DenseFacts(segment.array("fact_vectors"))
    names = ("word_codes", "word_scale", "fact_words_indptr", "fact_words_index", "fact_norm")
    return WordFacts(*map(segment.array, names))


def row_cosines(
    vectors: NDArray[np.floating], rows: NDArray[np.int64], asked: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return inner products of chosen rows with each asked vector; see ``FactVectors.cosines``.

    Parameters
    ----------
    vectors
        float32 or float16, (any, dim); may be memory-mapped.
    rows, asked
        int64, (n,), and float32, (v, dim).
    """
    from hipporag_like.retrieval.descend import cosines_of, cosines_of_half

    if vectors.dtype == np.float16:
        return cosines_of_half(fixed(vectors.view(np.uint16)), fixed(rows), fixed(asked))
    return cosines_of(fixed(vectors), fixed(rows), fixed(asked))


def fixed(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only view without gaps: compiled code is compiled anew for what may be written to."""
    view = np.ascontiguousarray(array).view(np.ndarray)
    view.flags.writeable = False
    return view


@dataclass(frozen=True, slots=True)
class DenseFacts:
    """Facts that are embedded each.

    Attributes
    ----------
    vectors
        float32 or float16, (n_facts, dim), unit rows; may be memory-mapped.
    """

    vectors: NDArray[np.floating]

    def __len__(self) -> int:
        """Return the number of facts."""
        return len(self.vectors)

    def cosines(self, facts: NDArray[np.int64], asked: NDArray[np.float32]) -> NDArray[np.float64]:
        """See ``FactVectors``."""
        return row_cosines(self.vectors, facts, asked)

    def take(self, facts: NDArray[np.int64]) -> NDArray[np.float32]:
        """See ``FactVectors``."""
        return np.asarray(self.vectors[facts], dtype=np.float32)

    def arrays(self) -> FactArrays:
        """See ``FactVectors``."""
        if self.vectors.dtype == np.float16:
            return _NOTHING._replace(kind=HALF, half=fixed(self.vectors.view(np.uint16)))
        return _NOTHING._replace(kind=SINGLE, single=fixed(self.vectors))


@dataclass(frozen=True, slots=True)
class WordFacts:
    """Facts that are bags of embedded words; the attributes are those of ``FactArrays``.

    A fact without words has the vector 0.
    """

    codes: NDArray[np.int8]
    scale: NDArray[np.float32]
    indptr: NDArray[np.int64]
    words: NDArray[np.int32]
    norm: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of facts."""
        return len(self.norm)

    def cosines(self, facts: NDArray[np.int64], asked: NDArray[np.float32]) -> NDArray[np.float64]:
        """See ``FactVectors``; each distinct word is compared once."""
        from hipporag_like.retrieval.descend import bag_sums, cosines_of, distinct

        starts, words = self._words(facts)
        known, place = distinct(fixed(words))
        similarity = cosines_of(fixed(self.codes), known, fixed(asked)) * self.scale[known][:, None]
        return bag_sums(similarity, place, starts) / self._norms(facts)[:, None]

    def take(self, facts: NDArray[np.int64]) -> NDArray[np.float32]:
        """See ``FactVectors``."""
        from hipporag_like.retrieval.descend import bag_sums

        starts, words = self._words(facts)
        vectors = self.codes[words].astype(np.float64) * self.scale[words][:, None]
        summed = bag_sums(vectors, np.arange(len(words)), starts)
        return (summed / self._norms(facts)[:, None]).astype(np.float32)

    def arrays(self) -> FactArrays:
        """See ``FactVectors``."""
        return FactArrays(
            kind=WORDS,
            single=_NOTHING.single,
            half=_NOTHING.half,
            codes=fixed(self.codes),
            scale=fixed(self.scale),
            indptr=fixed(self.indptr),
            words=fixed(self.words),
            norm=fixed(self.norm),
        )

    def _words(self, facts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return where the words of each fact start, (n + 1,), and the words of all, one fact after the other."""
        first = self.indptr[facts]
        counts = self.indptr[facts + 1] - first
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return starts, self.words[ranges(first, counts)]

    def _norms(self, facts: NDArray[np.int64]) -> NDArray[np.float64]:
        norms = self.norm[facts].astype(np.float64)
        return np.where(norms > 0, norms, 1.0)


_NOTHING = FactArrays(
    kind=SINGLE,
    single=fixed(np.zeros((0, 0), np.float32)),
    half=fixed(np.zeros((0, 0), np.uint16)),
    codes=fixed(np.zeros((0, 0), np.int8)),
    scale=fixed(np.zeros(0, np.float32)),
    indptr=fixed(np.zeros(1, np.int64)),
    words=fixed(np.zeros(0, np.int32)),
    norm=fixed(np.zeros(0, np.float32)),
)
