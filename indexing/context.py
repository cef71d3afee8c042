"""What the whole corpus says about a word or a name: all that reading a single passage has to know of the others.

Two corpora with the same context read a passage alike; where contexts differ, ``indexing.affected`` finds the passages
that may read differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing import census as columns
from hipporag_like.indexing.census import Census
from hipporag_like.indexing.numbers import Strings
from hipporag_like.indexing.ragged import fixed, starts_of
from hipporag_like.store.tables import pack_strings
from hipporag_like.text import STOPWORDS, has_case, is_unspaced

Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]

# Below this share of passages with a capital letter the corpus counts as written without capitals.
CASED_SHARE = 0.2
# A name repeated in this many passages is one; once may be the rules' mistake.
REPEATED = 2
# The first word of a sentence is cut off a name where the corpus writes it this many times more often in small letters.
SMALL_RATIO = 20
# A first name stands for a longer name only where it is not one of the corpus's common words: "American" is no short
# form of "American Idol". Share of passages, five always allowed.
MAX_FIRST_NAME_SHARE = 0.005
# In a corpus without capitals a one-word name is looked for only where the word is rare: in at most this share of the
# passages, five always allowed. The title "Up" would otherwise be found everywhere.
MAX_SHARE_UNCASED = 0.01


@dataclass(frozen=True, slots=True)
class Grams:
    """What is found again everywhere: runs of words.

    Attributes
    ----------
    starts, words
        int64 (n + 1,) and int32: the words of each, as places among the words asked for.
    key
        int32, (n,): its key.
    any_case
        bool, (n,): whether a single word needs no capital.
    """

    starts: Counts
    words: NDArray[np.int32]
    key: NDArray[np.int32]
    any_case: Flags


class Context:
    """What follows from the counts of a corpus.

    Parameters
    ----------
    census
        The counts; keys that turn up later are numbered after its own.
    terms
        Keys of mined terms.
    gazetteer
        Whether known names are found again everywhere.
    """

    def __init__(self, census: Census, terms: Sequence[str] = (), gazetteer: bool = True) -> None:
        self.keys = census.keys.names
        self.words = census.words.names
        self.terms = [self.keys[key] for key in terms]
        self._gazetteer = gazetteer
        self.n_passages = census.passages
        self.n_sentences = census.sentences
        self.n_triples = census.triples
        self.cased = census.cased >= CASED_SHARE * census.passages
        self._words = census.words.counts.copy()  # the census may go on counting
        self._keys = census.keys.counts.copy()
        self._common = self._common_keys()

    def _common_keys(self) -> Flags:
        """Return which keys are single words that the corpus writes mostly in small letters, so no names."""
        common = np.zeros(len(self.keys), dtype=bool)
        if self.cased:
            texts, rows = self.keys.shared(self.words, self.common_words)
            common[rows[[has_case(text) for text in texts]]] = True
        return common

    def is_common(self, key: str) -> bool:
        """Return whether a key is a word of the language rather than a name."""
        row = self.keys.get(key, -1)
        if 0 <= row < len(self._common):
            return bool(self._common[row])
        return self.cased and self._is_common_word(key)

    def _is_common_word(self, key: str) -> bool:
        row = self.words.get(key, -1)
        return row >= 0 and bool(self.common_words[row]) and has_case(key)

    def _counted(self, all_kinds: int, as_term: int) -> Counts:
        return np.where(self._common, self._keys[:, as_term], self._keys[:, all_kinds])

    @cached_property
    def key_passages(self) -> Counts:
        """In how many passages the extractor found each key."""
        return self._counted(columns.PASSAGES, columns.TERM_PASSAGES)

    @cached_property
    def titled(self) -> Flags:
        """Which keys are titles."""
        return self._keys[:, columns.TITLES] > 0

    def are_titles(self, keys: NDArray[np.integer]) -> Flags:
        """Return which of some keys are titles."""
        counted = keys < len(self.titled)
        found = np.zeros(len(keys), dtype=bool)
        found[counted] = self.titled[keys[counted]]
        return found

    @cached_property
    def repeated(self) -> Flags:
        """Which keys are found in more than one passage."""
        return self.key_passages >= REPEATED

    @cached_property
    def known(self) -> Flags:
        """Which keys are titles or stand in the middle of a sentence somewhere."""
        return self.titled | (self._counted(columns.INNER, columns.TERM_INNER) > 0)

    @cached_property
    def named(self) -> Flags:
        """Which keys the end of a triple may be."""
        member = (self.key_passages > 0) | self.titled | (self._keys[:, columns.ENDS] > 0)
        member[[key for key in self.terms if key < len(member)]] = True
        return member

    @property
    def n_names(self) -> int:
        """Places of names, dates and terms left out."""
        return int(self._keys[~self._common, columns.NAMES].sum())

    def times_small(self, word: str) -> int:
        """Return how often the corpus writes a word in small letters; 0 where that is not nearly always."""
        row = self.words.get(word, -1)
        return int(self.small_counts[row]) if row >= 0 else 0

    @cached_property
    def small_counts(self) -> Counts:
        """How often each word stands in small letters; 0 where that is not nearly always."""
        small, capital = self._words[:, columns.SMALL], self._words[:, columns.CAPITAL]
        return np.where(small >= np.maximum(2, SMALL_RATIO * capital), small, 0)

    @cached_property
    def common_words(self) -> Flags:
        """Which words stand in small letters more often than with a capital."""
        return self._words[:, columns.SMALL] > self._words[:, columns.CAPITAL]

    @cached_property
    def rare_words(self) -> Flags:
        """Which words are in few passages."""
        most = max(5.0, MAX_FIRST_NAME_SHARE * self.n_passages)
        return self._words[:, columns.WORD_PASSAGES] <= most

    def is_rare(self, word: str) -> bool:
        """Return whether a word is in few passages."""
        row = self.words.get(word, -1)
        return row < 0 or bool(self.rare_words[row])

    @cached_property
    def kinds(self) -> NDArray[np.int8]:
        """What of the keys is found again everywhere: 0 for nothing, 1 for a name, 2 for a mined term."""
        kinds = (self.titled | self.repeated).astype(np.int8)
        if not self._gazetteer:
            kinds[:] = 0
        kinds[[key for key in self.terms if key < len(kinds)]] = 2
        return kinds

    @cached_property
    def frequent_words(self) -> Flags:
        """Which words are in so many passages that as names they need a capital in any corpus."""
        most = max(5.0, MAX_SHARE_UNCASED * self.n_passages)
        return self._words[:, columns.WORD_PASSAGES] > most

    def need_capital(self, words: Sequence[str]) -> Flags:
        """Return which words are found as names only where they are written with a capital."""
        frequent, rows = self.frequent_words, self.words.rows_of(words)
        counted = (rows >= 0) & (rows < len(frequent))
        need = np.array([(self.cased and has_case(word)) or is_unspaced(word) for word in words], dtype=bool)
        need[counted] |= frequent[rows[counted]]
        return need

    @cached_property
    def _parts(self) -> list[Strings]:
        return self.keys.parts(len(self.kinds))

    def grams(self, words: Sequence[str]) -> Grams:
        """Return what is found again everywhere, as far as some words are enough for it.

        Parameters
        ----------
        words
            Each once. A million passages have over a million names; those that a few thousand passages can hold
            are told in a tenth of a second.
        """
        from hipporag_like.indexing.text_kernels import grams_within, word_slots

        data, starts = pack_strings(words)
        slots = word_slots(starts, data)
        empty = np.array([word in STOPWORDS for word in words], dtype=bool)
        free = ~self.need_capital(words)
        parts, first = [], 0
        for text_starts, texts in self._parts:
            n = len(text_starts) - 1
            kinds = self.kinds[first : first + n]
            table = fixed(text_starts), fixed(texts)
            found = grams_within(*table, kinds, starts, data, slots, empty, free)
            parts.append((np.diff(found[0]), found[1], found[2] + first, found[3]))
            first += n
        lengths, flat, key, any_case = (np.concatenate(column) for column in zip(*parts, strict=True))
        return Grams(starts_of(lengths), flat, key.astype(np.int32), any_case)
