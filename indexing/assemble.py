"""One namespace of the journal to the arrays of a segment; ``hipporag_like.indexing.index`` reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import Config
from hipporag_like.indexing.columns import metadata_columns
from hipporag_like.indexing.entities import Analysis, analyse
from hipporag_like.indexing.graph import build_graph
from hipporag_like.indexing.lexical import build_postings
from hipporag_like.indexing.phrases import (
    Phrases,
    collect_phrases,
    phrase_graph,
    phrase_mentions,
)
from hipporag_like.indexing.rows import Rows, rows_of
from hipporag_like.indexing.spelling import trigram_postings
from hipporag_like.indexing.synonyms import synonym_pairs
from hipporag_like.indexing.texts import (
    lexical_tokens,
    passage_text,
    relation_text,
    sentence_text,
    triple_text,
)
from hipporag_like.indexing.words import word_arrays
from hipporag_like.store.codec import canonical_json
from hipporag_like.store.tables import pack_keys, pack_strings
from hipporag_like.types import Extraction, Passage

Arrays = Iterator[tuple[str, NDArray[Any]]]
Embed = Callable[[Sequence[str]], NDArray[np.float32]]


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
    light: bool  # whether facts are bags of words; see ``EmbedConfig.preset``


def fact_texts(passages: Sequence[Passage], analysis: Analysis) -> list[str]:
    """Return what stands for each fact in the dense index: sentences and triples in words, with their title."""
    texts = []
    spans = zip(
        analysis.fact_passage.tolist(), analysis.fact_start.tolist(), analysis.fact_end.tolist(), strict=True
    )
    for number, (passage, start, end) in enumerate(spans):
        owner = passages[passage]
        if start < 0:
            texts.append(triple_text(owner.title, " ".join(analysis.triples[number])))
        else:
            texts.append(sentence_text(owner.title, owner.text[start:end]))
    return texts


def assemble(
    passages: Sequence[Passage], extractions: Sequence[Extraction], config: Config, embed: Embed
) -> tuple[Counts, Arrays]:
    """Return the size of a segment and its arrays by name.

    Parameters
    ----------
    passages, extractions
        Aligned, in canonical order.
    config
        All options that shape an index.
    embed
        Texts to unit rows; cached outside, so that nothing is embedded twice.
    """
    analysis = analyse(passages, extractions, config.extract)
    light = config.embed.is_light(len(passages))
    entity_vectors = embed([] if light else analysis.names)
    pairs, similarity = synonym_pairs(entity_vectors, analysis, config.graph)
    graph = build_graph(analysis, len(passages), pairs, similarity, config.graph)
    phrases = collect_phrases(extractions)
    documents = list(dict.fromkeys(p.document_id for p in passages))
    counts = Counts(
        documents=len(documents),
        passages=len(passages),
        entities=len(analysis.keys),
        facts=len(analysis.fact_passage),
        mentions=len(analysis.mention_fact),
        synonyms=len(pairs),
        triples=len(analysis.triples),
        phrases=len(phrases.texts),
        light=light,
    )

    def arrays() -> Arrays:
        yield from _passages(passages, documents)
        yield from _entities(analysis)
        yield "entity_passages", graph.entity_passages
        yield "passage_facts", graph.passage_facts
        yield from _rows("entity_facts", graph.entity_facts)
        yield from _rows("fact_entities", graph.fact_entities)
        yield from _rows("synonyms", graph.synonyms)
        yield from _lexical(passages, config)
        passage_vectors = embed([passage_text(p) for p in passages])
        yield "passage_vectors", passage_vectors
        if light:
            yield from word_arrays(
                fact_texts(passages, analysis), analysis.fact_passage, passage_vectors, embed
            )
        else:
            yield "entity_vectors", entity_vectors
            yield "fact_vectors", embed(fact_texts(passages, analysis))
        if phrases.relations:
            yield from _phrases(phrases, len(passages), config, embed)

    return counts, arrays()


def _passages(passages: Sequence[Passage], documents: Sequence[str]) -> Arrays:
    number = {document: i for i, document in enumerate(documents)}
    of_document: dict[str, Passage] = {}
    for passage in passages:
        of_document.setdefault(passage.document_id, passage)
    owners = np.array([number[p.document_id] for p in passages], dtype=np.int32)
    yield "passage_document", owners
    yield "passage_start", np.array([p.start for p in passages], dtype=np.int64)
    yield "passage_end", np.array([p.end for p in passages], dtype=np.int64)
    yield from _strings("passage", [p.text for p in passages])
    yield from _strings("passage_id", [p.id for p in passages])
    yield from _strings("document_id", documents)
    yield from _strings("document_title", [of_document[d].title for d in documents])
    metadata = [of_document[d].metadata for d in documents]
    yield from _strings(
        "document_metadata",
        [canonical_json(m, f"document {d!r}") for d, m in zip(documents, metadata, strict=True)],
    )
    yield from metadata_columns(metadata)


def _entities(analysis: Analysis) -> Arrays:
    yield from _strings("entity_name", analysis.names)
    yield from _keys("entity_key", analysis.keys)
    indptr, entity, size = trigram_postings(analysis.keys)
    yield "trigram_indptr", indptr
    yield "trigram_entity", entity
    yield "trigram_size", size
    yield "entity_is_term", analysis.is_term
    yield "fact_passage", analysis.fact_passage
    yield "fact_start", analysis.fact_start
    yield "fact_end", analysis.fact_end
    yield "title_passage", analysis.title_passage
    yield "title_entity", analysis.title_entity
    owners = sorted(analysis.triples)
    yield "triple_fact", np.array(owners, dtype=np.int32)
    yield from _strings("triple", [json.dumps(analysis.triples[f], ensure_ascii=False) for f in owners])


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


def _lexical(passages: Sequence[Passage], config: Config) -> Arrays:
    postings = build_postings([lexical_tokens(passage_text(p)) for p in passages], config.lexical)
    yield from _keys("term", postings.terms)
    yield "posting_indptr", postings.indptr
    yield "posting_passage", postings.passage
    yield "posting_score", postings.score


def _strings(name: str, values: Sequence[str]) -> Arrays:
    text, offset = pack_strings(values)
    yield f"{name}_text", text
    yield f"{name}_offset", offset


def _keys(name: str, values: Sequence[str]) -> Arrays:
    yield from _strings(name, values)
    hashes, rows = pack_keys(values)
    yield f"{name}_hash", hashes
    yield f"{name}_row", rows


def _rows(name: str, rows: Rows) -> Arrays:
    yield f"{name}_indptr", rows.indptr
    yield f"{name}_index", rows.indices
    yield f"{name}_weight", rows.weights
