"""The k best against a full sort, ties and masks included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.retrieval.topk import top_k, top_set

# Few distinct values, so that most draws tie at the cut.
SCORES = st.lists(st.sampled_from([-2.0, -0.0, 0.0, 0.5, 1.0, 1e300, -np.inf, np.inf]), max_size=40)


@given(SCORES, st.integers(0, 50), st.sampled_from([np.float32, np.float64]), st.data())
def test_equals_a_full_sort(scores: list[float], k: int, dtype: type, data: st.DataObject):
    n = len(scores)
    mask = data.draw(st.none() | st.lists(st.booleans(), min_size=n, max_size=n))
    values = np.array(np.clip(scores, -1e30, 1e30), dtype=dtype)
    expected = sorted((i for i in range(n) if mask is None or mask[i]), key=lambda i: (-values[i], i))[:k]
    found = top_k(values, k, None if mask is None else np.array(mask, dtype=bool))
    assert found.tolist() == expected
    assert found.dtype == np.int64
    if mask is None and k > 0:
        np.testing.assert_array_equal(top_set(values, k), np.sort(found))


def test_ties_go_to_the_lower_number():
    assert top_k(np.array([1.0, 3.0, 3.0, 2.0, 3.0]), 2).tolist() == [1, 2]


@pytest.mark.parametrize("k", [1, 10])
def test_nothing_allowed_or_nothing_there(k: int):
    assert top_k(np.zeros(3), k, np.zeros(3, dtype=bool)).tolist() == []
    assert top_k(np.zeros(0), k).tolist() == []
