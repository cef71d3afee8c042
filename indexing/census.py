"""The first pass: what is counted over the whole corpus before a single passage can be judged.

Counts add up, so that those of new passages are added and those of passages that are gone taken off again. What
follows from them, ``indexing.context`` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.numbers import Numbers, Strings, TableNumbers, places
from hipporag_like.indexing.ragged import Rows2
from hipporag_like.indexing.surfaces import Surfaces, title_forms
from hipporag_like.indexing.vocabulary import read_tokens, word_passages
from hipporag_like.store.tables import pack_strings
from hipporag_like.types import Extraction, Passage

Counts = NDArray[np.int64]

# Columns of the words' counts.
CAPITAL, SMALL, WORD_PASSAGES = range(3)
# Columns of the keys' counts. Those of terms by themselves, because a single word that the corpus writes in small
# letters is a term and no name.
(
    PASSAGES,  # passages where an extractor found the key
    TERM_PASSAGES,  # passages where it found it as a term
    INNER,  # places that do not open a sentence
    TERM_INNER,  # places as a term
    NAMES,  # places as a name, neither a date nor a term
    TITLES,  # passages whose title it is
    ENDS,  # passages where nothing but a triple holds it
) = range(7)


class Tally:
    """Counts by text.

    Attributes
    ----------
    names
        Text to row.
    counts
        int64, (n, n_columns).
    """

    def __init__(self, n_columns: int) -> None:
        self.names = Numbers()
        self._counts = np.zeros((1024, n_columns), dtype=np.int64)
        self._table: Strings = np.zeros(1, np.int64), np.zeros(0, np.uint8)

    @classmethod
    def of_table(cls, texts: Strings, counts: NDArray[np.integer]) -> Tally:
        """Return counts of texts that are sorted; the texts are not read before they are asked for."""
        tally = cls(counts.shape[1])
        tally.names = TableNumbers(*texts)
        tally._table, tally._counts = texts, counts.astype(np.int64)
        return tally

    @property
    def counts(self) -> Counts:
        """One row a text."""
        if len(self._counts) < len(self.names):
            grown = np.zeros((2 * len(self.names), self._counts.shape[1]), dtype=np.int64)
            grown[: len(self._counts)] = self._counts
            self._counts = grown
        return self._counts[: len(self.names)]

    def add(self, names: Iterable[str], counts: Counts, sign: int = 1) -> None:
        """Add counts, each text at most once, or take them off."""
        listed = list(names)
        self.names.rows_of(listed)  # all at once, where they are in a table
        rows = [self.names[name] for name in listed]
        self.counts[rows] += sign * counts

    def table(self) -> tuple[Strings, Counts]:
        """Return what is counted anywhere: texts, sorted, and their counts."""
        held, counts = len(self._table[0]) - 1, self.counts
        counted = np.asarray(counts.any(axis=1))
        more = self.names.texts[held:]
        new = sorted((np.flatnonzero(counted[held:])).tolist(), key=more.__getitem__)
        texts = [more[row] for row in new]
        data, starts = pack_strings(texts)
        order = np.insert(np.arange(held), places(self._table, texts)[0], held + np.arange(len(new)))
        order = order[np.concatenate([counted[:held], np.ones(len(new), dtype=bool)])[order]]
        rows = np.concatenate([np.arange(held), held + np.array(new, dtype=np.int64)])[order]
        return Rows2(order).ragged(self._table, (starts, data)), counts[rows]


@dataclass(slots=True)
class Census:
    """Counts of a corpus.

    Attributes
    ----------
    words
        Occurrences of each folded word with a capital (those that open a sentence left out), in small letters,
        and passages with it.
    keys
        By entity key; see the column numbers above.
    passages, cased, sentences, triples
        Passages, those with a capital letter, sentences (at least one a passage), triples.
    """

    words: Tally = field(default_factory=lambda: Tally(3))
    keys: Tally = field(default_factory=lambda: Tally(7))
    passages: int = 0
    cased: int = 0
    sentences: int = 0
    triples: int = 0

    def add(self, other: Census, sign: int = 1) -> None:
        """Add the counts of another corpus, or take them off."""
        self.words.add(other.words.names, other.words.counts, sign)
        self.keys.add(other.keys.names, other.keys.counts, sign)
        self.passages += sign * other.passages
        self.cased += sign * other.cased
        self.sentences += sign * other.sentences
        self.triples += sign * other.triples


def count(passages: Sequence[Passage], extractions: Sequence[Extraction], surfaces: Surfaces) -> Census:
    """Return the counts of some passages.

    Parameters
    ----------
    passages, extractions
        Aligned.
    surfaces
        Remembers how what is written becomes a key.
    """
    tokens = read_tokens(passages, extractions)
    census = Census(
        passages=len(passages),
        cased=sum(p.text != p.text.lower() for p in passages),
        sentences=int(tokens.passage_sentences[-1]),
        triples=sum(len(e.triples) for e in extractions),
    )
    columns = (tokens.capital_count, tokens.small_count, word_passages(tokens))
    census.words.add(tokens.words, np.stack(columns, axis=1).astype(np.int64))
    rows: dict[str, list[int]] = {}
    for passage, extraction in zip(passages, extractions, strict=True):
        _count_names(passage, extraction, surfaces, rows)
    census.keys.add(rows, np.array(list(rows.values()), dtype=np.int64).reshape(-1, 7))
    return census


def _count_names(
    passage: Passage, extraction: Extraction, surfaces: Surfaces, rows: dict[str, list[int]]
) -> None:
    """Add what one passage holds to the rows of the keys."""
    seen, terms = _count_mentions(passage.text, extraction, surfaces, rows)
    seen.update(key for key in map(surfaces.name, extraction.names) if key)
    titles = (surfaces.key(form) for form in title_forms(passage.title))
    ends: set[str] = set()
    if extraction.triples and not (extraction.mentions or extraction.names):
        ends = {surfaces.key(end) for t in extraction.triples for end in (t.subject, t.object)}
    for column, keys in ((PASSAGES, seen), (TERM_PASSAGES, terms), (TITLES, titles), (ENDS, ends)):
        for key in keys:
            if key:
                rows.setdefault(key, [0] * 7)[column] += 1


def _count_mentions(
    text: str, extraction: Extraction, surfaces: Surfaces, rows: dict[str, list[int]]
) -> tuple[set[str], set[str]]:
    """Count places by key; return the keys of all mentions, and those of terms."""
    begins = {begin for begin, _ in extraction.sentences}
    seen: set[str] = set()
    terms: set[str] = set()
    for mention in extraction.mentions:
        surface = text[mention.start : mention.end]
        term, name = mention.kind == "term", mention.kind == "name"
        key = surfaces.term(surface) if term else surfaces.name(surface)
        if not key:
            continue
        row = rows.get(key) or rows.setdefault(key, [0] * 7)
        row[NAMES] += name
        row[INNER] += not (name and mention.start in begins and " " in surface)
        seen.add(key)
        if term:
            row[TERM_INNER] += 1
            terms.add(key)
    return seen, terms
