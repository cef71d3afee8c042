"""Metadata filters: ``where={"year": 2020}`` or ``{"year": {"gte": 2000, "lt": 2010}}`` to a mask of passages.

A filter is exact: it is applied before anything is cut at k. Each distinct value of a field is looked at once.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import UsageError
from hipporag_like.indexing.columns import ABSENT
from hipporag_like.indexing.index import Segment

Where = Mapping[str, Any]


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Return a comparison that is false, not an error, between values of different kinds."""

    def test(value: Any, wanted: Any) -> bool:
        both_numbers = _is_number(value) and _is_number(wanted)
        both_texts = isinstance(value, str) and isinstance(wanted, str)
        return (both_numbers or both_texts) and compare(value, wanted)

    return test


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _equal(value: Any, wanted: Any) -> bool:
    """Return whether a field holds a value; a list-valued field holds each of its items."""
    if isinstance(value, list) and not isinstance(wanted, (list, tuple)):
        return any(_equal(item, wanted) for item in value)
    if isinstance(value, list):
        return len(value) == len(wanted) and all(map(_equal, value, wanted))
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "ne": lambda value, wanted: not _equal(value, wanted),
    "lt": _ordered(operator.lt),
    "lte": _ordered(operator.le),
    "gt": _ordered(operator.gt),
    "gte": _ordered(operator.ge),
    "in": lambda value, wanted: any(_equal(value, item) for item in wanted),
}


def check_where(where: Where) -> None:
    """Refuse a filter that is not understood.

    Raises
    ------
    UsageError
        An unknown comparison, or ``in`` without a list.
    """
    if not isinstance(where, Mapping):
        raise UsageError(f'where must be a mapping such as {{"year": 2020}}, got {where!r}')
    for field, condition in where.items():
        if not isinstance(field, str):
            raise UsageError(f"where takes field names as texts, got {field!r}")
        if not isinstance(condition, Mapping):
            continue
        for name, wanted in condition.items():
            if name not in OPERATORS:
                raise UsageError(
                    f"where: unknown comparison {name!r} for {field}; use {', '.join(OPERATORS)}"
                )
            if name == "in" and not isinstance(wanted, (list, tuple, set, frozenset)):
                raise UsageError(f"where: in takes a list of values for {field}, got {wanted!r}")


def allowed_passages(segment: Segment, where: Where | None) -> NDArray[np.bool_] | None:
    """Return which passages satisfy all conditions; None where there is no filter.

    Parameters
    ----------
    segment
        Where to look.
    where
        Field to value, or field to {comparison: value}. A document without the field satisfies no
        condition on it, ``ne`` included.

    Returns
    -------
    bool, (n_passages,), or None

    Raises
    ------
    UsageError
        See :func:`check_where`.
    """
    if where is None:
        return None
    check_where(where)
    if not where:
        return None
    fields = list(segment.strings("field"))
    owners = segment.array("passage_document")
    good = np.ones(int(owners.max()) + 1 if len(owners) else 0, dtype=bool)
    for field, condition in where.items():
        if field not in fields:
            return np.zeros(len(owners), dtype=bool)
        i = fields.index(field)
        codes = segment.array(f"field{i}_code")
        tests = condition if isinstance(condition, Mapping) else {"eq": condition}
        values = [json.loads(value) for value in segment.strings(f"field{i}_value")]
        passing = np.array(
            [all(OPERATORS[op](v, wanted) for op, wanted in tests.items()) for v in values] + [False]
        )
        good &= passing[codes] & (codes != ABSENT)
    mask: NDArray[np.bool_] = good[owners]
    return mask
