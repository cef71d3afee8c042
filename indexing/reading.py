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
from hipporag_like.indexing.numbers import Numbers
from hipporag_like.indexing.ragged import Starts, starts_of
from hipporag_like.indexing.surfaces import title_forms
from hipporag_like.indexing.texts import lexical_tokens, triple_text
from hipporag_like.indexing.vocabulary import Tokens, read_tokens
from hipporag_like.text import STOPWORDS
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
        int64, (n_passages + 1,), int32 and uint16: BM25's words of title and text; a corpus has them as postings.
    bags, bag
        int64, (n_facts + 1,), and int32: the same words of each fact and its title, in order and as often as they are
        there; no rows where they are not asked for, and of a corpus only those of the facts that were read now.
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
    bags: Starts
    bag: NDArray[np.int32]
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
    bags
        Whether the words of each fact are wanted.

    Attributes
    ----------
    terms
        BM25's words to numbers.
    """

    def __init__(self, names: Names, gazetteer: Gazetteer, short: bool, bags: bool) -> None:
        self.names = names
        self.terms = Numbers()
        self._gazetteer = gazetteer
        self._short = short
        self._bags = bags

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
        names.context.words.expect(tokens.words)
        titles = self._titles(passages)
        spans = join_spans([settle(names.read(passages, extractions), names), self._gazetteer.find(tokens)])
        if self._short:
            spans = join_spans([spans, short_forms(spans, titles, names)])
        facts = collect_facts(passages, extractions, names, spans)
        return self._reading(passages, tokens, titles, facts)

    def _titles(self, passages: Sequence[Passage]) -> Spans:
        rows = []
        self.names.expect(form for passage in passages for form in title_forms(passage.title))
        for number, passage in enumerate(passages):
            for form in title_forms(passage.title):
                key = self.names.add(form, number)
                if key >= 0:
                    rows.append((number, 0, 0, key))
        return spans_of(rows)

    def _reading(self, passages: Sequence[Passage], tokens: Tokens, titles: Spans, facts: Facts) -> Reading:
        n = len(passages)
        spelled = np.array(sorted(self.names.spelled), dtype=np.int64).reshape(-1, 2)
        ids = self._numbered(tokens)
        titled = [self._words(passage.title) for passage in passages]
        terms, term, frequency = self._lexical(tokens, ids, titled)
        bags, bag = np.zeros(1, np.int64), np.zeros(0, np.int32)
        if self._bags:
            bags, bag = self._bag(passages, tokens, ids, titled, facts)
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
            bags=bags,
            bag=bag,
            triples=facts.triples,
        )

    def _numbered(self, tokens: Tokens) -> NDArray[np.int64]:
        """Return the term of each token, -1 for function words."""
        number = self.terms
        mapped = [-1 if word in STOPWORDS else number[word] for word in tokens.words]
        return np.array(mapped, dtype=np.int64)[tokens.ids]

    def _words(self, text: str) -> list[int]:
        return [self.terms[word] for word in lexical_tokens(text)] if text else []

    def _lexical(
        self, tokens: Tokens, ids: NDArray[np.int64], titled: Sequence[Sequence[int]]
    ) -> tuple[Starts, NDArray[np.int32], Counts]:
        """Return the words of titles and texts that BM25 sees, each once a passage with how often it stands there."""
        n, seen = len(titled), ids >= 0
        lengths = np.array([len(title) for title in titled], dtype=np.int64)
        in_titles = np.array([word for title in titled for word in title], dtype=np.int64)
        owner = np.concatenate([tokens.passage[seen], np.repeat(np.arange(n), lengths)])
        width = max(len(self.terms), 1)
        found = owner.astype(np.int64) * width + np.concatenate([ids[seen], in_titles])
        codes, counts = np.unique(found, return_counts=True)
        return (
            _starts(codes // width, n),
            (codes % width).astype(np.int32),
            np.minimum(counts, MOST).astype(np.uint16),
        )

    def _bag(
        self,
        passages: Sequence[Passage],
        tokens: Tokens,
        ids: NDArray[np.int64],
        titled: Sequence[Sequence[int]],
        facts: Facts,
    ) -> tuple[Starts, NDArray[np.int32]]:
        """Return the words of each fact: its title's, then its sentence's, or those of its triple."""
        seen = np.flatnonzero(ids >= 0)
        width = max((len(p.text) for p in passages), default=0) + 1
        place = tokens.passage[seen].astype(np.int64) * width + tokens.start[seen]
        origin = facts.passage.astype(np.int64) * width
        first = np.searchsorted(place, origin + np.maximum(facts.start, 0)).tolist()
        last = np.searchsorted(place, origin + np.maximum(facts.end, 0)).tolist()
        inside = ids[seen].tolist()
        rows = []
        for fact, owner in enumerate(facts.passage.tolist()):
            triple = facts.triples.get(fact)
            if triple is None:
                rows.append([*titled[owner], *inside[first[fact] : last[fact]]])
            else:
                rows.append(self._words(triple_text(passages[owner].title, " ".join(triple))))
        flat = np.array([word for row in rows for word in row], dtype=np.int32)
        return starts_of(np.array([len(row) for row in rows], dtype=np.int64)), flat


def _starts(owner: NDArray[np.integer], n: int) -> Starts:
    return starts_of(np.bincount(owner, minlength=n)) if n else np.zeros(1, dtype=np.int64)
