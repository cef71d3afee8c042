"""How like a question facts are, however that is stored: a vector a fact, or a code a fact.

Preset ``full`` embeds every fact (``DenseFacts``). Preset ``light`` embeds every word once, and keeps codes of the sums
(``CodedFacts``; see ``hipporag_like.indexing.fact_codes``). Nothing here depends on the number of facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.ragged import fixed
from hipporag_like.indexing.scales import SCALE_BYTES, words_of
from hipporag_like.indexing.stored import StoredRows, Table, chosen

SINGLE, HALF, CODES = 0, 1, 2


class FactArrays(NamedTuple):
    """All kinds of facts in one shape, so that the walk is compiled once; those of other kinds are empty.

    Attributes
    ----------
    kind
        ``SINGLE``, ``HALF`` or ``CODES``.
    single, half
        float32, and float16 seen as uint16, (n_facts, dim): unit rows.
    signs, words
        uint8, (n_facts, bytes), and the same bytes as float32, of which the last of each row is a scale; see
        ``hipporag_like.indexing.fact_codes``.
    """

    kind: int
    single: NDArray[np.float32]
    half: NDArray[np.uint16]
    signs: NDArray[np.uint8]
    words: NDArray[np.float32]


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
        """Return what the walk reads."""

    def asked(self, question: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a question as ``likeness_of`` takes it, who may know facts less precisely than ``cosines``."""


def fact_vectors_of(segment: Segment) -> FactVectors:
    """Return the facts of a segment, by the preset that it was indexed with."""
    if not segment.is_light:
        return DenseFacts(segment.array("fact_vectors"))
    dim = segment.array("passage_vectors").shape[1]
    return CodedFacts(dim, segment.array("fact_signs"), segment.stored("fact_steps"))


def row_cosines(vectors: Table, rows: NDArray[np.int64], asked: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return inner products of chosen rows with each asked vector; see ``FactVectors.cosines``.

    Parameters
    ----------
    vectors
        float32 or float16, (any, dim); may be memory-mapped, or stored rows.
    rows, asked
        int64, (n,), and float32, (v, dim).
    """
    from hipporag_like.retrieval.descend import cosines_of, cosines_of_half

    if isinstance(vectors, StoredRows):
        if vectors.descriptor >= 0:
            vectors, rows = vectors.take(rows), np.arange(len(rows))
        else:
            vectors = vectors.array
    if vectors.dtype == np.float16:
        return cosines_of_half(fixed(vectors.view(np.uint16)), fixed(rows), fixed(asked))
    return cosines_of(fixed(vectors), fixed(rows), fixed(asked))


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

    def asked(self, question: NDArray[np.float32]) -> NDArray[np.float32]:
        """See ``FactVectors``."""
        return fixed(question)


@dataclass(frozen=True, slots=True)
class CodedFacts:
    """Facts that are kept as codes; see ``hipporag_like.indexing.fact_codes``.

    The walk knows them by their signs, with an error of some 0.04 in a cosine at 384 numbers, and all else by three
    bits a number, with one of some 0.01.

    Attributes
    ----------
    dim
        Of the vectors.
    signs, steps
        uint8, each with a row a fact; may be memory-mapped, the steps stored rows.
    """

    dim: int
    signs: NDArray[np.uint8]
    steps: Table

    def __len__(self) -> int:
        """Return the number of facts."""
        return len(self.signs)

    def cosines(self, facts: NDArray[np.int64], asked: NDArray[np.float32]) -> NDArray[np.float64]:
        """See ``FactVectors``."""
        from hipporag_like.indexing.quantise import rotated
        from hipporag_like.retrieval.descend import cosines_of_codes

        turned = np.zeros((len(asked), self._numbers), np.float32)
        turned[:, : self.dim] = rotated(asked)
        steps = fixed(chosen(self.steps, facts))
        return cosines_of_codes(fixed(self.signs[facts]), steps, fixed(words_of(steps)), fixed(turned))

    def take(self, facts: NDArray[np.int64]) -> NDArray[np.float32]:
        """See ``FactVectors``."""
        from hipporag_like.indexing.fact_codes import vectors_of

        return vectors_of(self.signs[facts], chosen(self.steps, facts), self.dim)

    def arrays(self) -> FactArrays:
        """See ``FactVectors``."""
        signs = fixed(self.signs)
        return _NOTHING._replace(kind=CODES, signs=signs, words=fixed(words_of(signs)))

    def asked(self, question: NDArray[np.float32]) -> NDArray[np.float32]:
        """See ``FactVectors``; what each value of each byte of signs adds, and the sum of all numbers."""
        from hipporag_like.indexing.quantise import rotated
        from hipporag_like.retrieval.likeness import sums_by_byte

        turned = np.zeros(self._numbers, np.float32)
        turned[: self.dim] = rotated(question[None, :])[0]
        return fixed(sums_by_byte(turned))

    @property
    def _numbers(self) -> int:
        """How many numbers a code has, those that fill it up included."""
        return 8 * (int(self.signs.shape[1]) - SCALE_BYTES)


_NOTHING = FactArrays(
    kind=SINGLE,
    single=fixed(np.zeros((0, 0), np.float32)),
    half=fixed(np.zeros((0, 0), np.uint16)),
    signs=fixed(np.zeros((0, 0), np.uint8)),
    words=fixed(np.zeros((0, 0), np.float32)),
)
