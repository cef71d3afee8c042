"""Holm's correction: worked by hand, against its definition, and what it may never do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.errors import UsageError
from hipporag_like.eval.correction import holm

probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_worked_by_hand():
    # In order .005 .01 .03 .04, times 4 3 2 1: .02 .03 .06 .04; the last may not fall below the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


@given(probabilities)
def test_it_rejects_what_the_step_down_procedure_rejects(p_values):
    """Holm 1979: go up from the smallest while p <= level / (number left); the rest are not rejected."""
    corrected = holm(p_values)
    for level in (0.01, 0.05, 0.2):
        rejected = set()
        for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
            if (len(p_values) - rank) * p_values[place] > level:
                break
            rejected.add(place)
        assert {i for i, p in enumerate(corrected) if p <= level} == rejected


@given(probabilities)
def test_it_never_lowers_a_value_and_keeps_the_order(p_values):
    corrected = holm(p_values)
    assert all(p <= q <= 1.0 for p, q in zip(p_values, corrected, strict=True))
    assert min(corrected) == min(1.0, len(p_values) * min(p_values))  # the smallest is Bonferroni's
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [corrected[i] for i in order] == sorted(corrected)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(wrong):
    with pytest.raises(UsageError, match="from 0 to 1"):
        holm([0.5, wrong])
