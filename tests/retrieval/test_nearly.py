"""Misspelt names: what is left out of the search could not have been found."""

from __future__ import annotations

import difflib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.spelling import BUCKETS, trigrams
from hipporag_like.retrieval import nearly
from hipporag_like.retrieval.nearly import MIN_DICE, MIN_RATIO, by_spelling

NAMES = st.text("abcd ", min_size=1, max_size=14)


class Names:
    """A segment of names alone."""

    def __init__(self, keys: list[str]) -> None:
        self.entity_key_strings = keys
        found = [trigrams(key) for key in keys]
        pairs = sorted((bucket, row) for row, buckets in enumerate(found) for bucket in buckets)
        self._arrays = {
            "indptr": np.searchsorted([bucket for bucket, _ in pairs], np.arange(BUCKETS + 1)),
            "entity": np.array([row for _, row in pairs], np.int32),
            "size": np.array(list(map(len, found)), np.int32),
        }

    def array(self, name: str) -> np.ndarray:
        return self._arrays[name.removeprefix("trigram_")]


def among_all(keys: list[str], name: str) -> tuple[int, float]:
    """Compare the name with every key."""
    wanted = set(trigrams(name))
    dice = [2 * len(wanted & set(trigrams(k))) / (len(wanted) + len(set(trigrams(k)))) for k in keys]
    order = sorted((i for i in range(len(keys)) if dice[i] >= MIN_DICE), key=lambda i: -dice[i])[:20]
    best, best_ratio = -1, MIN_RATIO
    for i in order:
        ratio = difflib.SequenceMatcher(None, name, keys[i]).ratio()
        if ratio > best_ratio:
            best, best_ratio = i, ratio
    return best, best_ratio


@settings(deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=40), NAMES, st.data())
def test_the_nearest_spelling_is_that_among_all(keys: list[str], name: str, data: st.DataObject):
    if data.draw(st.booleans()):
        base = data.draw(st.sampled_from(keys))
        at = data.draw(st.integers(0, len(base)))
        name = base[:at] + "d" + base[at + 1 :]
    assert by_spelling(Names(keys), name) == among_all(keys, name)  # type: ignore[arg-type]


def test_common_letters_are_not_read(monkeypatch: pytest.MonkeyPatch):
    """Of thousands of names that end alike only those that share something rare are looked at."""
    keys = sorted({f"name {i:04} international" for i in range(3000)} | {"qux international"})
    concatenated: list[int] = []
    real: Callable[..., np.ndarray] = np.concatenate

    def count(parts: list[np.ndarray]) -> np.ndarray:
        joined = real(parts)
        concatenated.append(len(joined))
        return joined

    monkeypatch.setattr(nearly, "MOST_READ", 100)
    names = Names(keys)
    monkeypatch.setattr(np, "concatenate", count)
    row, _ = by_spelling(names, "qux internationale")  # type: ignore[arg-type]
    assert keys[row] == "qux international"
    assert max(concatenated) <= 100
