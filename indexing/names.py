"""Names of a corpus: what the extractor found and titles, canonicalised, numbered, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.vocabulary import Numbers, Tokens
from hipporag_like.text import STOPWORDS, entity_key, has_case, is_unspaced, squeeze
from hipporag_like.types import Extraction, Passage

MAX_KEY_TOKENS = 12


@dataclass(frozen=True, slots=True)
class Spans:
    """Places of entities; aligned arrays.

    Attributes
    ----------
    passage, start, end
        int32: character span in the text of a passage.
    key
        int32: number of the entity's key.
    """

    passage: NDArray[np.int32]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    key: NDArray[np.int32]

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Spans:
        """Return the chosen rows."""
        return Spans(self.passage[rows], self.start[rows], self.end[rows], self.key[rows])


def join_spans(parts: Sequence[Spans]) -> Spans:
    """Return the rows of all parts, one after the other."""
    return Spans(
        np.concatenate([p.passage for p in parts]),
        np.concatenate([p.start for p in parts]),
        np.concatenate([p.end for p in parts]),
        np.concatenate([p.key for p in parts]),
    )


def spans_of(rows: Sequence[tuple[int, int, int, int]]) -> Spans:
    """Return (passage, start, end, key) rows as arrays."""
    table = np.array(rows, dtype=np.int32).reshape(-1, 4)
    return Spans(*(np.ascontiguousarray(table[:, column]) for column in range(4)))


class Names:
    """Keys of a namespace, numbered in order of appearance, with their spellings.

    Parameters
    ----------
    tokens
        The corpus; a single word that it writes mostly in small letters is no name: it was capitalised
        because a sentence started there.
    cased
        Whether the corpus is written with capitals.

    Attributes
    ----------
    keys
        Key to number.
    named
        Numbers of keys that an extractor or a title calls a name.
    """

    def __init__(self, tokens: Tokens, cased: bool) -> None:
        self._tokens = tokens
        self._cased = cased
        self._word = {word: number for number, word in enumerate(tokens.words)}
        self._spelled: Counter[str] = Counter()
        self._passages: Counter[int] = Counter()
        self._name_of: dict[str, int] = {}
        self._term_of: dict[str, int] = {}
        self.keys = Numbers()
        self.named: set[int] = set()

    def read(self, passages: Sequence[Passage], extractions: Sequence[Extraction]) -> Spans:
        """Return the places of the extractor's mentions that are names, and count them."""
        rows: list[tuple[int, int, int, int]] = []
        for number, (passage, extraction) in enumerate(zip(passages, extractions, strict=True)):
            text, at = passage.text, len(rows)
            for mention in extraction.mentions:
                surface = text[mention.start : mention.end]
                key = self._term(surface) if mention.kind == "term" else self._name(surface)
                if key >= 0:
                    rows.append((number, mention.start, mention.end, key))
            seen = {row[3] for row in rows[at:]}
            seen.update(key for key in map(self._name, extraction.names) if key >= 0)
            self._passages.update(seen)
        return spans_of(rows)

    def add(self, surface: str) -> int:
        """Return the number of a name known otherwise (a title, the end of a triple); -1 for no word."""
        key = entity_key(surface)
        if not key:
            return -1
        self._spelled[surface] += 1
        number = self.keys[key]
        self.named.add(number)
        return number

    def passages(self) -> NDArray[np.int64]:
        """Return in how many passages the extractor found each key; (n_keys,)."""
        counts = np.zeros(len(self.keys), dtype=np.int64)
        counts[list(self._passages)] = list(self._passages.values())
        return counts

    def displays(self) -> dict[str, str]:
        """Return the most frequent spelling of each key; among equals the alphabetically first."""
        spellings: dict[str, Counter[str]] = {}
        for surface, count in self._spelled.items():
            spellings.setdefault(entity_key(surface), Counter())[squeeze(surface)] += count
        return {key: min(forms, key=lambda f: (-forms[f], f)) for key, forms in spellings.items()}

    def _name(self, surface: str) -> int:
        number = self._name_of.get(surface)
        if number is None:
            number = self._name_of[surface] = self._number(surface, self._common(surface))
            if number >= 0:
                self.named.add(number)
        if number >= 0:
            self._spelled[surface] += 1
        return number

    def _term(self, surface: str) -> int:
        number = self._term_of.get(surface)
        if number is None:
            number = self._term_of[surface] = self._number(surface, False)
        if number >= 0:
            self._spelled[surface] += 1
        return number

    def _number(self, surface: str, common: bool) -> int:
        key = entity_key(surface)
        words = key.split(" ")
        alone = len(words) == 1
        if not key or len(words) > MAX_KEY_TOKENS or (alone and (common or key in STOPWORDS)):
            return -1
        return -1 if len(key) == 1 and not is_unspaced(key) else self.keys[key]

    def _common(self, surface: str) -> bool:
        """Return whether the corpus writes a word mostly in small letters."""
        number = self._word.get(entity_key(surface))
        if number is None or not (self._cased and has_case(surface)):
            return False
        return bool(self._tokens.small_count[number] > self._tokens.capital_count[number])
