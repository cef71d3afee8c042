"""The second pass: some passages, read with what the whole corpus says, to rows of numbers.

1. names: every mention of the extractor, canonicalised; a single word that the corpus writes mostly in
   small letters is no name (it was capitalised because a sentence started there);
2. gazetteer: titles, repeated names and mined terms are found again everywhere as n-grams, single words
   only where capitalised (unless the script or the corpus has no capitals);
3. facts: the triples of the extractor; where it gave none, the sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.aliases import settle, short_forms
from hipporag_like.indexing.facts import Facts, collect_facts
from hipporag_like.indexing.gazetteer import Gazetteer
from hipporag_like.indexing.names import Names, Spans, join_spans, spans_of
from hipporag_like.indexing.ragged import Starts, starts_of
from hipporag_like.indexing.surfaces import title_forms
from hipporag_like.indexing.vocabulary import Numbers, Tokens, read_tokens
from hipporag_like.text import STOPWORDS, words
from hipporag_like.types import Extraction, Passage

Counts = NDArray[np.uint16]
MOST = np.iinfo(np.uint16).max


@dataclass(frozen=True, slots=True)
class Reading:
    """What some passages hold; keys, forms and terms by the numbers of a :class:`Reader`.

    Attributes
    ----------
    facts
        int64, (n_passages + 1,): where each passage's facts start.
    start, end
        int32, (n_facts,): character span in the passage; both -1 for a triple.
    mentions
        int64, (n_facts + 1,): where each fact's mentions start.
    key, count
        int32 and uint16: the keys in each fact, and how often each stands there.
    titles, title
        int64, (n_passages + 1,), and int32: the keys that each passage's title names; a second one is short for the
        first.
    spelled, form
        int64, (n_passages + 1,), and int32: how names were spelled, see ``Names.spelled``; ascending in a passage.
    terms, term, frequency
        int64, (n_passages + 1,), int32 and uint16: BM25's words of title and text.
    triples
        (subject, relation, object) by fact number.
    """

    facts: Starts
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    mentions: Starts
    key: NDArray[np.int32]
    count: Counts
    titles: Starts
    title: NDArray[np.int32]
    spelled: Starts
    form: NDArray[np.int32]
    terms: Starts
    term: NDArray[np.int32]
    frequency: Counts
    triples: dict[int, tuple[str, str, str]]


class Reader:
    """Reads passages of one corpus, some at a time; what it returns does not depend on how they are divided.

    Parameters
    ----------
    names
        Numbers keys and spellings.
    gazetteer
        Finds what the corpus knows.
    short
        Whether short forms of names are looked for.

    Attributes
    ----------
    terms
        BM25's words to numbers.
    """

    def __init__(self, names: Names, gazetteer: Gazetteer, short: bool) -> None:
        self.names = names
        self.terms = Numbers()
        self._gazetteer = gazetteer
        self._short = short

    def read(self, passages: Sequence[Passage], extractions: Sequence[Extraction]) -> Reading:
        """Return what some passages hold.

        Parameters
        ----------
        passages, extractions
            Aligned; among those that the context was counted on.
        """
        names = self.names
        names.spelled.clear()
        tokens = read_tokens(passages, extractions)
        titles = self._titles(passages)
        spans = join_spans([settle(names.read(passages, extractions), names), self._gazetteer.find(tokens)])
        if self._short:
            spans = join_spans([spans, short_forms(spans, titles, names)])
        facts = collect_facts(passages, extractions, names, spans)
        return self._reading(passages, tokens, titles, facts)

    def _titles(self, passages: Sequence[Passage]) -> Spans:
        rows = []
        for number, passage in enumerate(passages):
            for form in title_forms(passage.title):
                key = self.names.add(form, number)
                if key >= 0:
                    rows.append((number, 0, 0, key))
        return spans_of(rows)

    def _reading(
        self, passages: Sequence[Passage], tokens: Tokens, titles: Spans, facts: Facts
    ) -> Reading:
        n = len(passages)
        spelled = np.array(sorted(self.names.spelled), dtype=np.int64).reshape(-1, 2)
        terms, term, frequency = self._lexical(passages, tokens)
        n_facts = len(facts.passage)
        return Reading(
            facts=_starts(facts.passage, n),
            start=facts.start,
            end=facts.end,
            mentions=_starts(facts.mentions[:, 0], n_facts),
            key=facts.mentions[:, 1].astype(np.int32),
            count=np.minimum(facts.mentions[:, 2], MOST).astype(np.uint16),
            titles=_starts(titles.passage, n),
            title=titles.key,
            spelled=_starts(spelled[:, 0], n),
            form=spelled[:, 1].astype(np.int32),
            terms=terms,
            term=term,
            frequency=frequency,
            triples=facts.triples,
        )

    def _lexical(
        self, passages: Sequence[Passage], tokens: Tokens
    ) -> tuple[Starts, NDArray[np.int32], Counts]:
        """Return the words of titles and texts that BM25 sees, each once a passage with how often it stands there."""
        number = self.terms
        mapped = [-1 if word in STOPWORDS else number[word] for word in tokens.words]
        ids = np.array(mapped, dtype=np.int64)[tokens.ids]
        seen = ids >= 0
        owners, found = [tokens.passage[seen].astype(np.int64)], [ids[seen]]
        for at, passage in enumerate(passages):
            if passage.title:
                title = [number[word] for word in words(passage.title) if word not in STOPWORDS]
                found.append(np.array(title, dtype=np.int64))
                owners.append(np.full(len(title), at, dtype=np.int64))
        width = max(len(number), 1)
        codes, counts = np.unique(
            np.concatenate(owners) * width + np.concatenate(found), return_counts=True
        )
        return (
            _starts(codes // width, len(passages)),
            (codes % width).astype(np.int32),
            np.minimum(counts, MOST).astype(np.uint16),
        )


def _starts(owner: NDArray[np.integer], n: int) -> Starts:
    return starts_of(np.bincount(owner, minlength=n)) if n else np.zeros(1, dtype=np.int64)
