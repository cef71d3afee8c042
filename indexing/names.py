"""Names of a corpus: what the extractor found and titles, canonicalised, numbered, counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.vocabulary import Numbers, Tokens, word_passages
from hipporag_like.text import STOPWORDS, entity_key, has_case, is_unspaced, squeeze
from hipporag_like.types import Extraction, Passage

MAX_KEY_TOKENS = 12
# A name repeated in this many passages is one; once may be the rules' mistake.
REPEATED = 2


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


# "I've" and "Don't", capitalised because a sentence starts there; in talk they are the most frequent names otherwise.
CONTRACTION = re.compile(
    r"(?:\w+n['\u2019]t|(?:i|you|he|she|it|we|they|there|here|this|that|what|who|where|when|how|why|let)"
    r"['\u2019](?:m|re|ve|ll|d|s))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """What the extractor found.

    Attributes
    ----------
    spans
        Places of names.
    compound
        int64: rows that hold two or more other names: "X and Y", which may be one thing or two.
    n_names
        Number of rows that are names, neither dates nor terms.
    openings
        Rows of several words that open a sentence, with their text: the first may be no part of the name.
    """

    spans: Spans
    compound: NDArray[np.int64]
    n_names: int
    openings: list[tuple[int, str]]


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
    words
        Number of each word of the corpus.
    word_passages
        int64, (n_words,): in how many passages each occurs.
    named
        Numbers of keys that an extractor or a title calls a name.
    """

    def __init__(self, tokens: Tokens, cased: bool) -> None:
        self._tokens = tokens
        self.word_passages = word_passages(tokens)
        self._cased = cased
        self.words = {word: number for number, word in enumerate(tokens.words)}
        self._spelled: Counter[str] = Counter()
        self._passages: Counter[int] = Counter()
        self._added: dict[str, int] = {}
        self._name_of: dict[str, int] = {}
        self._term_of: dict[str, int] = {}
        self.keys = Numbers()
        self.named: set[int] = set()

    def read(self, passages: Sequence[Passage], extractions: Sequence[Extraction]) -> Found:
        """Return the places of the extractor's mentions that are names, and count them."""
        rows: list[tuple[int, int, int, int]] = []
        compound: list[int] = []
        n_names = 0
        openings: list[tuple[int, str]] = []
        for number, (passage, extraction) in enumerate(zip(passages, extractions, strict=True)):
            text, at = passage.text, len(rows)
            begins = {begin for begin, _ in extraction.sentences}
            previous, limit, inside = -1, -1, 0
            for mention in extraction.mentions:
                start, end = mention.start, mention.end
                surface = text[start:end]
                key = self._term(surface) if mention.kind == "term" else self.name(surface)
                if key < 0:
                    continue
                if end <= limit:
                    inside += 1
                    if inside == 2:
                        compound.append(previous)
                else:
                    previous, limit, inside = len(rows), end, 0
                if start in begins and " " in surface and mention.kind == "name":
                    openings.append((len(rows), surface))
                n_names += mention.kind == "name"
                rows.append((number, start, end, key))
            seen = {row[3] for row in rows[at:]}
            seen.update(key for key in map(self.name, extraction.names) if key >= 0)
            self._passages.update(seen)
        return Found(spans_of(rows), np.array(compound, dtype=np.int64), n_names, openings)

    def add(self, surface: str) -> int:
        """Return the number of a name known otherwise (a title, the end of a triple); -1 for no word."""
        number = self._added.get(surface)
        if number is None:
            key = entity_key(surface)
            number = self._added[surface] = self.keys[key] if key else -1
            if key:
                self.named.add(number)
        if number >= 0:
            self._spelled[surface] += 1
        return number

    def number(self, surface: str) -> int:
        """Return the number of a name that is known already, -1 where it is not."""
        return int(self.keys.get(entity_key(surface), -1))

    def passages(self) -> NDArray[np.int64]:
        """Return in how many passages the extractor found each key; (n_keys,)."""
        counts = np.zeros(len(self.keys), dtype=np.int64)
        counts[list(self._passages)] = list(self._passages.values())
        return counts

    def displays(self, keys: Iterable[int]) -> list[str]:
        """Return the most frequent spelling of each key; among equals the alphabetically first.

        Empty for a key that was only mined: nothing says how it is spelled.
        """
        forms: dict[int, dict[str, None]] = {}
        for known in (self._added, self._term_of, self._name_of):
            for surface, key in known.items():
                forms.setdefault(key, {})[surface] = None
        return [self._most_frequent(forms.get(key, ())) for key in keys]

    def _most_frequent(self, surfaces: Iterable[str]) -> str:
        counts: dict[str, int] = {}
        for surface in surfaces:
            form = squeeze(surface)
            counts[form] = counts.get(form, 0) + self._spelled[surface]
        return min(counts, key=lambda form: (-counts[form], form)) if counts else ""

    def name(self, surface: str) -> int:
        """Return the number of a name the extractor found, counting its spelling; -1 where it is none."""
        number = self._name_of.get(surface)
        if number is None:
            key = entity_key(surface)
            none = self._common(key, surface) or CONTRACTION.fullmatch(surface) is not None
            number = self._name_of[surface] = -1 if none else self._number(key)
            if number >= 0:
                self.named.add(number)
        if number >= 0:
            self._spelled[surface] += 1
        return number

    def _term(self, surface: str) -> int:
        number = self._term_of.get(surface)
        if number is None:
            number = self._term_of[surface] = self._number(entity_key(surface))
        if number >= 0:
            self._spelled[surface] += 1
        return number

    def _number(self, key: str) -> int:
        if not key or key in STOPWORDS or key.count(" ") >= MAX_KEY_TOKENS:
            return -1
        return -1 if len(key) == 1 and not is_unspaced(key) else self.keys[key]

    def _common(self, key: str, surface: str) -> bool:
        """Return whether the corpus writes a word mostly in small letters."""
        number = self.words.get(key)
        if number is None or not (self._cased and has_case(surface)):
            return False
        return bool(self._tokens.small_count[number] > self._tokens.capital_count[number])
