"""The second pass: what only the whole corpus can tell. Passages and extractions to entities and facts.

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

from hipporag_like.config import ExtractConfig
from hipporag_like.indexing.aliases import settle, short_forms
from hipporag_like.indexing.facts import Facts, collect_facts
from hipporag_like.indexing.gazetteer import Gazetteer
from hipporag_like.indexing.names import REPEATED, Names, Spans, join_spans, spans_of
from hipporag_like.indexing.terms import mine_terms
from hipporag_like.indexing.vocabulary import Tokens, read_tokens
from hipporag_like.text import is_unspaced
from hipporag_like.types import Extraction, Passage

# Below this share of passages with a capital letter the corpus counts as written without capitals.
CASED_SHARE = 0.2


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
class _Titles:
    """The keys that titles name, as places of no length, and pairs of keys that are one by their form."""

    spans: Spans
    alias: list[tuple[int, int]]


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
    tokens = read_tokens(passages, extractions)
    cased = _is_cased(passages)
    names = Names(tokens, cased)
    found = names.read(passages, extractions)
    titles = _read_titles(passages, names)
    own = settle(found, names, tokens, set(titles.spans.key.tolist()))
    spans = join_spans([own, _gazetteer(names, titles, tokens, config, cased, found.n_names).find()])
    if config.gazetteer:
        spans = join_spans([spans, short_forms(spans, titles.spans, names, tokens)])
    facts = collect_facts(passages, extractions, names, spans)
    return _renumbered(facts, titles, names)


def _is_cased(passages: Sequence[Passage]) -> bool:
    with_capital = sum(p.text != p.text.lower() for p in passages)
    return with_capital >= CASED_SHARE * len(passages)


def _read_titles(passages: Sequence[Passage], names: Names) -> _Titles:
    """Number each title, and the title without its parenthesis where it has one."""
    rows, alias = [], []
    for number, passage in enumerate(passages):
        full = names.add(passage.title) if passage.title else -1
        if full < 0:
            continue
        rows.append((number, 0, 0, full))
        base = names.add(passage.title.split("(", 1)[0]) if "(" in passage.title else -1
        if base not in (-1, full):
            rows.append((number, 0, 0, base))
            alias.append((full, base))
    return _Titles(spans_of(rows), alias)


def _gazetteer(
    names: Names, titles: _Titles, tokens: Tokens, config: ExtractConfig, cased: bool, n_names: int
) -> Gazetteer:
    gazetteer = Gazetteer(tokens, names, cased)
    if config.gazetteer:
        keys = list(names.keys)
        repeated = np.flatnonzero(names.passages() >= REPEATED).tolist()
        for number in dict.fromkeys([*titles.spans.key.tolist(), *repeated]):
            gazetteer.add_name(keys[number], number)
    if config.mine_terms:
        for gram in mine_terms(tokens, n_names):
            key = " ".join(tokens.words[w] for w in gram)
            gazetteer.add_term(key, names.keys[key])
    return gazetteer


def _renumbered(facts: Facts, titles: _Titles, names: Names) -> Analysis:
    """Return the analysis with entities numbered by key, so that it does not depend on order."""
    key_of = list(names.keys)
    used = np.unique(np.concatenate([facts.mentions[:, 1], titles.spans.key]))
    order = sorted(used.tolist(), key=key_of.__getitem__)
    rank = np.full(len(key_of), -1, dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    mentions = facts.mentions.astype(np.int32)
    mentions[:, 1] = rank[mentions[:, 1]]
    mentions = mentions[np.lexsort((mentions[:, 1], mentions[:, 0]))]
    alias = rank[np.array(sorted(set(titles.alias)), dtype=np.int64).reshape(-1, 2)]
    return Analysis(
        names=[n or _spaced(key_of[k]) for k, n in zip(order, names.displays(order), strict=True)],
        keys=[key_of[k] for k in order],
        fact_passage=facts.passage,
        fact_start=facts.start,
        fact_end=facts.end,
        triples=facts.triples,
        mention_fact=mentions[:, 0].copy(),
        mention_entity=mentions[:, 1].copy(),
        mention_count=mentions[:, 2].copy(),
        title_passage=titles.spans.passage,
        title_entity=rank[titles.spans.key],
        alias=alias[np.lexsort((alias[:, 1], alias[:, 0]))],
        is_term=np.array([k not in names.named for k in order], dtype=bool),
    )


def _spaced(key: str) -> str:
    """Return a key as it is written: without spaces between the characters of a script that has none."""
    words = key.split(" ")
    return "".join(words) if all(map(is_unspaced, words)) else key
