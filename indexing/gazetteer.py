"""Known names and terms found again in the tokens of a corpus, longest first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.names import Names, Spans
from hipporag_like.indexing.vocabulary import BATCH, Tokens
from hipporag_like.text import STOPWORDS, has_case, is_unspaced

# In a corpus without capitals a one-word name is looked for only where the word is rare: in at most this
# share of the passages, five always allowed. The title "Up" would otherwise be found everywhere.
MAX_SHARE_UNCASED = 0.01


class Gazetteer:
    """A set of keys to be found in a corpus.

    Parameters
    ----------
    tokens, names
        The corpus and its words; passage counts decide which one-word names are safe without capitals.
    cased
        Whether the corpus is written with capitals.
    """

    def __init__(self, tokens: Tokens, names: Names, cased: bool) -> None:
        self._tokens = tokens
        self._number = names.words
        self._keys: dict[tuple[int, ...], int] = {}
        self._lengths: dict[int, list[int]] = {}
        self._cased = cased
        n_words = len(tokens.words)
        self._capital_only = np.zeros(n_words, dtype=bool)
        self._any_case = np.zeros(n_words, dtype=bool)
        self._pairs: set[int] = set()
        self._passages = names.word_passages
        self._most = max(5.0, MAX_SHARE_UNCASED * tokens.n_passages)

    def add_name(self, key: str, number: int) -> None:
        """Add a name; one-word names match only where capitalised, in corpora and scripts that do so."""
        gram = self._gram(key)
        if gram is None or all(word in STOPWORDS for word in key.split(" ")):
            return
        self._insert(gram, number)
        if len(gram) > 1:
            return
        if (self._cased and has_case(key)) or is_unspaced(key) or self._passages[gram[0]] > self._most:
            self._capital_only[gram[0]] = True
        else:
            self._any_case[gram[0]] = True

    def add_term(self, key: str, number: int) -> None:
        """Add a mined term; it matches in any case."""
        gram = self._gram(key)
        if gram is not None:
            self._insert(gram, number)
            if len(gram) == 1:
                self._any_case[gram[0]] = True

    def find(self) -> Spans:
        """Return all matches, longest first at each place and apart from each other within a passage."""
        tokens = self._tokens
        first: list[int] = []
        last: list[int] = []
        keys: list[int] = []
        candidates = self._candidates()
        bounds = [*tokens.passage_tokens[::BATCH].tolist(), len(tokens.ids)]
        for lo, hi in zip(bounds, bounds[1:], strict=False):
            part = candidates[np.searchsorted(candidates, lo) : np.searchsorted(candidates, hi)]
            self._find_part(lo, hi, part, first, last, keys)
        begins, ends = np.array(first, dtype=np.int64), np.array(last, dtype=np.int64)
        key = np.array(keys, dtype=np.int32)
        return Spans(tokens.passage[begins], tokens.start[begins], tokens.end[ends], key)

    def _find_part(
        self,
        lo: int,
        hi: int,
        candidates: NDArray[np.int64],
        first: list[int],
        last: list[int],
        found: list[int],
    ) -> None:
        ids = tuple(self._tokens.ids[lo:hi].tolist())
        sentence = self._tokens.sentence[lo:hi].tolist()
        usable = (self._any_case[self._tokens.ids[lo:hi]] | self._tokens.capital[lo:hi]).tolist()
        lengths, keys, free = self._lengths, self._keys, 0
        for at in (candidates - lo).tolist():
            if at < free:
                continue
            for length in lengths[ids[at]]:
                key = keys.get(ids[at : at + length])
                if key is None or at + length > len(ids) or sentence[at] != sentence[at + length - 1]:
                    continue
                if length == 1 and not usable[at]:
                    continue
                first.append(lo + at)
                last.append(lo + at + length - 1)
                found.append(key)
                free = at + length
                break

    def _candidates(self) -> NDArray[np.int64]:
        """Return the tokens where a key may start, by its first two words."""
        tokens, n_words = self._tokens, len(self._tokens.words)
        start = self._any_case[tokens.ids] | (self._capital_only[tokens.ids] & tokens.capital)
        pairs = np.array(sorted(self._pairs), dtype=np.int64)
        if len(pairs):
            codes = tokens.ids[:-1].astype(np.int64) * n_words + tokens.ids[1:]
            at = np.searchsorted(pairs, codes)
            start[:-1] |= pairs[np.minimum(at, len(pairs) - 1)] == codes
        return np.flatnonzero(start)

    def _gram(self, key: str) -> tuple[int, ...] | None:
        numbers = [self._number.get(word) for word in key.split(" ")]
        return None if None in numbers else tuple(n for n in numbers if n is not None)

    def _insert(self, gram: tuple[int, ...], number: int) -> None:
        self._keys[gram] = number
        if len(gram) > 1:
            self._pairs.add(gram[0] * len(self._tokens.words) + gram[1])
        lengths = self._lengths.setdefault(gram[0], [])
        if len(gram) not in lengths:
            lengths.append(len(gram))
            lengths.sort(reverse=True)
