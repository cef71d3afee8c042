"""Answers that come as JSON though lines were asked for: ``{"answer": ..., "citations": [...]}``."""

from __future__ import annotations

import re
from typing import Any

from hipporag_like.models.json_answers import json_object
from hipporag_like.models.structured import AnswerError

_NUMBER_KEYS = ("passage", "number", "passage_number", "id", "index", "n", "source")
_QUOTE_KEYS = ("quote", "text", "words", "span", "evidence")
_LIST_KEYS = ("citations", "quotes", "sources", "evidence", "references")
_LEADING_NUMBER = re.compile(r"\W{0,3}(?:[Pp]assage )?(\d{1,3})\b\W{0,3}")


def answer_in_json(raw: str) -> tuple[str | None, tuple[tuple[int, str], ...]] | None:
    """Return the answer and the citations in a reply that is a JSON object; None where it is none.

    Parameters
    ----------
    raw
        A whole reply.

    Returns
    -------
    text, citations
        ``text`` is None where the object says so with ``null``; a citation is the number of a passage and the
        words quoted, empty where only a number was given.
    """
    if not raw.startswith(("{", "```")):
        return None
    try:
        values = json_object(raw)
    except AnswerError:
        return None
    values = {key.strip().lower(): value for key, value in values.items()}
    if "answer" not in values:
        return None
    listed: list[Any] = next((values[key] for key in _LIST_KEYS if isinstance(values.get(key), list)), [])
    found = (_citation(item) for item in listed)
    return _text(values["answer"]), tuple(item for item in found if item is not None)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value if isinstance(item, (str, int, float)))
    return str(value) if isinstance(value, (str, int, float)) else None


def _citation(item: Any) -> tuple[int, str] | None:
    if isinstance(item, dict):
        named = {str(key).strip().lower(): value for key, value in item.items()}
        number = next((n for key in _NUMBER_KEYS if (n := _whole(named.get(key))) is not None), None)
        quote = next((named[key] for key in _QUOTE_KEYS if isinstance(named.get(key), str)), "")
        return None if number is None else (number, quote)
    if isinstance(item, str):
        match = _LEADING_NUMBER.match(item)
        return None if match is None else (int(match[1]), item[match.end() :])
    number = _whole(item)
    return None if number is None else (number, "")


def _whole(value: Any) -> int | None:
    if isinstance(value, str):
        match = re.fullmatch(r"\W{0,3}(?:[Pp]assage )?(\d{1,3})\W{0,3}", value)
        return None if match is None else int(match[1])
    return value if isinstance(value, int) and not isinstance(value, bool) else None
