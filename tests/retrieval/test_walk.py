"""The walk by hand, its bounds by property, and that two runs agree to the byte."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.errors import ConfigError
from hipporag_like.indexing.rows import Rows, rows_of
from hipporag_like.retrieval.similarity import DenseFacts
from hipporag_like.retrieval.transition import transition
from hipporag_like.retrieval.walk import WalkGraph, WalkOptions, walk

ENGINES = ("push", "power", "prpack")


def rows(edges, n_rows):
    row, column, weight = zip(*edges, strict=True) if edges else ((), (), ())
    return rows_of(np.array(row, np.int32), np.array(column, np.int32), np.array(weight, np.float32), n_rows)


def graph_of(n_entities, n_facts, mentions, synonyms=(), vectors=None):
    """Mentions are (entity, fact, weight), synonyms (entity, entity, cosine)."""
    both = [*synonyms, *((b, a, w) for a, b, w in synonyms)]
    return WalkGraph(
        rows(list(mentions), n_entities),
        rows([(f, e, w) for e, f, w in mentions], n_facts),
        rows(both, n_entities),
        DenseFacts(np.zeros((n_facts, 2), np.float32) if vectors is None else np.array(vectors, np.float32)),
    )


def options(damping=0.5, tolerance=1e-12, sharpness=0.0, synonym_share=0.2):
    return WalkOptions(damping, tolerance, sharpness, synonym_share)


def seeds_of(*pairs):
    return np.array([s for s, _ in pairs], np.int64), np.array([m for _, m in pairs], np.float64)


def exact(graph, question, seeds, mass, how):
    """Solve p = (1 - d) s + d P^T p as a dense system: (entity masses, fact masses)."""
    matrix = transition(graph, question, how).toarray()
    start = np.zeros(len(matrix))
    np.add.at(start, seeds, mass)
    solved = np.linalg.solve(np.eye(len(matrix)) - how.damping * matrix.T, (1 - how.damping) * start)
    return np.split(solved, [len(graph.entity_facts.indptr) - 1])


def spread(result, n_entities, n_facts):
    entities, facts = np.zeros(n_entities), np.zeros(n_facts)
    entities[result.entities], facts[result.facts] = result.entity_mass, result.fact_mass
    return np.concatenate([entities, facts])


PLAIN = np.array([0.0, 1.0], np.float32)
# A - f0 - B - f1
CHAIN = [(0, 0, 1.0), (1, 0, 1.0), (1, 1, 1.0)]


@pytest.mark.parametrize("engine", ENGINES)
def test_four_nodes_by_hand(engine):
    # Start at A, d = 1/2. With a, b the entities' and x, y the facts' mass:
    #   a = 1/2 + x/4    b = x/4 + y/2    x = a/2 + b/4    y = b/4
    # Solved: b = 2x/7, x = 14/45, so a, b, x, y = 26/45, 4/45, 14/45, 1/45; their sum is 1.
    result = walk(graph_of(2, 2, CHAIN), PLAIN, *seeds_of((0, 1.0)), options(), engine)
    np.testing.assert_allclose(result.entity_mass, [26 / 45, 4 / 45], atol=1e-9)
    np.testing.assert_allclose(result.fact_mass, [14 / 45, 1 / 45], atol=1e-9)
    assert result.entities.tolist() == result.facts.tolist() == [0, 1]


@pytest.mark.parametrize("engine", ENGINES)
def test_conditioned_by_hand(engine):
    # f1 is like the question (cosine 1), f0 is not (0); exp(b) = 3, so B leaves 1/4 to f0 and 3/4 to f1:
    #   a = 1/2 + x/4    b = x/4 + y/2    x = a/2 + b/8    y = 3b/8
    # Solved: b = 4x/13, x = 26/87, so a, b, x, y = 50/87, 8/87, 26/87, 3/87.
    graph = graph_of(2, 2, CHAIN, vectors=[[1, 0], [0, 1]])
    result = walk(graph, PLAIN, *seeds_of((0, 1.0)), options(sharpness=float(np.log(3))), engine)
    np.testing.assert_allclose(result.entity_mass, [50 / 87, 8 / 87], atol=1e-9)
    np.testing.assert_allclose(result.fact_mass, [26 / 87, 3 / 87], atol=1e-9)


@pytest.mark.parametrize("engine", ENGINES)
def test_synonyms_by_hand(engine):
    # A stands in f0 alone and is one with C, which stands nowhere: A leaves 1/5 to C, 4/5 to f0; C leaves
    # all to A. a = 1/2 + (x + c)/2, x = 2a/5, c = a/10, so a, c, x = 10/15, 1/15, 4/15.
    graph = graph_of(2, 1, [(0, 0, 1.0)], [(0, 1, 0.9)])
    result = walk(graph, PLAIN, *seeds_of((0, 1.0)), options(), engine)
    np.testing.assert_allclose(result.entity_mass, [10 / 15, 1 / 15], atol=1e-9)
    np.testing.assert_allclose(result.fact_mass, [4 / 15], atol=1e-9)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_seed_that_leads_nowhere_keeps_its_start_and_the_rest_ends(engine):
    graph = graph_of(3, 2, CHAIN)
    result = walk(graph, PLAIN, *seeds_of((0, 0.5), (2, 0.5)), options(), engine)
    np.testing.assert_allclose(result.entity_mass, [13 / 45, 2 / 45, 0.25], atol=1e-9)
    np.testing.assert_allclose(result.fact_mass, [7 / 45, 0.5 / 45], atol=1e-9)


def test_a_seed_named_twice_counts_twice():
    graph = graph_of(2, 2, CHAIN)
    once = walk(graph, PLAIN, *seeds_of((0, 1.0)), options())
    twice = walk(graph, PLAIN, *seeds_of((0, 0.25), (0, 0.75)), options())
    np.testing.assert_allclose(twice.entity_mass, once.entity_mass, atol=1e-12)
    assert twice.entities.tolist() == [0, 1]


def test_a_seed_without_mass_is_no_node_of_the_result():
    result = walk(graph_of(3, 2, CHAIN), PLAIN, *seeds_of((0, 1.0), (2, 0.0)), options())
    assert result.entities.tolist() == [0, 1]


@pytest.mark.parametrize("engine", ENGINES)
def test_no_seed_no_mass(engine):
    result = walk(graph_of(2, 2, CHAIN), PLAIN, *seeds_of(), options(), engine)
    assert len(result.entities) == len(result.facts) == result.pushes == 0
    assert result.residual == 0.0


def test_an_unknown_engine_is_refused():
    with pytest.raises(ConfigError, match="push, power or prpack, got 'warp'"):
        walk(graph_of(2, 2, CHAIN), PLAIN, *seeds_of((0, 1.0)), options(), "warp")


def test_facts_that_are_alike_tie_exactly():
    star = graph_of(6, 5, [(0, f, 1.0) for f in range(5)] + [(f + 1, f, 1.0) for f in range(5)])
    result = walk(star, PLAIN, *seeds_of((0, 1.0)), options(damping=0.85, tolerance=1e-7))
    assert len(set(result.fact_mass.tolist())) == 1
    assert len(set(result.entity_mass[1:].tolist())) == 1


def test_what_the_walk_cannot_reach_is_never_looked_at():
    """A vector of nan would spoil the sum of any entity that meets it."""
    vectors = [[1, 0], [0, 1], [np.nan, np.nan]]
    graph = graph_of(3, 3, [*CHAIN, (2, 2, 1.0)], vectors=vectors)
    result = walk(graph, PLAIN, *seeds_of((0, 1.0)), options(sharpness=1.0))
    assert result.entities.tolist() == [0, 1]
    assert np.isfinite(result.entity_mass).all()


def test_read_only_arrays_are_fine():
    """An index maps its arrays read-only."""
    graph = graph_of(2, 2, CHAIN)
    arrays = [a for r in (graph.entity_facts, graph.fact_entities, graph.synonyms) for a in vars_of(r)]
    for array in (*arrays, graph.facts.vectors):
        array.flags.writeable = False
    result = walk(graph, PLAIN, *seeds_of((0, 1.0)), options())
    np.testing.assert_allclose(result.entity_mass, [26 / 45, 4 / 45], atol=1e-9)


def vars_of(matrix: Rows):
    return matrix.indptr, matrix.indices, matrix.weights


# Coarse enough that products of vectors are exact in float32, whatever the order of adding.
QUARTERS = st.integers(-4, 4).map(lambda n: n / 4)


@st.composite
def walks(draw, plain=False):
    n_entities, n_facts = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    places = st.tuples(st.integers(0, n_entities - 1), st.integers(0, n_facts - 1))
    ties = draw(st.lists(places, min_size=1, max_size=40, unique=True))
    weight = st.just(1.0) if plain else st.sampled_from([0.25, 1.0, 1.7, 4.0])
    mentions = [(e, f, draw(weight)) for e, f in ties]
    pair = st.tuples(st.integers(0, n_entities - 1), st.integers(0, n_entities - 1))
    pairs = (
        []
        if plain
        else draw(st.lists(pair.filter(lambda p: p[0] < p[1]), max_size=6, unique=True))
        if n_entities > 1
        else []
    )
    synonyms = [(a, b, draw(st.sampled_from([0.8, 0.9, 1.0]))) for a, b in pairs]
    vectors = draw(st.lists(st.tuples(QUARTERS, QUARTERS), min_size=n_facts, max_size=n_facts))
    linked = sorted({e for e, _ in ties})
    chosen = draw(st.lists(st.sampled_from(linked), min_size=1, max_size=4, unique=True))
    shares = np.array(draw(st.lists(st.integers(1, 9), min_size=len(chosen), max_size=len(chosen))), float)
    question = np.array([draw(QUARTERS), draw(QUARTERS)], np.float32)
    how = WalkOptions(
        damping=draw(st.floats(0.05, 0.95)),
        tolerance=10.0 ** draw(st.integers(-7, -1)),
        sharpness=0.0 if plain else draw(st.floats(0, 5)),
        synonym_share=draw(st.floats(0.01, 0.9)),
    )
    graph = graph_of(n_entities, n_facts, mentions, synonyms, vectors)
    return graph, question, np.array(chosen, np.int64), shares / shares.sum(), how


@settings(max_examples=120, deadline=None)
@given(walks())
def test_what_is_left_unspread_is_the_error(case):
    graph, question, seeds, mass, how = case
    true = np.concatenate(exact(graph, question, seeds, mass, how))
    result = walk(graph, question, seeds, mass, how)
    found = spread(result, len(graph.entity_facts.indptr) - 1, len(graph.fact_entities.indptr) - 1)
    assert np.all(found <= true + 1e-12)
    assert np.abs(true - found).sum() == pytest.approx(result.residual, abs=1e-9)
    degrees = [np.diff(graph.entity_facts.indptr) + 1, np.diff(graph.fact_entities.indptr)]
    assert result.residual <= how.tolerance * np.concatenate(degrees).sum() + 1e-12


@settings(max_examples=60, deadline=None)
@given(walks(plain=True))
def test_the_error_of_a_node_is_bounded_by_its_degree(case):
    graph, question, seeds, mass, how = case
    true = np.concatenate(exact(graph, question, seeds, mass, how))
    result = walk(graph, question, seeds, mass, how)
    found = spread(result, len(graph.entity_facts.indptr) - 1, len(graph.fact_entities.indptr) - 1)
    degrees = np.concatenate([np.diff(graph.entity_facts.indptr), np.diff(graph.fact_entities.indptr)])
    assert np.all(true - found <= 2 * how.tolerance * degrees + 1e-12)


@settings(max_examples=50, deadline=None)
@given(walks())
def test_two_walks_agree_to_the_byte(case):
    first, second = walk(*case), walk(*case)
    for name in ("entities", "entity_mass", "facts", "fact_mass"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()
    assert (first.pushes, first.residual) == (second.pushes, second.residual)


@settings(max_examples=50, deadline=None)
@given(walks())
def test_every_row_of_the_transition_sums_to_one_or_nothing(case):
    graph, question, _, _, how = case
    sums = transition(graph, question, how).toarray().sum(axis=1)
    assert np.all(np.isclose(sums, 1) | (sums == 0))
