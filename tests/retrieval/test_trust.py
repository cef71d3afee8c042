"""How much of a score goes to plain similarity: the formula by hand, its bounds by property."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.indexing.index import Segment
from hipporag_like.rag import HippoRAG
from hipporag_like.retrieval.link import Linked
from hipporag_like.retrieval.trust import plain_share

MakeSegment = Callable[..., Segment]


def linked_to_entities(named: Sequence[int] = (), near: Sequence[int] = ()) -> Linked:
    """Return a link to entities that the question names and to those of facts near it."""
    entities = np.array(sorted({*named, *near}), np.int64)
    mass = np.full(len(entities), 1 / max(len(entities), 1))
    return Linked(entities, mass, np.isin(entities, np.array(named, np.int64)), ())


def titles_of(n: int) -> list[tuple[int, int]]:
    return [(passage, 0) for passage in range(n)]


def test_the_formula_by_hand(make_segment: MakeSegment):
    # Entity 1 is in 10 of 100 passages: ln 10 / ln 100 = 1/2; every second passage has a title.
    segment = make_segment(100, [50, 10], titles=titles_of(50))
    # 1 - (1 - 0.4 (1 - 1/4)) (1 - 0.5 (1 - 1/2)) = 1 - 0.7 * 0.75
    assert plain_share([segment], [linked_to_entities([1])]) == pytest.approx(0.475)


@pytest.mark.parametrize(
    ("passages_of_name", "n_titled", "expected"),
    [
        (1, 100, 0.0),  # a name of one passage, titles everywhere: the graph keeps all it has
        (100, 100, 0.4),  # a name of every passage says nothing
        (1, 0, 0.5),
        (100, 0, 0.7),  # 1 - 0.6 * 0.5
        (0, 100, 0.0),  # found by its letters only, in no passage: as rare as in one
        (10, 100, 0.3),
    ],
)
def test_rare_names_and_titles_are_trusted(
    make_segment: MakeSegment, passages_of_name: int, n_titled: int, expected: float
):
    segment = make_segment(100, [passages_of_name], titles=titles_of(n_titled))
    assert plain_share([segment], [linked_to_entities([0])]) == pytest.approx(expected, abs=1e-12)


def test_the_rarest_name_counts(make_segment: MakeSegment):
    segment = make_segment(100, [100, 10, 100], titles=titles_of(100))
    assert plain_share([segment], [linked_to_entities([0, 1, 2])]) == pytest.approx(0.3)


def test_entities_of_near_facts_and_terms_are_no_names(make_segment: MakeSegment):
    segment = make_segment(100, [10, 1, 1], titles=titles_of(100), terms=[2])
    assert plain_share([segment], [linked_to_entities([0], near=[1])]) == pytest.approx(0.3)
    assert plain_share([segment], [linked_to_entities([0, 2])]) == pytest.approx(0.3)
    assert plain_share([segment], [linked_to_entities([2])]) == pytest.approx(0.4)
    assert plain_share([segment], [linked_to_entities()]) == pytest.approx(0.4)
    assert plain_share([segment], [None]) == pytest.approx(0.4)


def test_two_titles_of_one_passage_are_one(make_segment: MakeSegment):
    segment = make_segment(4, [1, 1], titles=[(1, 0), (1, 1), (3, 0), (3, 1)])
    assert segment.n_titled == 2
    # 1 - (1 - 0) (1 - 0.5 / 2)
    assert plain_share([segment], [linked_to_entities([0])]) == pytest.approx(0.25)


def test_of_namespaces_the_rarest_name_of_any_and_the_titles_of_all(make_segment: MakeSegment):
    titled = make_segment(100, [10], titles=titles_of(100))
    bare = make_segment(300, [300])
    # r = 1/2, t = 100 / 400: 1 - 0.7 * (1 - 0.5 * 0.75)
    by_hand = 1 - 0.7 * 0.625
    for other in (linked_to_entities([0]), linked_to_entities(), None):
        both = plain_share([titled, bare], [linked_to_entities([0]), other])
        assert both == pytest.approx(by_hand)
        assert plain_share([bare, titled], [other, linked_to_entities([0])]) == pytest.approx(by_hand)


def test_an_index_of_nothing_or_of_one_passage_has_no_rare_names(make_segment: MakeSegment):
    assert plain_share([make_segment(0, [])], [linked_to_entities()]) == pytest.approx(0.7)
    one = make_segment(1, [1], titles=titles_of(1))
    assert plain_share([one], [linked_to_entities([0])]) == pytest.approx(0.4)
    assert plain_share([], []) == pytest.approx(0.7)


@given(st.integers(2, 500), st.data())
def test_less_is_left_to_the_graph_the_more_frequent_the_name_and_the_fewer_the_titles(
    make_segment: MakeSegment, n: int, data: st.DataObject
):
    few, many = sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)), "passages of a name"))
    less, more = sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)), "titles"))

    def share(passages: int, titled: int) -> float:
        segment = make_segment(n, [passages], titles=titles_of(titled))
        return plain_share([segment], [linked_to_entities([0])])

    assert 0.0 <= share(few, more) <= share(many, more) <= share(many, less) <= 0.7 + 1e-12


def test_an_index_counts_its_titles(films: HippoRAG):
    # Eleven of the twelve passages have a title; "Alien (film)" names two entities.
    assert films._parts.index().segments["default"].n_titled == 11
