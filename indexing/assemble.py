"""One namespace's corpus to the arrays of a segment; ``hipporag_like.indexing.index`` reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import EXACT_LIMIT, Config
from hipporag_like.indexing.beside import beside
from hipporag_like.indexing.columns import metadata_columns
from hipporag_like.indexing.corpus import Corpus, Origin
from hipporag_like.indexing.display import display
from hipporag_like.indexing.graph import Mentions, build_graph
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.light_vectors import light_vectors
from hipporag_like.indexing.packed import Strings, table
from hipporag_like.indexing.phrases import Phrases, phrase_graph, phrase_mentions
from hipporag_like.indexing.postings import NO_COUNTS, Lists, merged_counts, merged_lists
from hipporag_like.indexing.quantise import sign_codes
from hipporag_like.indexing.ragged import Rows2, starts_of
from hipporag_like.indexing.rows import Rows, narrow, rows_of
from hipporag_like.indexing.spelling import BUCKETS, trigrams
from hipporag_like.indexing.state import corpus_arrays
from hipporag_like.indexing.synonyms import Near, near_names, no_names, synonym_rows
from hipporag_like.indexing.texts import relation_text
from hipporag_like.indexing.vectors import Blocks, Embed, entity_vectors, fact_vectors, passage_vectors
from hipporag_like.store.tables import key_hashes, pack_strings

Arrays = Iterator[tuple[str, "NDArray[Any] | Blocks"]]


@dataclass(frozen=True, slots=True)
class Counts:
    """Sizes of a segment."""

    documents: int
    passages: int
    entities: int
    facts: int
    mentions: int
    synonyms: int
    triples: int
    phrases: int
    light: bool  # whether facts have codes; see ``EmbedConfig.preset``


@dataclass(frozen=True, slots=True)
class Before:
    """The segment that a corpus is partly taken from, and which of its rows."""

    segment: Segment | None
    origin: Origin


def assemble(
    corpus: Corpus, before: Before, phrases: Phrases, config: Config, embed: Embed
) -> tuple[Counts, Arrays]:
    """Return the size of a segment and its arrays by name.

    Parameters
    ----------
    corpus
        Its documents and what they hold.
    before
        What need not be worked out again.
    phrases
        Of the triples; empty where there are none.
    config
        All options that shape an index.
    embed
        Texts to unit rows; cached outside, so that nothing is embedded twice.
    """
    reading, segment, origin = corpus.reading, before.segment, before.origin
    shown = display(corpus)
    light = config.embed.is_light(corpus.texts.n_passages)
    names = None if light else _Names.read(corpus, shown.names, before, config, embed)
    synonyms = synonym_rows(no_names() if names is None else names.near, corpus, config.graph)
    counts = Counts(
        documents=len(corpus.texts.documents) - 1,
        passages=corpus.texts.n_passages,
        entities=len(corpus.keys[0]) - 1,
        facts=len(reading.start),
        mentions=len(reading.key),
        synonyms=len(synonyms.indices) // 2,
        triples=len(reading.triples),
        phrases=len(phrases.texts),
        light=light,
    )

    def arrays() -> Arrays:
        with beside() as begin:
            # Sorting millions of numbers is the second thread's: adding to a million passages it saves 3 s of 30.
            trigram = begin(lambda: list(_trigrams(corpus.keys, segment, origin.keys)))
            graph = begin(lambda: list(_graph(corpus, shown.is_term, config)))
            if names is None:  # first, since they take longest to be written
                yield from light_vectors(corpus, segment, origin, embed)
            else:
                yield from names.arrays()
                yield from fact_vectors(corpus, segment, origin.facts, embed)
                yield from passage_vectors(corpus, segment, origin.passages, embed)
            yield from corpus_arrays(corpus)
            yield from _metadata(corpus.texts.metadata)
            yield "entity_name_text", shown.names[1]
            yield "entity_name_offset", shown.names[0]
            yield "entity_is_term", shown.is_term
            yield from _keys("entity_key", corpus.keys, segment, origin.keys)
            yield from _keys("form", corpus.forms, segment, origin.forms)
            yield from _keys("term", corpus.terms, segment, origin.terms)
            yield from _triples(reading.triples)
            yield from _rows("synonyms", narrow(synonyms))
            yield from trigram()
            yield from graph()
            if phrases.relations:
                yield from _phrases(phrases, corpus.texts.n_passages, config, embed)

    return counts, arrays()


@dataclass(frozen=True, slots=True)
class _Names:
    """Vectors of entities' names, and which of them are near each other."""

    vectors: NDArray[np.float32]
    near: Near

    @classmethod
    def read(cls, corpus: Corpus, names: Strings, before: Before, config: Config, embed: Embed) -> _Names:
        rows = before.origin.keys
        vectors, kept = entity_vectors(names, before.segment, rows, embed)
        near = near_names(vectors, corpus.keys, before.segment, rows, kept, config.graph)
        return cls(vectors, near)

    def arrays(self) -> Arrays:
        yield "near_code", self.near.codes
        yield "near_pair", self.near.pairs
        yield "near_cosine", self.near.cosines
        yield "entity_vectors", self.vectors
        if len(self.vectors) > EXACT_LIMIT:
            yield "entity_codes", sign_codes(self.vectors)


def _metadata(stored: Strings) -> Arrays:
    """Yield the columns of metadata; only what is longer than ``{}`` is read: a million texts take a second."""
    known: list[dict[str, Any]] = [{}] * (len(stored[0]) - 1)
    some = np.flatnonzero(np.diff(stored[0]) > len("{}"))
    for row, text in zip(some.tolist(), table(stored).take(some), strict=True):
        known[row] = json.loads(text)
    yield from metadata_columns(known)


def _graph(corpus: Corpus, is_term: NDArray[np.bool_], config: Config) -> Arrays:
    r = corpus.reading
    mentions = Mentions(r.facts, r.mentions, r.key, r.count, r.titles, r.title, is_term)
    graph = build_graph(mentions, config.graph)
    yield "entity_passages", graph.entity_passages
    yield from _rows("entity_facts", narrow(graph.entity_facts))
    yield from _rows("fact_entities", narrow(graph.fact_entities))


def _triples(triples: dict[int, tuple[str, str, str]]) -> Arrays:
    owners = sorted(triples)
    yield "triple_fact", np.array(owners, dtype=np.int32)
    yield from _strings("triple", [json.dumps(triples[f], ensure_ascii=False) for f in owners])


def _keys(name: str, keys: Strings, segment: Segment | None, rows: Rows2) -> Arrays:
    """Yield a table of keys and what finds them by hash; hashes of old keys are taken over."""
    yield f"{name}_text", keys[1]
    yield f"{name}_offset", keys[0]
    old = np.zeros(0, np.uint64)
    if segment is not None:
        old = np.empty(len(segment.array(f"{name}_row")), np.uint64)
        old[segment.array(f"{name}_row")] = segment.array(f"{name}_hash")
    texts = table(keys)
    new = np.flatnonzero(rows.source >= len(old))
    fresh = np.zeros(int(rows.source[new].max() - len(old)) + 1 if len(new) else 0, np.uint64)
    fresh[rows.source[new] - len(old)] = key_hashes(texts.take(new))
    hashes = rows.flat(old, fresh)
    order = np.argsort(hashes, kind="stable")
    yield f"{name}_hash", hashes[order]
    yield f"{name}_row", order.astype(np.int32)


def _trigrams(keys: Strings, segment: Segment | None, rows: Rows2) -> Arrays:
    """Yield which entities hold each trigram; those of old keys are taken over."""
    from hipporag_like.indexing.kernels import transpose

    old, size = Lists(np.zeros(1, np.int64), np.zeros(0, np.int32), NO_COUNTS), np.zeros(0, np.int32)
    if segment is not None:
        old = Lists(segment.array("trigram_indptr"), segment.array("trigram_entity"), NO_COUNTS)
        size = segment.array("trigram_size")
    n_old, texts = len(size), table(keys)
    new = np.flatnonzero(rows.source >= n_old)
    found: list[list[int]] = [[] for _ in range(int(rows.source[new].max() - n_old) + 1 if len(new) else 0)]
    for row, at in zip(new.tolist(), (rows.source[new] - n_old).tolist(), strict=True):
        found[at] = trigrams(texts[row])
    lengths = np.array([len(f) for f in found], dtype=np.int32)
    flat = np.array([bucket for f in found for bucket in f], dtype=np.int32)
    starts, entity, _ = transpose(starts_of(lengths), flat, flat, BUCKETS)
    number, at = rows.numbers(n_old, len(found))
    added = Lists(starts, at[entity], NO_COUNTS)
    lists = merged_lists(old, added, number, np.arange(BUCKETS), merged_counts(old, added, number))
    yield "trigram_indptr", lists.starts
    yield "trigram_entity", lists.row
    yield "trigram_size", rows.flat(size, lengths)


def _phrases(phrases: Phrases, n_passages: int, config: Config, embed: Embed) -> Arrays:
    """Yield the graph of hipporag and hipporag2; without triples they make do with that of ``graph``."""
    vectors = embed(phrases.texts)
    mentions = phrase_mentions(phrases, n_passages)
    graph = phrase_graph(phrases, mentions, vectors, n_passages, config.graph.phrase_synonym_threshold)
    yield from _strings("phrase", phrases.texts)
    yield "phrase_vectors", vectors
    yield from _rows("phrase_mentions", mentions)
    yield from _rows("phrase_graph", graph)
    yield from _strings("relation", [json.dumps(r, ensure_ascii=False) for r in phrases.relations])
    yield "relation_ends", phrases.ends
    stated = phrases.stated
    ones = np.ones(len(stated), np.float32)
    yield from _rows("passage_relations", rows_of(stated[:, 0], stated[:, 1], ones, n_passages))
    relation, first = np.unique(stated[:, 1], return_index=True)
    passage = np.zeros(len(phrases.relations), dtype=np.int32)
    passage[relation] = stated[first, 0]
    yield "relation_passage", passage
    yield "relation_vectors", embed([relation_text(r) for r in phrases.relations])


def _strings(name: str, values: Sequence[str]) -> Arrays:
    text, offset = pack_strings(values)
    yield f"{name}_text", text
    yield f"{name}_offset", offset


def _rows(name: str, rows: Rows) -> Arrays:
    yield f"{name}_indptr", rows.indptr
    yield f"{name}_edge" if rows.bits else f"{name}_index", rows.edges
    yield f"{name}_weight", rows.values
