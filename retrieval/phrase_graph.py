"""The graph that hipporag and hipporag2 walk, as a namespace's index holds it.

An index with triples (extractors ``llm``, ``openie`` and dependency parses) holds the papers' graph, made by
``hipporag_like.indexing.phrases``. An index without has sentences for facts; then their entities stand for phrases:
two entities are tied by the sentences that mention both, and by the index's synonym edges.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import UsageError
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.rows import Rows, rows_of
from hipporag_like.retrieval.diffusion import Diffusion, prepare
from hipporag_like.retrieval.inside import Inside, Mask, held
from hipporag_like.store.tables import StringTable
from hipporag_like.types import Fact, Triple


@dataclass(frozen=True)
class PhraseGraph:
    """Phrases, facts and passages of one namespace.

    Attributes
    ----------
    names
        Text of each phrase.
    vectors
        float32, (n_phrases, dim), unit rows.
    fact_vectors
        float32, (n_facts, dim), unit rows.
    fact_phrases
        Fact to the phrases in it.
    passages_of
        int64, (n_phrases,): passages that state something about the phrase; at least 1.
    mentions
        Passage to phrases; weights count facts.
    graph
        Symmetric, phrases first, then passages.
    """

    names: StringTable
    vectors: NDArray[np.float32]
    fact_vectors: NDArray[np.float32]
    fact_phrases: Rows
    passages_of: NDArray[np.int64]
    mentions: Rows
    graph: Rows

    @property
    def n_phrases(self) -> int:
        """Number of phrases."""
        return len(self.vectors)

    @cached_property
    def whole(self) -> Diffusion:
        """Phrases and passages, for hipporag2."""
        return prepare(self.graph, len(self.graph.indptr) - 1)

    @cached_property
    def phrases_only(self) -> Diffusion:
        """Phrases alone, for hipporag."""
        return prepare(self.graph, self.n_phrases)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a filter lets be seen of a phrase graph.

    Attributes
    ----------
    facts, phrases
        bool, (n_facts,) and (n_phrases,): those that a passage states which may be seen.
    name
        How a phrase is shown.
    """

    facts: Mask
    phrases: Mask
    name: Callable[[int], str]


def shown_of(segment: Segment, graph: PhraseGraph, passages: Mask | None) -> Shown:
    """Return what may be seen where some passages may; all where none are named.

    Parameters
    ----------
    segment, graph
        The namespace.
    passages
        bool, (n_passages,), or None.
    """
    phrases = held(graph.mentions, passages, graph.n_phrases)
    if segment.has_phrases:
        facts = held(segment.passage_relations, passages, len(segment.relation_texts))
        return Shown(facts, phrases, graph.names.__getitem__)
    inside = Inside(segment, passages)
    return Shown(inside.facts(np.arange(segment.n_facts)), phrases, inside.name)


def fact_of(segment: Segment, number: int, passages: Mask | None = None) -> Fact:
    """Return one fact of a namespace's phrase graph in words, with the first of some passages that states it.

    Parameters
    ----------
    segment, number
        The fact.
    passages
        bool, (n_passages,): one of these states it; None means all.
    """
    if not segment.has_phrases:
        return Inside(segment, passages).fact(number)
    triple = Triple(*segment.relation(number))
    passage = int(segment.array("relation_passage")[number])
    if passages is not None:
        rows = segment.passage_relations
        places = np.flatnonzero(rows.indices == number)
        owners = np.searchsorted(rows.indptr, places, side="right") - 1
        passage = int(owners[passages[owners]][0])
    ends = dict.fromkeys((triple.subject, triple.object))
    return Fact(number, triple.text, segment.passage_ids[passage], tuple(ends), triple)


def facts_of(segment: Segment, passage: int) -> list[int]:
    """Return the facts of the phrase graph that a passage states, ascending."""
    if segment.has_phrases:
        return [int(number) for number in segment.passage_relations.row(passage)[0]]
    first, last = segment.array("passage_facts")[passage : passage + 2].tolist()
    return list(range(first, last))


_made: WeakKeyDictionary[Segment, PhraseGraph] = WeakKeyDictionary()


def phrase_graph_of(segment: Segment) -> PhraseGraph:
    """Return the graph of a namespace, made at the first call and kept as long as the segment is."""
    known = _made.get(segment)
    if known is None:
        known = _made[segment] = _stored(segment) if segment.has_phrases else _from_entities(segment)
    return known


def _stored(segment: Segment) -> PhraseGraph:
    ends = segment.array("relation_ends")
    n = len(segment.phrase_texts)
    relation = np.repeat(np.arange(len(ends), dtype=np.int32), 2)
    mentions = segment.rows("phrase_mentions")
    return PhraseGraph(
        names=segment.phrase_texts,
        vectors=segment.array("phrase_vectors"),
        fact_vectors=segment.array("relation_vectors"),
        fact_phrases=rows_of(relation, ends.ravel(), np.ones(2 * len(ends), np.float32), len(ends)),
        passages_of=np.maximum(np.bincount(mentions.indices, minlength=n), 1).astype(np.int64),
        mentions=mentions,
        graph=segment.rows("phrase_graph"),
    )


def _from_entities(segment: Segment) -> PhraseGraph:
    from scipy import sparse

    if segment.is_light:
        raise UsageError(
            f"the namespace {segment.namespace!r} was indexed light, without vectors of entities and sentences, "
            "which the methods hipporag and hipporag2 need; index again with the preset full, or ask with graph"
        )
    facts, synonyms = segment.fact_entities, segment.synonyms
    n, n_passages = segment.n_entities, segment.n_passages
    ones = np.ones(len(facts.indices), np.float32)
    stated = sparse.csr_array((ones, facts.indices, facts.indptr), shape=(segment.n_facts, n))
    together = (stated.T @ stated).tocoo()
    owner = np.repeat(segment.array("fact_passage"), np.diff(facts.indptr))
    mentions = rows_of(owner.astype(np.int32), np.asarray(facts.indices), ones, n_passages)
    passage = np.repeat(np.arange(n_passages, dtype=np.int32) + n, np.diff(mentions.indptr))
    alike = np.repeat(np.arange(n, dtype=np.int32), np.diff(synonyms.indptr))
    other = together.row != together.col
    one = np.ones(len(passage), np.float32)
    # Weights as in the papers' graph: a pair counts once from either end, so twice.
    row = np.concatenate([together.row[other], alike, passage, mentions.indices])
    column = np.concatenate([together.col[other], synonyms.indices, mentions.indices, passage])
    weight = np.concatenate([2 * together.data[other], 2 * synonyms.weights, one, one])
    return PhraseGraph(
        names=segment.entity_names,
        vectors=segment.array("entity_vectors"),
        fact_vectors=segment.array("fact_vectors"),
        fact_phrases=facts,
        passages_of=np.maximum(segment.array("entity_passages"), 1).astype(np.int64),
        mentions=mentions,
        graph=rows_of(row.astype(np.int32), column.astype(np.int32), weight, n + n_passages),
    )
