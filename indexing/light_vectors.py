"""Vectors of a segment of preset light: passages, and codes of facts as sums of words; see ``indexing.words``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.corpus import Corpus, Origin
from hipporag_like.indexing.fact_codes import encode, room_for_codes
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.packed import table
from hipporag_like.indexing.quantise import rotated
from hipporag_like.indexing.ragged import Rows2
from hipporag_like.indexing.vectors import BLOCK, Arrays, Embed, passage_vectors, patched
from hipporag_like.indexing.words import sums_of, word_codes

Reals = NDArray[np.float32]
Wholes = NDArray[np.int64]
NAMES = ("fact_signs", "fact_steps")
NO_BAGS = np.zeros(1, np.int64), np.zeros(0, np.int32)


def light_vectors(corpus: Corpus, segment: Segment | None, origin: Origin, embed: Embed) -> Arrays:
    """Yield the vectors of passages and the codes of facts; what stays is taken over.

    Parameters
    ----------
    corpus
        With the words of each fact that was read now.
    segment, origin
        The segment before, light too, and which of its rows make up this one.
    embed
        Texts to unit rows.
    """
    facts = _Facts(corpus, segment, origin.facts.source, embed)
    yield from passage_vectors(corpus, segment, origin.passages, embed, facts.code)
    yield from facts.arrays()


class _Facts:
    """Codes of facts: those of facts that stay are taken over, the others made with the vectors of their passages.

    Words are only looked at of facts that are new: one whose passage was merely read again says what it said.
    """

    def __init__(self, corpus: Corpus, segment: Segment | None, source: Wholes, embed: Embed) -> None:
        reading, n_old = corpus.reading, 0 if segment is None else segment.n_facts
        self._segment, self._source = (segment if n_old else None), source
        fresh = source >= n_old
        self._fresh = np.flatnonzero(fresh)
        self._codes = room_for_codes(len(self._fresh), embed([]).shape[1])
        self._starts, self._row = reading.facts, np.where(fresh, np.cumsum(fresh) - 1, -1)
        bags, bag = Rows2(source[fresh] - n_old).ragged((reading.bags, reading.bag), NO_BAGS)
        used, places = np.unique(bag, return_inverse=True)
        self._words = word_codes(table(corpus.terms).take(used), embed, embed([]).shape[1])
        self._bags = bags, places.astype(np.int32)

    def arrays(self) -> Arrays:
        """Yield the codes of all facts, when those of new ones are made."""
        made: tuple[NDArray[Any], ...] = self._codes
        for name, codes in zip(NAMES, made, strict=True):
            if self._segment is None:
                yield name, codes
            else:
                yield name, patched(self._segment.array(name), self._source, self._fresh, codes)

    def code(self, passages: Wholes, vectors: Reals) -> None:
        """Write the codes of the facts of some passages, where these were read now."""
        lengths = self._starts[passages + 1] - self._starts[passages]
        ends = np.cumsum(lengths)
        offsets = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - lengths, lengths)
        facts = np.repeat(self._starts[passages], lengths) + offsets
        owner = np.repeat(np.arange(len(passages)), lengths)
        rows = self._row[facts]
        rows, owner = rows[rows >= 0], owner[rows >= 0]
        turned = rotated(vectors)
        for at in range(0, len(rows), BLOCK):
            part = slice(at, at + BLOCK)
            sums = np.zeros((len(rows[part]), turned.shape[1]), np.float32)
            sums_of(self._words, self._bags, rows[part], turned, owner[part], sums)
            encode(sums, rows[part], *self._codes)
