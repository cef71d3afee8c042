"""The second pass: what only the whole corpus can tell. Passages and extractions to entities and facts.

1. names: every mention of the extractor, canonicalised; a single word that the corpus writes mostly in
   small letters is no name (it was capitalised because a sentence started there);
2. gazetteer: titles, repeated names and mined terms are found again everywhere as n-grams, single words
   only where capitalised (unless the script or the corpus has no capitals);
3. facts: the triples of the extractor; where it gave none, the sentences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import ExtractConfig
from hipporag_like.indexing.gazetteer import Gazetteer
from hipporag_like.indexing.terms import TokenStream, mine_terms
from hipporag_like.text import STOPWORDS, entity_key, has_case, is_unspaced, squeeze, word_spans
from hipporag_like.types import Extraction, Passage

# Below this share of passages with a capital letter the corpus counts as written without capitals.
CASED_SHARE = 0.2
# A name repeated in this many passages is looked for everywhere; once is the rule's own find.
GAZETTEER_PASSAGES = 2
MAX_KEY_TOKENS = 12


@dataclass(frozen=True, slots=True)
class Analysis:
    """Entities and facts of one namespace as values and integer arrays.

    Attributes
    ----------
    names, keys
        Display name and canonical key of each entity, sorted by key.
    fact_passage
        int32, (n_facts,): the passage of each fact; non-decreasing.
    fact_start, fact_end
        int32, (n_facts,): character span in the passage; both -1 for a triple.
    triples
        (subject, relation, object) by fact number, for facts that are triples.
    mention_fact, mention_entity, mention_count
        int32, (n_mentions,): which entity stands in which fact, how often; sorted by fact, then entity.
    title_passage, title_entity
        int32, (n_titles,): the entities that a passage's title names.
    alias
        int32, (n_aliases, 2): pairs of entities that are one by their form ("X (band)" and "X").
    is_term
        bool, (n_entities,): known only as a mined term or a noun phrase; neither a name nor a title.
    """

    names: list[str]
    keys: list[str]
    fact_passage: NDArray[np.int32]
    fact_start: NDArray[np.int32]
    fact_end: NDArray[np.int32]
    triples: dict[int, tuple[str, str, str]]
    mention_fact: NDArray[np.int32]
    mention_entity: NDArray[np.int32]
    mention_count: NDArray[np.int32]
    title_passage: NDArray[np.int32]
    title_entity: NDArray[np.int32]
    alias: NDArray[np.int32]
    is_term: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Tokens:
    """Word tokens of one passage: vocabulary ids, character starts, capital flags, sentence numbers."""

    ids: list[int]
    starts: list[int]
    ends: list[int]
    capital: list[bool]
    sentence: list[int]


class _Vocabulary:
    """Words as integers, with how often each is written with and without a capital."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.capital: list[int] = []
        self.small: list[int] = []

    def add(self, passage: Passage, sentences: Sequence[tuple[int, int]]) -> _Tokens:
        """Return the tokens of a passage, counting their casing where no sentence starts."""
        ids, starts, ends, capital, sentence = [], [], [], [], []
        known, text, at = self.ids, passage.text, 0
        last, new_sentence = len(sentences) - 1, True
        for word, start, end in word_spans(text):
            while at < last and start >= sentences[at][1]:
                at, new_sentence = at + 1, True
            number = known.get(word)
            if number is None:
                number = known[word] = len(known)
                self.capital.append(0)
                self.small.append(0)
            upper = text[start].isupper()
            if not upper:
                self.small[number] += 1
            elif not new_sentence:
                self.capital[number] += 1
            new_sentence = False
            ids.append(number)
            starts.append(start)
            ends.append(end)
            capital.append(upper)
            sentence.append(at)
        return _Tokens(ids, starts, ends, capital, sentence)

    def common_word(self, word: str) -> bool:
        """Return whether the corpus writes ``word`` mostly in small letters."""
        number = self.ids.get(word)
        return number is not None and self.small[number] > self.capital[number]


def analyse(
    passages: Sequence[Passage], extractions: Sequence[Extraction], config: ExtractConfig
) -> Analysis:
    """Return the entities and facts of a corpus.

    Parameters
    ----------
    passages, extractions
        Aligned; the result does not depend on their order beyond the numbering of passages.
    config
        Which parts of the second pass run.
    """
    vocabulary = _Vocabulary()
    tokens = [vocabulary.add(p, e.sentences) for p, e in zip(passages, extractions, strict=True)]
    cased = _is_cased(passages)
    names = _Names(vocabulary, cased)
    own = [names.mentions(p, e) for p, e in zip(passages, extractions, strict=True)]
    titles = [_title_keys(p.title) for p in passages]
    gazetteer = _gazetteer(names, titles, tokens, passages, vocabulary, config, cased)
    builder = _Builder(names)
    for i, (passage, extraction) in enumerate(zip(passages, extractions, strict=True)):
        found = gazetteer.find(tokens[i].ids, tokens[i].capital, tokens[i].sentence)
        spans = [(key, tokens[i].starts[a], tokens[i].ends[b]) for key, a, b in found]
        builder.add(i, passage, extraction, names.keep(own[i]) + spans, titles[i])
    return builder.finish()


def _is_cased(passages: Sequence[Passage]) -> bool:
    with_capital = sum(any(c.isupper() for c in p.text) for p in passages)
    return with_capital >= CASED_SHARE * len(passages)


def _title_keys(title: str) -> tuple[str, ...]:
    """Return the key of a title, and of the title without its parenthesis where it has one."""
    full = entity_key(title)
    if not full:
        return ()
    base = entity_key(title.split("(", 1)[0]) if "(" in title else ""
    return (full, base) if base and base != full else (full,)


class _Names:
    """Counts of every name the extractor found: passages holding it, and its spellings."""

    def __init__(self, vocabulary: _Vocabulary, cased: bool) -> None:
        self._vocabulary = vocabulary
        self._cased = cased
        self._key_of: dict[str, str] = {}
        self.passages: Counter[str] = Counter()
        self.named: set[str] = set()
        self.spellings: dict[str, Counter[str]] = {}

    def mentions(self, passage: Passage, extraction: Extraction) -> list[tuple[str, int, int]]:
        """Return (key, start, end) of the extractor's mentions that are names, and count them."""
        found, seen = [], set()
        for mention in extraction.mentions:
            surface = passage.text[mention.start : mention.end]
            key = self._key(surface)
            if not key:
                continue
            found.append((key, mention.start, mention.end))
            self.spell(key, surface)
            seen.add(key)
            if mention.kind != "term":
                self.named.add(key)
        for name in extraction.names:
            key = self._key(name)
            if key:
                self.spell(key, name)
                seen.add(key)
                self.named.add(key)
        self.passages.update(seen)
        return found

    def keep(self, mentions: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
        """Return the mentions whose key is worth a node: "X and Y" only where it is repeated."""
        return [m for m in mentions if " and " not in m[0] or self.passages[m[0]] >= GAZETTEER_PASSAGES]

    def spell(self, key: str, surface: str) -> None:
        """Count one spelling of a name."""
        self.spellings.setdefault(key, Counter())[squeeze(surface)] += 1

    def display(self, key: str) -> str:
        """Return the most frequent spelling; among equals the alphabetically first."""
        spellings = self.spellings.get(key)
        return min(spellings, key=lambda s: (-spellings[s], s)) if spellings else key

    def _key(self, surface: str) -> str:
        key = self._key_of.get(surface)
        if key is None:
            key = entity_key(surface)
            words = key.split(" ")
            common = len(words) == 1 and (
                key in STOPWORDS
                or (self._cased and has_case(surface) and self._vocabulary.common_word(key))
                or (len(key) == 1 and not is_unspaced(key))
            )
            key = self._key_of[surface] = "" if common or len(words) > MAX_KEY_TOKENS else key
        return key


def _gazetteer(
    names: _Names,
    titles: Sequence[tuple[str, ...]],
    tokens: Sequence[_Tokens],
    passages: Sequence[Passage],
    vocabulary: _Vocabulary,
    config: ExtractConfig,
    cased: bool,
) -> Gazetteer:
    stream = _stream(tokens, vocabulary)
    gazetteer = Gazetteer(vocabulary.ids, stream, len(passages), cased)
    if config.gazetteer:
        for passage, keys in zip(passages, titles, strict=True):
            for key, surface in zip(keys, (passage.title, passage.title.split("(", 1)[0]), strict=False):
                names.spell(key, surface)
                gazetteer.add_name(key)
        for key, count in names.passages.items():
            if count >= GAZETTEER_PASSAGES:
                gazetteer.add_name(key)
    if config.mine_terms:
        words = list(vocabulary.ids)
        for gram in mine_terms(stream, len(passages)):
            gazetteer.add_term(" ".join(words[w] for w in gram))
    return gazetteer


def _stream(tokens: Sequence[_Tokens], vocabulary: _Vocabulary) -> TokenStream:
    lengths = [len(t.ids) for t in tokens]
    ids = np.fromiter((w for t in tokens for w in t.ids), dtype=np.int32, count=sum(lengths))
    sentence = np.fromiter((s for t in tokens for s in t.sentence), dtype=np.int32, count=sum(lengths))
    passage = np.repeat(np.arange(len(tokens), dtype=np.int32), lengths)
    change = np.ones(len(ids), dtype=bool)
    change[1:] = (passage[1:] != passage[:-1]) | (sentence[1:] != sentence[:-1])
    words = list(vocabulary.ids)
    content = np.array(
        [w not in STOPWORDS and not w.isdigit() and (len(w) > 1 or is_unspaced(w)) for w in words]
    )
    letters = np.array([len(w) for w in words], dtype=np.int32)
    running = np.cumsum(change, dtype=np.int64).astype(np.int32)
    return TokenStream(ids, passage, running, content.astype(bool), letters)


class _Builder:
    """Collects facts and mentions passage by passage, numbering entities as they come."""

    def __init__(self, names: _Names) -> None:
        self._names = names
        self._entity: dict[str, int] = {}
        self._fact_passage: list[int] = []
        self._spans: list[tuple[int, int]] = []
        self._triples: dict[int, tuple[str, str, str]] = {}
        self._mentions: list[tuple[int, int, int]] = []
        self._titles: list[tuple[int, int]] = []
        self._alias: set[tuple[int, int]] = set()

    def add(
        self,
        number: int,
        passage: Passage,
        extraction: Extraction,
        spans: list[tuple[str, int, int]],
        titles: tuple[str, ...],
    ) -> None:
        """Add one passage: its title entities, triples, and sentences with the mentions inside them."""
        self._names.named.update(titles)
        ids = [self._number(key) for key in titles]
        self._titles += [(number, e) for e in ids]
        if len(ids) == 2:
            self._alias.add((ids[0], ids[1]))
        in_triples = self._add_triples(number, extraction)
        by_sentence = _group(spans, extraction.sentences)
        for (start, end), keys in zip(extraction.sentences, by_sentence, strict=True):
            counts = Counter(self._number(key) for key in keys)
            if extraction.triples and counts.keys() <= in_triples:
                continue
            self._add_fact(number, (start, end), counts)

    def _add_triples(self, number: int, extraction: Extraction) -> set[int]:
        covered: set[int] = set()
        for triple in extraction.triples:
            keys = [k for k in (entity_key(triple.subject), entity_key(triple.object)) if k]
            for key, surface in zip(keys, (triple.subject, triple.object), strict=False):
                self._names.spell(key, surface)
                self._names.named.add(key)
            counts = Counter(self._number(key) for key in keys)
            self._triples[len(self._spans)] = (triple.subject, triple.relation, triple.object)
            self._add_fact(number, (-1, -1), counts)
            covered |= counts.keys()
        return covered

    def _add_fact(self, passage: int, span: tuple[int, int], counts: Counter[int]) -> None:
        fact = len(self._spans)
        self._fact_passage.append(passage)
        self._spans.append(span)
        self._mentions += [(fact, entity, count) for entity, count in counts.items()]

    def _number(self, key: str) -> int:
        return self._entity.setdefault(key, len(self._entity))

    def finish(self) -> Analysis:
        """Return the analysis with entities renumbered by key, so that it does not depend on order."""
        keys = sorted(self._entity)
        rank = np.empty(len(keys), dtype=np.int32)
        rank[[self._entity[k] for k in keys]] = np.arange(len(keys), dtype=np.int32)
        mentions = np.array(self._mentions, dtype=np.int32).reshape(-1, 3)
        mentions[:, 1] = rank[mentions[:, 1]]
        mentions = mentions[np.lexsort((mentions[:, 1], mentions[:, 0]))]
        titles = np.array(self._titles, dtype=np.int32).reshape(-1, 2)
        spans = np.array(self._spans, dtype=np.int32).reshape(-1, 2)
        alias = rank[np.array(sorted(self._alias), dtype=np.int32).reshape(-1, 2)]
        return Analysis(
            names=[self._names.display(k) for k in keys],
            keys=keys,
            fact_passage=np.array(self._fact_passage, dtype=np.int32),
            fact_start=spans[:, 0].copy(),
            fact_end=spans[:, 1].copy(),
            triples=self._triples,
            mention_fact=mentions[:, 0].copy(),
            mention_entity=mentions[:, 1].copy(),
            mention_count=mentions[:, 2].copy(),
            title_passage=titles[:, 0].copy(),
            title_entity=rank[titles[:, 1]],
            alias=alias[np.lexsort((alias[:, 1], alias[:, 0]))],
            is_term=np.array([k not in self._names.named for k in keys], dtype=bool),
        )


def _group(spans: Iterable[tuple[str, int, int]], sentences: Sequence[tuple[int, int]]) -> list[list[str]]:
    """Return the keys mentioned in each sentence; a key found twice at one place counts once."""
    groups: list[list[str]] = [[] for _ in sentences]
    at = 0
    for key, start in sorted({(key, start) for key, start, _ in spans}, key=lambda s: (s[1], s[0])):
        while at < len(sentences) - 1 and start >= sentences[at][1]:
            at += 1
        if groups:
            groups[at].append(key)
    return groups
