"""Vectors of a segment of preset light: passages, and codes of facts as sums of words; see ``indexing.words``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.corpus import Corpus, Origin
from hipporag_like.indexing.fact_codes import encode, room_for_codes
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.packed import table
from hipporag_like.indexing.quantise import rotated
from hipporag_like.indexing.vectors import BLOCK, Arrays, Embed, passage_vectors
from hipporag_like.indexing.words import sums_of, word_codes

Reals = NDArray[np.float32]
Wholes = NDArray[np.int64]


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
    yield from zip(("fact_signs", "fact_steps"), facts.codes, strict=True)


class _Facts:
    """Codes of facts: those of facts that stay are taken over, the others made with the vectors of their passages.

    A passage that was read now has no fact of before, and the other way round.
    """

    def __init__(self, corpus: Corpus, segment: Segment | None, source: Wholes, embed: Embed) -> None:
        reading, n_old = corpus.reading, 0 if segment is None else segment.n_facts
        self.codes = room_for_codes(len(source), embed([]).shape[1])
        self._starts, self._bag_of = reading.facts, source - n_old
        kept = np.flatnonzero(source < n_old)
        if segment is not None:
            signs, steps = self.codes
            signs[kept] = segment.array("fact_signs")[source[kept]]
            steps[kept] = segment.array("fact_steps")[source[kept]]
        used, places = np.unique(reading.bag, return_inverse=True)
        self._words = word_codes(table(corpus.terms).take(used), embed, embed([]).shape[1])
        self._bags = reading.bags, places.astype(np.int32)

    def code(self, passages: Wholes, vectors: Reals) -> None:
        """Write the codes of the facts of some passages, where these were read now."""
        lengths = self._starts[passages + 1] - self._starts[passages]
        ends = np.cumsum(lengths)
        offsets = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - lengths, lengths)
        facts = np.repeat(self._starts[passages], lengths) + offsets
        owner = np.repeat(np.arange(len(passages)), lengths)
        read = self._bag_of[facts] >= 0
        facts, owner = facts[read], owner[read]
        turned = rotated(vectors)
        for at in range(0, len(facts), BLOCK):
            part = slice(at, at + BLOCK)
            sums = np.zeros((len(facts[part]), turned.shape[1]), np.float32)
            sums_of(self._words, self._bags, self._bag_of[facts[part]], turned, owner[part], sums)
            encode(sums, facts[part], *self.codes)
