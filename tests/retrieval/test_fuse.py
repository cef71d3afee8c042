"""Signals to one score: numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.retrieval.fuse import (
    COSINES,
    DEPTH,
    HYBRID_WEIGHTS,
    WEIGHTS,
    Signal,
    fuse,
    incoming_signal,
    mass_signal,
    passage_mass,
    ranked_signal,
)
from hipporag_like.retrieval.incoming import NAMED, NEVER, UNKNOWN


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def by_passage(signal: Signal) -> dict[int, float]:
    return dict(zip(signal.passages.tolist(), signal.values.tolist(), strict=True))


def test_a_few_similarities_count_from_zero():
    signal = ranked_signal(ints(3, 5, 8), np.array([0.2, 0.8, 0.4]))
    assert by_passage(signal) == pytest.approx({5: 1.0, 8: 0.5, 3: 0.25})
    assert signal.passages.tolist() == [5, 8, 3]


def test_a_few_similarities_below_zero_count_from_the_worst():
    signal = ranked_signal(ints(0, 1, 2), np.array([0.6, -0.2, 0.2]))
    assert by_passage(signal) == pytest.approx({0: 1.0, 2: 0.5, 1: 0.0})


def test_many_similarities_count_from_the_hundred_and_first():
    scores = np.linspace(2.0, 1.0, DEPTH + 1)  # 2.00, 1.99, ..., 1.00
    signal = ranked_signal(np.arange(DEPTH + 21), np.concatenate([scores, np.full(20, 0.5)]))
    values = by_passage(signal)
    assert values[0] == 1.0
    assert values[50] == pytest.approx(0.5)
    assert [values[i] for i in range(DEPTH, DEPTH + 21)] == [0.0] * 21


@pytest.mark.parametrize("score", [-0.3, 0.0, 0.7])
def test_a_single_candidate_and_equal_ones_have_full_value(score: float):
    assert ranked_signal(ints(4), np.array([score])).values.tolist() == [1.0]
    assert ranked_signal(np.arange(200), np.full(200, score)).values.tolist() == [1.0] * 200


def test_no_candidates_give_no_signal():
    none = np.zeros(0)
    assert ranked_signal(ints(), none).values.tolist() == []
    assert mass_signal(ints(), none).values.tolist() == []


def test_mass_counts_in_powers_of_e():
    mass = np.array([math.exp(-4), 1.0, math.exp(-9), math.exp(-2)]) * 0.01
    assert mass_signal(ints(1, 2, 3, 4), mass).values == pytest.approx([0.5, 1.0, 0.0, 0.75])


def test_one_mass_or_equal_masses_have_full_value():
    assert mass_signal(ints(7), np.array([1e-200])).values.tolist() == [1.0]
    assert mass_signal(ints(1, 2), np.array([0.3, 0.3])).values.tolist() == [1.0, 1.0]


def test_passage_mass_is_the_sum_over_the_root_of_the_number_of_facts():
    # Passage 0 has facts 0..3, passage 1 none, passage 2 fact 4, passage 3 fact 5.
    fact_passage = np.array([0, 0, 0, 0, 2, 3], dtype=np.int32)
    passage_facts = ints(0, 4, 4, 5, 6)
    passages, mass = passage_mass(ints(0, 3, 4), np.array([0.1, 0.3, 0.5]), fact_passage, passage_facts)
    assert passages.tolist() == [0, 2]
    assert mass == pytest.approx([0.4 / 2, 0.5])
    _, undivided = passage_mass(ints(0, 3, 4), np.array([0.1, 0.3, 0.5]), fact_passage, passage_facts, 0.0)
    assert undivided == pytest.approx([0.4, 0.5])
    _, by_fact = passage_mass(ints(0, 3, 4), np.array([0.1, 0.3, 0.5]), fact_passage, passage_facts, 1.0)
    assert by_fact == pytest.approx([0.1, 0.5])
    passages, mass = passage_mass(ints(), np.zeros(0), fact_passage, passage_facts)
    assert (passages.tolist(), mass.tolist()) == ([], [])


def test_incoming_facts_count_by_what_the_best_is_more_like_the_question():
    cosines = np.array([0.7, 0.55, 0.4, 0.1, NAMED, UNKNOWN, NEVER])
    signal = incoming_signal(np.arange(7) * 3, cosines)
    assert signal.passages.tolist() == [0, 3, 6, 9, 12, 15, 18]
    assert signal.values == pytest.approx([1.0, 0.5, 0.0, 0.0, 1.0, 0.5, 0.0])


def test_incoming_facts_may_all_be_unlike_the_question():
    values = incoming_signal(ints(1, 2, 3, 4), np.array([-0.2, -0.35, -0.9, NEVER])).values
    assert values == pytest.approx([1.0, 0.5, 0.0, 0.0])


@pytest.mark.parametrize(("kind", "value"), [(NAMED, 1.0), (UNKNOWN, 0.5), (NEVER, 0.0), (-0.4, 1.0)])
def test_incoming_facts_all_of_one_kind(kind: float, value: float):
    assert incoming_signal(ints(5, 8), np.array([kind, kind])).values.tolist() == [value, value]


def test_no_incoming_fact_at_all_among_all_kinds():
    kinds = np.array([NAMED, UNKNOWN, NEVER])
    assert incoming_signal(ints(0, 1, 2), kinds).values.tolist() == [1.0, 0.5, 0.0]
    assert incoming_signal(ints(), np.zeros(0)).values.tolist() == []


def test_fuse_adds_weighted_shares_over_the_union():
    signals = {
        "graph": Signal(ints(2, 9), np.array([1.0, 0.5])),
        "dense": Signal(ints(9, 4), np.array([1.0, 0.25])),
    }
    passages, shares = fuse(signals, {"graph": 0.75, "dense": 0.25, "bm25": 1.0})
    assert passages.tolist() == [2, 4, 9]
    assert shares.tolist() == [[0.75, 0.0], [0.0, 0.0625], [0.375, 0.25]]


def test_fuse_of_nothing_is_nothing():
    passages, shares = fuse({"a": Signal(ints(), np.zeros(0))}, {"a": 1.0})
    assert passages.tolist() == []
    assert shares.shape == (0, 1)


def test_the_weights_of_a_method_add_up_to_one():
    assert sum(WEIGHTS.values()) == pytest.approx(1.0)
    assert sum(HYBRID_WEIGHTS.values()) == pytest.approx(1.0)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=150))
def test_a_ranked_signal_keeps_the_order_and_stays_between_zero_and_one(scores: list[float]):
    signal = ranked_signal(np.arange(len(scores)), np.array(scores))
    assert signal.values[0] == 1.0
    assert np.all((signal.values >= 0) & (signal.values <= 1))
    assert np.all(np.diff(signal.values) <= 0)
    assert np.all(np.diff(np.array(scores)[signal.passages]) <= 0)


@given(st.lists(st.floats(1e-300, 1), min_size=1, max_size=50), st.floats(1e-3, 1e3))
def test_a_mass_signal_keeps_the_order_and_does_not_know_the_total(mass: list[float], factor: float):
    values = mass_signal(np.arange(len(mass)), np.array(mass)).values
    order = np.argsort(-np.array(mass), kind="stable")
    assert values.max() == 1.0
    assert np.all(values >= 0)
    assert np.all(np.diff(values[order]) <= 0)
    scaled = mass_signal(np.arange(len(mass)), np.array(mass) * factor).values
    assert scaled == pytest.approx(values, abs=1e-6) or min(mass) * factor < 1e-290


@given(st.lists(st.floats(-1, 1) | st.sampled_from([NAMED, UNKNOWN, NEVER]), max_size=40))
def test_an_incoming_signal_keeps_the_order_and_stays_between_zero_and_one(cosines: list[float]):
    values = incoming_signal(np.arange(len(cosines)), np.array(cosines)).values
    assert np.all((values >= 0) & (values <= 1))
    finite = [cosine for cosine in cosines if math.isfinite(cosine)]
    for cosine, value in zip(cosines, values.tolist(), strict=True):
        if math.isfinite(cosine):
            assert value == pytest.approx(max(0.0, 1 - (max(finite) - cosine) / COSINES))
        else:
            assert value == (0.5 if math.isnan(cosine) else float(cosine > 0))
