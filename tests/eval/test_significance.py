"""Tests of significance against enumeration by hand and against their own guarantees."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.errors import UsageError
from hipporag_like.eval.significance import (
    EXACT_UP_TO,
    bootstrap_interval,
    bootstrap_intervals,
    randomisation_test,
    randomisation_tests,
)


def brute_force_p(a, b):
    differences = [x - y for x, y in zip(a, b, strict=True)]
    observed = abs(sum(differences))
    patterns = list(itertools.product((1, -1), repeat=len(differences)))
    sums = [abs(sum(s * d for s, d in zip(p, differences, strict=True))) for p in patterns]
    return sum(s >= observed - 1e-9 for s in sums) / len(patterns)


def test_worked_by_hand():
    # All three differences point one way: 2 of 8 patterns are as extreme.
    assert randomisation_test([1, 2, 3], [0, 0, 0]) == 0.25
    # |1 - 1 + 1| = 1: every pattern sums to 1 or 3.
    assert randomisation_test([1, 0, 1], [0, 1, 0]) == 1.0
    assert randomisation_test([5.0], [5.0]) == 1.0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=8))
def test_small_samples_are_exact(pairs):
    a, b = [x / 4 for x, _ in pairs], [y / 4 for _, y in pairs]
    assert randomisation_test(a, b, seed=1) == brute_force_p(a, b)
    assert randomisation_test(b, a, seed=2) == brute_force_p(a, b)


def test_sampling_agrees_with_enumeration_at_the_border():
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.4, 1, EXACT_UP_TO + 1), rng.normal(0, 1, EXACT_UP_TO + 1)
    exact = brute_force_p(a.tolist(), b.tolist())
    # 5 standard errors of 20000 samples
    assert randomisation_test(a, b, samples=20_000) == pytest.approx(exact, abs=5 * (0.25 / 20_000) ** 0.5)


def test_no_difference_is_not_significant_and_a_clear_one_is():
    same = [0.5] * 40
    better = [x + 0.1 for x in same]
    assert randomisation_test(same, same) == 1.0
    assert randomisation_test(better, same, samples=999) == 1 / 1000  # never 0
    low, high = bootstrap_interval(better, same)
    assert low == pytest.approx(0.1) and high == pytest.approx(0.1)


def test_same_seed_same_numbers():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=50), rng.normal(size=50)
    assert randomisation_test(a, b, seed=4) == randomisation_test(a, b, seed=4)
    assert bootstrap_interval(a, b, seed=4) == bootstrap_interval(a, b, seed=4)
    assert bootstrap_interval(a, b, seed=4) != bootstrap_interval(a, b, seed=5)


def test_bootstrap_matches_the_normal_interval_on_normal_differences():
    differences = np.random.default_rng(7).normal(1.0, 2.0, 400)
    low, high = bootstrap_interval(differences, np.zeros(400))
    half = 1.96 * differences.std() / 20  # the interval of a mean of 400
    assert low == pytest.approx(differences.mean() - half, abs=0.03)
    assert high == pytest.approx(differences.mean() + half, abs=0.03)
    narrow_low, narrow_high = bootstrap_interval(differences, np.zeros(400), level=0.5)
    assert low < narrow_low < narrow_high < high


@settings(max_examples=25)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=20), st.integers(0, 3))
def test_interval_of_swapped_methods_is_mirrored_in_range(values, seed):
    zeros = [0.0] * len(values)
    low, high = bootstrap_interval(values, zeros, samples=200, seed=seed)
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
    swapped = bootstrap_interval(zeros, values, samples=200, seed=seed)
    assert swapped == pytest.approx((-high, -low), abs=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1.0], [1.0, 2.0], "got 1 and 2"),
        ([], [], "at least one"),
        ([float("nan")], [1.0], "finite"),
        ([float("inf")], [1.0], "finite"),
    ],
)
def test_bad_pairs_are_refused(a, b, message):
    for function in (randomisation_test, bootstrap_interval):
        with pytest.raises(UsageError, match=message):
            function(a, b)


def test_bad_options_are_refused():
    with pytest.raises(UsageError, match="samples"):
        randomisation_test([1.0], [0.0], samples=0)
    with pytest.raises(UsageError, match="samples"):
        bootstrap_interval([1.0], [0.0], samples=0)
    for level in (0.0, 1.0, 95):
        with pytest.raises(UsageError, match="level"):
            bootstrap_interval([1.0], [0.0], level=level)


# --- many columns at once -----------------------------------------------------------------------------


def test_columns_are_tested_like_the_pairs_one_by_one_written_out():
    """The same random numbers, in plain loops over questions and samples."""
    values = np.random.default_rng(5).integers(-2, 3, size=(14, 3)).astype(float)
    samples = 300
    signs = 1 - 2 * np.random.default_rng(7).integers(0, 2, size=(samples, 14), dtype=np.int8)
    drawn = np.random.default_rng(7).integers(0, 14, size=(samples, 14))
    for column in range(3):
        differences = values[:, column]
        observed = abs(sum(differences))
        extreme = sum(
            abs(sum(s * d for s, d in zip(row, differences, strict=True))) >= observed for row in signs
        )
        tested = randomisation_tests(values, samples=samples, seed=7)[column]
        assert tested == (extreme + 1) / (samples + 1)
        means = [sum(differences[i] for i in row) / 14 for row in drawn]
        bounds = bootstrap_intervals(values, samples=samples, seed=7)[column]
        assert bounds == pytest.approx(np.quantile(means, [0.025, 0.975]))


@pytest.mark.parametrize("table", [np.zeros((0, 2)), np.array([[1.0, np.nan]])])
def test_tables_that_cannot_be_tested_are_refused(table):
    with pytest.raises(UsageError, match="no question|finite"):
        randomisation_tests(table)
    with pytest.raises(UsageError, match="no question|finite"):
        bootstrap_intervals(table)
