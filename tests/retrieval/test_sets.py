"""Sets as ascending arrays, against numpy's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.retrieval.sets import distinct, places, starts_of

NUMBERS = st.lists(st.integers(-5, 20), max_size=30)


@pytest.mark.parametrize("dtype", [np.int64, np.int32])
@given(NUMBERS, NUMBERS)
def test_numpy_finds_the_same(dtype: type, first: list[int], second: list[int]):
    numbers, wanted = np.array(first, dtype), np.array(second, dtype)
    keys = distinct(numbers)
    assert keys.dtype == dtype
    assert keys.tolist() == np.unique(numbers).tolist()
    assert keys[np.cumsum(starts_of(np.sort(numbers))) - 1].tolist() == sorted(first)
    found = places(keys, wanted)
    assert (found >= 0).tolist() == np.isin(wanted, numbers).tolist()
    assert keys[found[found >= 0]].tolist() == [number for number in second if number in first]
