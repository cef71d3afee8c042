"""Known names and terms found again in the tokens of a corpus, longest first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.context import Context
from hipporag_like.indexing.names import Spans
from hipporag_like.indexing.vocabulary import Tokens


class Gazetteer:
    """What a context seeks, ready to be found.

    Parameters
    ----------
    context
        Of the corpus that the tokens are from.
    """

    def __init__(self, context: Context) -> None:
        from hipporag_like.indexing.kernels import gram_table

        self._words = context.words
        self._grams = context.grams
        self._table = gram_table(self._grams.starts, self._grams.words, max(len(context.words), 1))

    def find(self, tokens: Tokens) -> Spans:
        """Return all matches, longest first at each place and apart from each other within a passage."""
        from hipporag_like.indexing.kernels import find_grams

        words = np.array([self._words.get(word, -1) for word in tokens.words], dtype=np.int32)
        if words.min(initial=0) < 0:
            raise ValueError("the tokens are of texts that were not counted")
        ids: NDArray[np.int32] = words[tokens.ids] if len(words) else tokens.ids
        grams, (slots, longest, lengths) = self._grams, self._table
        first, last, found = find_grams(
            ids,
            tokens.sentence,
            tokens.capital,
            grams.starts,
            grams.words,
            slots,
            longest,
            lengths,
            grams.any_case,
        )
        return Spans(tokens.passage[first], tokens.start[first], tokens.end[last], grams.key[found])
