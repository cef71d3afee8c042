"""Known names and terms found again in the tokens of a corpus, longest first."""

from __future__ import annotations

from hipporag_like.indexing.context import Context
from hipporag_like.indexing.names import Spans
from hipporag_like.indexing.vocabulary import Tokens


class Gazetteer:
    """Finds what a context seeks.

    Parameters
    ----------
    context
        Of the corpus that the tokens are from.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def find(self, tokens: Tokens) -> Spans:
        """Return all matches, longest first at each place and apart from each other within a passage.

        Raises
        ------
        ValueError
            The tokens are of texts that were not counted.
        """
        from hipporag_like.indexing.kernels import find_grams, gram_table

        if self._context.words.rows_of(tokens.words).min(initial=0) < 0:
            raise ValueError("the tokens are of texts that were not counted")
        grams = self._context.grams(tokens.words)
        slots, longest, lengths = gram_table(grams.starts, grams.words, max(len(tokens.words), 1))
        first, last, found = find_grams(
            tokens.ids,
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
