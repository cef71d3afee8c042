"""The first pass: what is counted over the whole corpus before a single passage can be judged.

Counts add up, so that those of new passages are added and those of passages that are gone taken off again. What
follows from them, ``indexing.context`` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.surfaces import Surfaces, title_forms
from hipporag_like.indexing.vocabulary import Numbers, read_tokens, word_passages
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
        rows = [self.names[name] for name in names]
        self.counts[rows] += sign * counts


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
    begins = {begin for begin, _ in extraction.sentences}
    seen: set[str] = set()
    terms: set[str] = set()
    text = passage.text
    for mention in extraction.mentions:
        surface = text[mention.start : mention.end]
        if mention.kind == "term":
            key = surfaces.term(surface)
            if key:
                row = rows.get(key) or rows.setdefault(key, [0] * 7)
                row[INNER] += 1
                row[TERM_INNER] += 1
                seen.add(key)
                terms.add(key)
            continue
        key = surfaces.name(surface)
        if not key:
            continue
        row = rows.get(key) or rows.setdefault(key, [0] * 7)
        name = mention.kind == "name"
        row[NAMES] += name
        row[INNER] += not (name and mention.start in begins and " " in surface)
        seen.add(key)
    seen.update(key for key in map(surfaces.name, extraction.names) if key)
    for key in seen:
        rows.setdefault(key, [0] * 7)[PASSAGES] += 1
    for key in terms:
        rows[key][TERM_PASSAGES] += 1
    for form in title_forms(passage.title):
        key = surfaces.key(form)
        if key:
            rows.setdefault(key, [0] * 7)[TITLES] += 1
    if extraction.triples and not (extraction.mentions or extraction.names):
        ends = {surfaces.key(end) for t in extraction.triples for end in (t.subject, t.object)}
        for key in ends - {""}:
            rows.setdefault(key, [0] * 7)[ENDS] += 1
