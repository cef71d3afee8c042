"""``--where``: conditions on metadata, from ``year>=2000`` to the mapping that the library takes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from hipporag_like.errors import UsageError

# Two characters before one: ">=" must not be read as ">" with a value that starts with "=".
_OPERATORS = {"!=": "ne", ">=": "gte", "<=": "lte", "=": "eq", ">": "gt", "<": "lt"}
_CONDITION = re.compile(
    r"\s*(?P<key>[^=!<>\s]+)\s*(?P<operator>!=|>=|<=|=|>|<|\bin\b)\s*(?P<value>.*\S)\s*", re.S
)
_ITEM = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^,]*?)\s*(?:,|$)')


def parse_where(conditions: Sequence[str]) -> dict[str, Any] | None:
    """Return the filter that all of ``conditions`` make together.

    Parameters
    ----------
    conditions
        Each ``KEY OP VALUE`` with OP one of ``= != >= <= > <``, or ``KEY in A,B``. Values are read as JSON
        where they are JSON (``2000``, ``true``, ``"2000"``), else as they stand.

    Returns
    -------
    dict or None
        ``{"lang": "en"}`` for equality, ``{"year": {"gte": 2000, "lt": 2010}}`` for all else; None where
        there are no conditions.

    Raises
    ------
    UsageError
        A condition that cannot be read, or the same one given twice for a key.
    """
    where: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        key, name, value = _parse(condition)
        tests = where.setdefault(key, {})
        if name in tests or (tests and "eq" in (name, *tests)):
            raise UsageError(f"--where {condition!r} repeats or contradicts an earlier condition on {key!r}")
        tests[name] = value
    return {key: tests.get("eq", tests) for key, tests in where.items()} or None


def _parse(condition: str) -> tuple[str, str, Any]:
    match = _CONDITION.fullmatch(condition)
    if match is None:
        raise UsageError(
            f"cannot read --where {condition!r}; write it as 'year>=2000', 'lang=en' or 'lang in en,de'"
        )
    key, operator, value = match["key"], match["operator"], match["value"]
    if value[0] in "=<>":  # "year==3", "year>>3": a slip, not a value; a text that begins so goes in quotes
        raise UsageError(
            f"cannot read --where {condition!r}: there is no comparison {operator + value[0]!r}; "
            "write it as 'year>=2000' with one of = != >= <= > <"
        )
    if operator == "in":
        return key, "in", _items(value)
    return key, _OPERATORS[operator], _value(value)


def _items(text: str) -> list[Any]:
    whole = _value(text)
    if isinstance(whole, list):
        return whole
    return [_value(m[1]) for m in _ITEM.finditer(text) if m[1]]


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _value(text: str) -> Any:
    """Read ``text`` as JSON if it is; Python's NaN and Infinity are not JSON and stay words."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text
