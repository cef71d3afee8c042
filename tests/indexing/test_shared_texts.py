"""Texts that two numberings share, whether they stand in a table or came later."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.indexing.numbers import Numbers, TableNumbers
from hipporag_like.store.tables import pack_strings

_TEXTS = st.lists(st.text("abé", max_size=3), max_size=8, unique=True)


def _numbers(table: list[str] | None, later: list[str]) -> Numbers:
    numbers = Numbers()
    if table is not None:
        data, starts = pack_strings(sorted(table))
        numbers = TableNumbers(starts, data)
    for text in later:
        numbers[text]
    return numbers


@given(st.none() | _TEXTS, _TEXTS, st.none() | _TEXTS, _TEXTS, st.randoms(use_true_random=False))
def test_shared_texts_are_those_of_both(table, later, other_table, other_later, random):
    ours, other = _numbers(table, later), _numbers(other_table, other_later)
    chosen = np.array([random.random() < 0.5 for _ in range(len(other.texts))], dtype=bool)
    texts, rows = ours.shared(other, chosen)
    wanted = {text for text, held in zip(other.texts, chosen.tolist(), strict=True) if held}
    assert sorted(texts) == sorted(wanted & set(ours.texts))
    assert [ours.texts[row] for row in rows.tolist()] == texts
