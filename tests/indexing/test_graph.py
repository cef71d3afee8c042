"""The walk's graph by hand, and its matrices against scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from hipporag_like.config import GraphConfig
from hipporag_like.indexing.graph import Mentions, build_graph
from hipporag_like.indexing.ragged import starts_of
from hipporag_like.indexing.rows import rows_of


def mentions_of(n_passages, n_entities, fact_passage, mentions, titles=(), terms=()):
    """Mentions are (fact, entity, count), titles (passage, entity)."""
    numbers = np.array(sorted(mentions), np.int32).reshape(-1, 3)
    titled = np.array(sorted(titles), np.int32).reshape(-1, 2)
    return Mentions(
        passage_facts=starts_of(np.bincount(np.array(fact_passage, np.int64), minlength=n_passages)),
        starts=starts_of(np.bincount(numbers[:, 0], minlength=len(fact_passage))),
        entity=numbers[:, 1].copy(),
        count=numbers[:, 2].astype(np.uint16),
        titles=starts_of(np.bincount(titled[:, 0], minlength=n_passages)),
        title=titled[:, 1].copy(),
        is_term=np.isin(np.arange(n_entities), list(terms)),
    )


def dense(rows, n_columns):
    matrix = np.zeros((len(rows.indptr) - 1, n_columns))
    for i in range(len(matrix)):
        columns, weights = rows.row(i)
        matrix[i, columns] = weights
    return matrix


# Passage 0 has facts 0 and 1, passage 1 none, passage 2 fact 2. Entity 0 is once in fact 0, entity 1 twice
# in fact 0 and once in fact 2, entity 2 is the title of passages 0 and 1 and named in fact 1.
BY_HAND = mentions_of(
    3, 3, [0, 0, 2], [(0, 0, 1), (0, 1, 2), (1, 2, 1), (2, 1, 1)], titles=[(0, 2), (1, 2)], terms=[0]
)


def test_weights_by_hand():
    config = GraphConfig(title_weight=4.0, term_weight=0.3)
    graph = build_graph(BY_HAND, config)
    wanted = [[0.3, 0, 0], [1 + np.log(2), 0, 1], [4, 1 + 4, 0]]
    np.testing.assert_allclose(dense(graph.entity_facts, 3), wanted, rtol=1e-6)
    np.testing.assert_array_equal(dense(graph.fact_entities, 3), dense(graph.entity_facts, 3).T)
    assert graph.entity_passages.tolist() == [1, 2, 2]


def test_types_are_those_of_the_walk():
    graph = build_graph(BY_HAND, GraphConfig())
    for rows in (graph.entity_facts, graph.fact_entities):
        assert (rows.indptr.dtype, rows.indices.dtype, rows.weights.dtype) == (np.int64, np.int32, np.float32)
    assert graph.entity_passages.dtype == np.int32


@pytest.mark.parametrize(
    "config",
    [GraphConfig(title_weight=0), GraphConfig(term_weight=0), GraphConfig(title_weight=0, term_weight=0)],
)
def test_what_weighs_nothing_is_no_edge(config):
    """The walk divides by the weights of a row; one that weighs nothing would end it with an error."""
    graph = build_graph(BY_HAND, config)
    for rows in (graph.entity_facts, graph.fact_entities):
        assert np.all(rows.weights > 0)
    assert graph.entity_passages.tolist() == [1, 2, 2]  # what is counted does not depend on weights


def test_a_corpus_without_entities():
    graph = build_graph(mentions_of(2, 0, [0, 1], []), GraphConfig())
    assert graph.entity_facts.indptr.tolist() == [0]
    assert graph.fact_entities.indptr.tolist() == [0, 0, 0]
    assert len(graph.entity_passages) == 0


def test_no_passages_at_all():
    graph = build_graph(mentions_of(0, 0, [], []), GraphConfig())
    assert graph.fact_entities.indptr.tolist() == graph.entity_facts.indptr.tolist() == [0]
    assert len(graph.fact_entities.indices) == 0


EDGES = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 9), st.sampled_from([0.0, 0.25, 1.0, 2.5])), max_size=60
)


@settings(max_examples=100, deadline=None)
@given(EDGES)
def test_rows_are_scipys(edges):
    row, column, weight = (
        (np.array(part) for part in zip(*edges, strict=True)) if edges else [np.zeros(0)] * 3
    )
    found = rows_of(row.astype(np.int32), column.astype(np.int32), weight.astype(np.float32), 8)
    theirs = sparse.coo_array((weight, (row.astype(int), column.astype(int))), shape=(8, 10)).tocsr()
    theirs.eliminate_zeros()
    theirs.sort_indices()
    assert found.indptr.tolist() == theirs.indptr.tolist()
    assert found.indices.tolist() == theirs.indices.tolist()
    np.testing.assert_allclose(found.weights, theirs.data, rtol=1e-6)


@st.composite
def corpora(draw):
    n_entities, n_passages = draw(st.integers(1, 8)), draw(st.integers(1, 6))
    fact_passage = sorted(draw(st.lists(st.integers(0, n_passages - 1), max_size=12)))
    entities, passages = st.integers(0, n_entities - 1), st.integers(0, n_passages - 1)
    mentions = {}
    if fact_passage:
        places = st.tuples(st.integers(0, len(fact_passage) - 1), entities)
        mentions = draw(st.dictionaries(places, st.integers(1, 5), max_size=30))
    titles = draw(st.lists(st.tuples(passages, entities), max_size=6, unique=True))
    terms = draw(st.sets(entities)) - {e for _, e in titles}
    triples = [(fact, entity, count) for (fact, entity), count in mentions.items()]
    made = mentions_of(n_passages, n_entities, fact_passage, triples, titles, terms)
    return made, np.array(fact_passage), triples, titles


@settings(max_examples=100, deadline=None)
@given(corpora())
def test_the_graph_is_what_a_loop_would_build(corpus):
    made, fact_passage, mentions, titles = corpus
    config, n_entities = GraphConfig(), len(made.is_term)
    wanted = np.zeros((n_entities, len(fact_passage)))
    for fact, entity, count in mentions:
        kind = config.term_weight if made.is_term[entity] else 1.0
        wanted[entity, fact] += kind * (1 + np.log(count))
    for passage, entity in titles:
        for fact in np.flatnonzero(fact_passage == passage):
            wanted[entity, fact] += config.title_weight
    graph = build_graph(made, config)
    np.testing.assert_allclose(dense(graph.entity_facts, wanted.shape[1]), wanted, rtol=1e-6)
    np.testing.assert_array_equal(
        dense(graph.fact_entities, wanted.shape[0]), dense(graph.entity_facts, wanted.shape[1]).T
    )
    for rows in (graph.entity_facts, graph.fact_entities):
        for i in range(len(rows.indptr) - 1):
            columns = rows.row(i)[0]
            assert (np.diff(columns) > 0).all()  # ascending, each once
    holding = [{p for p, x in titles if x == e} for e in range(n_entities)]
    for fact, entity, _ in mentions:
        holding[entity].add(int(fact_passage[fact]))
    assert graph.entity_passages.tolist() == [len(passages) for passages in holding]
