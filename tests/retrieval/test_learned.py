"""The learned signal: its scale by hand, its bounds by property, its model files by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.errors import ModelError
from hipporag_like.retrieval.clues import Clues
from hipporag_like.retrieval.features import NAMES, WINDOW_COLUMNS, Asked, Opinion, Sheet, features
from hipporag_like.retrieval.learned import (
    RANGE,
    REASONS,
    WEIGHT,
    model,
    needs_windows,
    reasons,
    signal_of,
    table_of,
)
from hipporag_like.retrieval.trees import Trees, joined, save_trees


def stump(
    name: str, threshold: float, low: float, high: float, names: tuple[str, ...] | None = None
) -> Trees:
    """Return one tree that looks at one column."""
    columns = names or (name,)
    one = np.array([0], np.int32)
    return Trees(
        columns,
        one,
        one + columns.index(name),
        np.array([threshold]),
        one - 1,
        one - 2,
        np.array([low, high]),
    )


def sheet_of_scores(score: list[float]) -> Sheet:
    n, nobody = len(score), np.zeros(0, np.int64)
    values = np.array(score)
    part = Clues(
        np.zeros((n, 3)), np.zeros((n, 3)), np.zeros((n, 1)), np.full((n, 1), -np.inf), np.zeros((3, 1)),
        np.zeros(n), np.zeros((n, 5)), nobody, nobody, np.zeros(0),
    )  # fmt: skip
    return Sheet([part], Opinion(values, values, values, values), Asked(0.0, 0, 1.0, 3, 0.0))


def learned(trees: Trees, sheet: Sheet) -> np.ndarray:
    return signal_of(trees.score(table_of(trees, sheet)))


def test_the_range_counts_once_and_the_fixed_score_twice():
    assert pytest.approx((1 - WEIGHT) * RANGE) == 2 * WEIGHT
    assert 0 < WEIGHT < 1


def test_by_hand():
    # Columns "rank" are 0, 1, 2 and 3.
    sheet = sheet_of_scores([0.9, 0.5, 0.4, 0.1])
    assert learned(stump("rank", 1.5, 7.0, 7.0 - RANGE / 4), sheet) == pytest.approx([1, 1, 0.75, 0.75])
    assert learned(stump("rank", 0.5, 1.0, 4.0), sheet) == pytest.approx([1 - 3 / RANGE, 1, 1, 1])
    # What is further below than the range is as bad as can be.
    assert learned(stump("rank", 0.5, 100.0, 0.0), sheet).tolist() == [1, 0, 0, 0]


def test_columns_are_found_by_name_wherever_they_stand():
    sheet = sheet_of_scores([0.9, 0.5, 0.1])
    expected = learned(stump("rank", 0.5, 1.0, 4.0), sheet)
    for names in (("dense", "rank"), ("rank", "walk"), NAMES, NAMES[::-1]):
        np.testing.assert_array_equal(learned(stump("rank", 0.5, 1.0, 4.0, names), sheet), expected)


def test_trees_that_ask_nothing_make_all_alike():
    none = np.zeros(0, np.int32)
    empty = Trees(("rank",), none, none, np.zeros(0), none, none, np.zeros(0))
    assert learned(empty, sheet_of_scores([0.9, 0.1])).tolist() == [1, 1]


@pytest.mark.parametrize("fusion", ["full", "fast"])
@settings(max_examples=50, deadline=None)
@given(scores=st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_the_best_has_one_and_none_less_than_nothing(fusion: str, scores: list[float]):
    sheet = sheet_of_scores(scores)
    trees = model(fusion)
    found = learned(trees, sheet)
    assert found.dtype == np.float64
    assert found.shape == (len(scores),)
    assert found.max() == 1.0
    assert found.min() >= 0.0
    values = trees.score(features(sheet)[:, [NAMES.index(name) for name in trees.names]])
    assert found.argmax() == values.argmax()


@pytest.mark.parametrize("name", NAMES)
def test_windows_are_needed_by_the_columns_of_windows_only(name: str):
    assert needs_windows(stump(name, 0.0, 0.0, 1.0)) == (name in WINDOW_COLUMNS)
    assert needs_windows(stump("walk", 0.0, 0.0, 1.0, ("walk", name))) == (name in WINDOW_COLUMNS)


def test_models_by_name_and_by_file(tmp_path: Path):
    assert set(model("fast").names) == set(NAMES) - set(WINDOW_COLUMNS)
    assert set(model("full").names) == set(NAMES)
    own = replace(stump("walk", 0.5, 1.0, 2.0), leaf=np.array([0.25, -1.0]))
    save_trees(own, tmp_path / "full.json")  # a file of that name is not the shipped one
    assert model(str(tmp_path / "full.json")).leaf.tolist() == [0.25, -1.0]
    with pytest.raises(ModelError, match="none.json is no model"):
        model(str(tmp_path / "none.json"))


def test_reasons_by_hand():
    # Ranks 0, 1, 2, 3: the middle one is 2. Rank up to 1 is worth 3, else -1; bm25 above 0.95 is worth 1.
    sheet = sheet_of_scores([0.9, 0.5, 0.4, 0.1])
    names = ("rank", "bm25")
    trees = joined(names, [stump("rank", 1.5, 3.0, -1.0, names), stump("bm25", 0.95, 0.0, 1.0, names)])
    table = table_of(trees, sheet)
    first, middle = reasons(trees, table, [0, 2])
    assert first == pytest.approx({"rank": 4 * WEIGHT / RANGE})
    assert middle == {}  # is the middle one itself, and bm25 moves nothing
    assert reasons(trees, table, []) == []


def test_reasons_are_the_strongest_and_few():
    sheet = sheet_of_scores([0.9, 0.5, 0.4, 0.1])
    names = tuple(NAMES)
    told = ("rank", "score", "bm25", "dense", "incoming_signal")
    trees = joined(names, [stump(n, 0.45, -float(i), float(i), names) for i, n in enumerate(told, 1)])
    (found,) = reasons(trees, table_of(trees, sheet), [0])
    assert len(found) <= REASONS
    strengths = [abs(value) for value in found.values()]
    assert strengths == sorted(strengths, reverse=True) and min(strengths) > 0
