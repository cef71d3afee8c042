"""Entities and facts to the graph: compressed sparse rows, both ways.

Entities and facts are the two sides of a bipartite graph; a fact belongs to one passage. An entity is tied
to the facts that mention it, and a title entity to every fact of its passage, because the sentences below a
title speak of it without naming it. Entities are tied to each other where they are one thing under two names.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import GraphConfig
from hipporag_like.indexing.ragged import Starts
from hipporag_like.indexing.rows import Rows


@dataclass(frozen=True, slots=True)
class Mentions:
    """Which entities stand where; all numbers ascend within a row.

    Attributes
    ----------
    passage_facts
        int64, (n_passages + 1,): where each passage's facts start.
    starts, entity, count
        int64 (n_facts + 1,), int32 and uint16: the entities in each fact, and how often each stands there.
    titles, title
        int64 (n_passages + 1,) and int32: the entities that each passage's title names.
    is_term
        bool, (n_entities,): known only as a term.
    """

    passage_facts: Starts
    starts: Starts
    entity: NDArray[np.int32]
    count: NDArray[np.uint16]
    titles: Starts
    title: NDArray[np.int32]
    is_term: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Graph:
    """The walk's graph.

    Attributes
    ----------
    entity_facts, fact_entities
        One matrix and its transpose, mention weights ``1 + ln(tf)`` plus the title's.
    entity_passages
        int32, (n_entities,): passages that mention the entity.
    """

    entity_facts: Rows
    fact_entities: Rows
    entity_passages: NDArray[np.int32]


def build_graph(mentions: Mentions, config: GraphConfig) -> Graph:
    """Return the graph of a namespace; an edge that weighs nothing is none.

    Parameters
    ----------
    mentions
        Entities, facts, titles.
    config
        Weights of title entities and of mined terms.
    """
    from hipporag_like.indexing.kernels import count_passages, merge_edges, transpose

    m, n_entities = mentions, len(mentions.is_term)
    n_passages = len(m.passage_facts) - 1
    owner = np.repeat(np.arange(n_passages, dtype=np.int32), np.diff(m.passage_facts))
    kind = np.where(m.is_term, config.term_weight, 1.0)[m.entity]
    weight = (kind * (1.0 + np.log(m.count))).astype(np.float32)
    title_weight = np.float32(config.title_weight)
    starts, entity, value = merge_edges(m.starts, m.entity, weight, m.titles, m.title, owner, title_weight)
    by_entity, fact, back = transpose(starts, entity, value, n_entities)
    return Graph(
        entity_facts=Rows(by_entity, fact, back),
        fact_entities=Rows(starts, entity, value),
        entity_passages=count_passages(m.passage_facts, m.starts, m.entity, m.titles, m.title, n_entities),
    )
