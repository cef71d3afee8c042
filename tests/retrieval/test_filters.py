"""Metadata filters against a plain reading of them, document by document."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.errors import UsageError
from hipporag_like.indexing.columns import metadata_columns
from hipporag_like.retrieval.filters import OPERATORS, allowed_passages, check_where
from hipporag_like.store.tables import StringTable


class ColumnsOnly:
    """The part of a segment that a filter reads; document i has ``i % 3 + 1`` passages."""

    def __init__(self, metadata: list[dict[str, Any]]) -> None:
        self._arrays = dict(metadata_columns(metadata))
        counts = [i % 3 + 1 for i in range(len(metadata))]
        self._arrays["passage_document"] = np.repeat(np.arange(len(metadata), dtype=np.int32), counts)

    def array(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def strings(self, name: str) -> StringTable:
        return StringTable(self._arrays[f"{name}_text"], self._arrays[f"{name}_offset"])


def passing(metadata: list[dict[str, Any]], where: Any) -> list[int]:
    """Return the documents that pass; all passages of one must agree."""
    segment = ColumnsOnly(metadata)
    mask = allowed_passages(segment, where)  # type: ignore[arg-type]
    assert mask is not None
    owners = segment.array("passage_document")
    found = set(owners[mask].tolist())
    assert found.isdisjoint(owners[~mask].tolist())
    return sorted(found)


ROWS: list[dict[str, Any]] = [
    {"year": 1975, "kind": "film", "tags": ["sea", 1]},
    {"year": 1982.5, "kind": "Film", "seen": True},
    {"year": "1975", "kind": None, "seen": 1, "tags": []},
    {"year": True, "tags": "sea"},
    {"year": None, "seen": False, "tags": ["sea", "space"]},
    {},
    {"seen": 0, "tags": [True], "size": {"w": 1}},
]


@pytest.mark.parametrize(
    ("where", "documents"),
    [
        ({"year": 1975}, [0]),
        ({"year": 1975.0}, [0]),
        ({"year": "1975"}, [2]),
        ({"year": True}, [3]),
        ({"year": 1}, []),
        ({"year": None}, [4]),
        ({"year": {"gte": 1975}}, [0, 1]),
        ({"year": {"gt": 1975}}, [1]),
        ({"year": {"lt": 1982.5}}, [0]),
        ({"year": {"lte": 1982.5}}, [0, 1]),
        ({"year": {"gt": 1900, "lt": 1980}}, [0]),
        ({"year": {"gt": "1"}}, [2]),
        ({"year": {"lt": None}}, []),
        ({"year": {"ne": 1975}}, [1, 2, 3, 4]),
        ({"year": {"in": [1975, "1975", None]}}, [0, 2, 4]),
        ({"year": {"in": []}}, []),
        ({"year": {"in": (1982.5,)}}, [1]),
        ({"year": {}}, [0, 1, 2, 3, 4]),
        ({"kind": "film"}, [0]),
        ({"kind": {"in": {"film", "Film"}}}, [0, 1]),
        ({"seen": True}, [1]),
        ({"seen": 1}, [2]),
        ({"seen": False}, [4]),
        ({"seen": 0}, [6]),
        ({"seen": {"gte": 0}}, [2, 6]),
        ({"tags": "sea"}, [0, 3, 4]),
        ({"tags": 1}, [0]),
        ({"tags": True}, [6]),
        ({"tags": ["sea", "space"]}, [4]),
        ({"tags": ("sea", "space")}, [4]),
        ({"tags": ["space", "sea"]}, []),
        ({"tags": []}, [2]),
        ({"tags": {"ne": "sea"}}, [2, 6]),
        ({"tags": {"in": ["space", 1]}}, [0, 4]),
        ({"size": {"eq": {"w": 1}}}, [6]),
        ({"none": "x"}, []),
        ({"none": {"ne": "x"}}, []),
        ({"year": 1975, "kind": "film"}, [0]),
        ({"year": 1975, "kind": "Film"}, []),
        ({"year": np.int64(1975)}, [0]),
        ({"year": {"lt": np.float64(1980)}}, [0]),
    ],
)
def test_conditions(where: dict[str, Any], documents: list[int]):
    assert passing(ROWS, where) == documents


def test_every_comparison_is_known():
    assert set(OPERATORS) == {"eq", "ne", "lt", "lte", "gt", "gte", "in"}


@pytest.mark.parametrize("where", [None, {}])
def test_no_filter_allows_everything(where: Any):
    assert allowed_passages(ColumnsOnly(ROWS), where) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("year", "where must be a mapping"),
        ([], "where must be a mapping"),
        (0, "where must be a mapping"),
        ([("year", 1)], "where must be a mapping"),
        ({1: 2}, "where takes field names as texts, got 1"),
        ({"year": {"above": 2}}, "unknown comparison 'above' for year; use eq, ne, lt, lte, gt, gte, in"),
        ({"year": {"gte": 1, "$lt": 2}}, r"unknown comparison '\$lt'"),
        ({"year": {"in": "1975"}}, "in takes a list of values for year, got '1975'"),
        ({"year": {"in": {"a": 1}}}, "in takes a list"),
        ({"none": {"near": 1}}, "unknown comparison 'near' for none"),
    ],
)
def test_what_is_not_understood_is_refused(where: Any, message: str):
    with pytest.raises(UsageError, match=message):
        allowed_passages(ColumnsOnly(ROWS), where)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=message):
        check_where(where)


# Against brute force

SCALARS = st.sampled_from([0, 1, 2, 1.0, 2.5, -1, True, False, None, "", "1", "a", "b", "ß"])
VALUES = SCALARS | st.lists(SCALARS, max_size=3)
METADATA = st.lists(
    st.dictionaries(st.sampled_from(["x", "y", "Zürich"]), VALUES, max_size=3), min_size=1, max_size=8
)
CONDITIONS = SCALARS | st.dictionaries(
    st.sampled_from(["eq", "ne", "lt", "lte", "gt", "gte"]), SCALARS, min_size=1, max_size=2
)
CONDITIONS |= st.lists(SCALARS, max_size=3).map(lambda values: {"in": values})


def same(value: Any, wanted: Any) -> bool:
    """JSON's equality: true is no 1, and 1 is 1.0; a list holds its items."""
    if isinstance(value, list):
        return any(same(item, wanted) for item in value)
    return value == wanted and (type(value) is bool) == (type(wanted) is bool)


def holds(value: Any, name: str, wanted: Any) -> bool:
    if name == "in":
        return any(same(value, item) for item in wanted)
    if name in ("eq", "ne"):
        return same(value, wanted) == (name == "eq")
    kinds = [
        ("text" if isinstance(v, str) else "number" if type(v) in (int, float) else "none")
        for v in (value, wanted)
    ]
    if kinds[0] != kinds[1] or kinds[0] == "none":
        return False
    return {"lt": value < wanted, "lte": value <= wanted, "gt": value > wanted, "gte": value >= wanted}[name]


@given(
    METADATA, st.dictionaries(st.sampled_from(["x", "y", "Zürich", "w"]), CONDITIONS, min_size=1, max_size=2)
)
def test_equals_reading_every_document(metadata: list[dict[str, Any]], where: dict[str, Any]):
    expected = []
    for number, values in enumerate(metadata):
        tests = [
            (field, condition if isinstance(condition, dict) else {"eq": condition})
            for field, condition in where.items()
        ]
        if all(f in values and all(holds(values[f], name, w) for name, w in t.items()) for f, t in tests):
            expected.append(number)
    assert passing(metadata, where) == expected


@given(METADATA)
def test_columns_hold_what_was_put_in(metadata: list[dict[str, Any]]):
    segment = ColumnsOnly(metadata)
    fields = list(segment.strings("field"))
    assert fields == sorted({name for values in metadata for name in values})
    for i, field in enumerate(fields):
        values = list(segment.strings(f"field{i}_value"))
        codes = segment.array(f"field{i}_code").tolist()
        assert len(set(values)) == len(values)
        for code, stored in zip(codes, metadata, strict=True):
            assert (code == -1) == (field not in stored)
            if code >= 0:
                assert json.dumps(stored[field], sort_keys=True, ensure_ascii=False) == values[code]
