"""Known names and terms found again in token sequences, longest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hipporag_like.indexing.terms import TokenStream
from hipporag_like.text import STOPWORDS, has_case, is_unspaced

# In a corpus without capitals a one-word name is looked for only where the word is rare: in at most this
# share of the passages, five always allowed. The title "Up" would otherwise be found everywhere.
MAX_SHARE_UNCASED = 0.01


class Gazetteer:
    """A set of keys over a vocabulary of word numbers.

    Parameters
    ----------
    vocabulary
        Word to number.
    stream
        The corpus; its passage counts decide which one-word names are safe without capitals.
    n_passages
        Number of passages.
    cased
        Whether the corpus is written with capitals.
    """

    def __init__(
        self, vocabulary: Mapping[str, int], stream: TokenStream, n_passages: int, cased: bool
    ) -> None:
        self._vocabulary = vocabulary
        self._keys: dict[tuple[int, ...], str] = {}
        self._any_case: set[tuple[int, ...]] = set()
        self._lengths: dict[int, list[int]] = {}
        self._cased = cased
        pairs = np.unique(np.stack([stream.ids, stream.passage], axis=1), axis=0) if len(stream.ids) else None
        counts = np.bincount(pairs[:, 0], minlength=len(vocabulary)) if pairs is not None else np.zeros(0)
        self._passages = counts
        self._most = max(5.0, MAX_SHARE_UNCASED * n_passages)

    def add_name(self, key: str) -> None:
        """Add a name; one-word names match only where capitalised, in corpora and scripts that do so."""
        gram = self._gram(key)
        if gram is None or all(word in STOPWORDS for word in key.split(" ")):
            return
        self._insert(gram, key)
        if len(gram) == 1 and not (self._cased and has_case(key)) and not is_unspaced(key):
            if self._passages[gram[0]] <= self._most:
                self._any_case.add(gram)

    def add_term(self, key: str) -> None:
        """Add a mined term; it matches in any case."""
        gram = self._gram(key)
        if gram is not None:
            self._insert(gram, key)
            self._any_case.add(gram)

    def find(
        self, ids: Sequence[int], capital: Sequence[bool], sentence: Sequence[int]
    ) -> list[tuple[str, int, int]]:
        """Return (key, first token, last token) of the matches, longest first at each place.

        Parameters
        ----------
        ids, capital, sentence
            Aligned, one entry a token: word number, whether capitalised, number of the sentence. A match
            never crosses sentences.
        """
        found = []
        at, n = 0, len(ids)
        lengths, keys = self._lengths, self._keys
        while at < n:
            for length in lengths.get(ids[at], ()):
                if at + length > n:
                    continue
                gram = tuple(ids[at : at + length])
                key = keys.get(gram)
                if key is None or sentence[at] != sentence[at + length - 1]:
                    continue
                if length == 1 and not capital[at] and gram not in self._any_case:
                    continue
                found.append((key, at, at + length - 1))
                at += length - 1
                break
            at += 1
        return found

    def _gram(self, key: str) -> tuple[int, ...] | None:
        numbers = [self._vocabulary.get(word) for word in key.split(" ")]
        return None if None in numbers else tuple(n for n in numbers if n is not None)

    def _insert(self, gram: tuple[int, ...], key: str) -> None:
        self._keys[gram] = key
        lengths = self._lengths.setdefault(gram[0], [])
        if len(gram) not in lengths:
            lengths.append(len(gram))
            lengths.sort(reverse=True)
