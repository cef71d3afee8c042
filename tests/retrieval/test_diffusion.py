"""PageRank from a wide start: three ways to the same numbers, worked by hand, and on random graphs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.rows import rows_of
from hipporag_like.retrieval.diffusion import prepare, rounds_for, spread

ENGINES = ("push", "power", "prpack")


def symmetric(n, edges):
    """Edges ``(a, b, weight)`` in both directions."""
    a, b, weight = (np.array(column) for column in zip(*edges, strict=True)) if edges else ([], [], [])
    row, column = np.concatenate([a, b]), np.concatenate([b, a])
    return rows_of(
        row.astype(np.int32), column.astype(np.int32), np.concatenate([weight, weight]).astype(np.float32), n
    )


@st.composite
def weighted_graphs(draw):
    n = draw(st.integers(1, 12))
    node = st.integers(0, n - 1)
    pairs = draw(st.lists(st.tuples(node, node), max_size=25, unique_by=lambda pair: (min(pair), max(pair))))
    weights = draw(st.lists(st.floats(0.01, 50), min_size=len(pairs), max_size=len(pairs)))
    reset = np.array(draw(st.lists(st.sampled_from([0.0, 0.05, 0.3, 1.0]), min_size=n, max_size=n)))
    if not reset.any():
        reset[draw(node)] = 1.0
    edges = [(a, b, weight) for (a, b), weight in zip(pairs, weights, strict=True) if a != b]
    return symmetric(n, edges), reset


@settings(max_examples=150, deadline=None)
@given(weighted_graphs(), st.floats(0.05, 0.95))
def test_engines_agree(graph_and_reset, damping):
    graph, reset = graph_and_reset
    ready = prepare(graph, len(reset))
    push, power, prpack = (spread([ready], [reset], damping, engine)[0] for engine in ENGINES)
    for found in (push, power, prpack):
        assert found.min() >= 0
        assert found.sum() == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(push, prpack, rtol=0, atol=1e-6)
    np.testing.assert_allclose(power, prpack, rtol=0, atol=2e-8)


@settings(max_examples=80, deadline=None)
@given(st.lists(weighted_graphs(), min_size=2, max_size=4), st.floats(0.05, 0.95), st.sampled_from(ENGINES))
def test_several_graphs_are_one_without_edges_between(parts, damping, engine):
    edges, offset = [], 0
    for graph, reset in parts:
        for a in range(len(reset)):
            edges += [
                (a + offset, int(b) + offset, float(w)) for b, w in zip(*graph.row(a), strict=True) if a < b
            ]
        offset += len(reset)
    whole = prepare(symmetric(offset, edges), offset)
    expected = spread([whole], [np.concatenate([reset for _, reset in parts])], damping, "prpack")[0]
    ready = [prepare(graph, len(reset)) for graph, reset in parts]
    found = spread(ready, [reset for _, reset in parts], damping, engine)
    atol = 1e-6 if engine == "push" else 2e-8  # as above: push leaves a residual
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=0, atol=atol)


@pytest.mark.parametrize("engine", ENGINES)
def test_two_nodes_by_hand(engine):
    # x0 = (1 - d) + d x1 and x1 = d x0, so x0 = (1 - d) / (1 - d^2) = 2/3 for d = 0.5.
    ready = prepare(symmetric(2, [(0, 1, 3.0)]), 2)
    found = spread([ready], [np.array([5.0, 0.0])], 0.5, engine)[0]
    np.testing.assert_allclose(found, [2 / 3, 1 / 3], atol=1e-8)


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_are_shares(engine):
    # From the middle of a path, 3/4 of each step goes to the heavy side: x1 = 0.5 + 0.5 (x0 + x2) = 2/3.
    ready = prepare(symmetric(3, [(0, 1, 3.0), (1, 2, 1.0)]), 3)
    found = spread([ready], [np.array([0.0, 1.0, 0.0])], 0.5, engine)[0]
    np.testing.assert_allclose(found, [1 / 4, 2 / 3, 1 / 12], atol=1e-8)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_node_without_edges_starts_anew(engine):
    # Half of the start is on a node without edges: what walks on from there starts anew.
    # x2 = 0.25 + 0.25 x2, so x2 = 1/3; the pair shares the rest 2 to 1.
    ready = prepare(symmetric(3, [(0, 1, 1.0)]), 3)
    found = spread([ready], [np.array([1.0, 0.0, 1.0])], 0.5, engine)[0]
    np.testing.assert_allclose(found, [4 / 9, 2 / 9, 1 / 3], atol=1e-8)


@pytest.mark.parametrize("engine", ENGINES)
def test_no_edges_at_all(engine):
    ready = prepare(symmetric(3, []), 3)
    found = spread([ready], [np.array([1.0, 3.0, 0.0])], 0.5, engine)[0]
    np.testing.assert_allclose(found, [0.25, 0.75, 0.0], atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_graph_that_is_given_nothing_keeps_nothing(engine):
    ready = prepare(symmetric(2, [(0, 1, 1.0)]), 2)
    one, other = spread([ready, ready], [np.array([1.0, 0.0]), np.zeros(2)], 0.5, engine)
    np.testing.assert_allclose(one, [2 / 3, 1 / 3], atol=1e-8)
    assert not other.any()


def test_nodes_beyond_the_first_are_left_out():
    # Node 2 would take half of what leaves node 0.
    graph = symmetric(3, [(0, 1, 1.0), (0, 2, 1.0)])
    found = spread([prepare(graph, 2)], [np.array([1.0, 0.0])], 0.5, "push")[0]
    np.testing.assert_allclose(found, [2 / 3, 1 / 3], atol=1e-8)


def test_rounds_grow_with_damping_and_beat_power_iteration():
    rounds = [rounds_for(damping) for damping in (0.05, 0.5, 0.85, 0.95, 0.99)]
    assert rounds == sorted(rounds)
    assert rounds_for(0.5) == 13  # power iteration takes log(1e-7) / log(0.5) = 24
    assert rounds_for(0.95) < 60  # and 315 here
