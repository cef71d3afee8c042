"""JSON out of what a language model says: prose and fences around it, a cut end, wrong types, duplicates."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hipporag_like.models.json_reader import MAX_DEPTH, JsonReader, TooDeepError
from hipporag_like.models.structured import AnswerError
from hipporag_like.text import entity_key, squeeze
from hipporag_like.types import Triple

T = TypeVar("T", bound=Hashable)

MAX_STARTS = 16  # objects looked at in one answer: drafts and examples before the real one
_START = re.compile(r"\{\s*(?=[\"'\u201c}\w])")


@dataclass(frozen=True, slots=True)
class Recovered:
    """An object read from an answer; ``whole`` tells whether it was closed."""

    values: Mapping[str, Any]
    whole: bool


@dataclass(frozen=True, slots=True)
class Items(Generic[T]):
    """The usable items of a list, and how many were dropped as wrong or repeated."""

    kept: tuple[T, ...]
    dropped: int


# Where the opening tag was taken off by the server, only a tag that ends its line or stands before the object ends a
# thought: within a text of the object neither can be.
_END_OF_THOUGHT = re.compile(r"</think>(?=\s*(?:\n|\{|```|\Z))")


def read_object(text: str) -> Recovered:
    """Return the JSON object in an answer: the longest one, if there are several.

    Parameters
    ----------
    text
        The answer. What stands before and after the object is passed over, as is what reasoning models think.

    Raises
    ------
    AnswerError
        There is none, or it is nested too deep, or nothing of it is complete.
    """
    text = _without_thought(text)
    best: Recovered | None = None
    longest, at, reason = 0, 0, "it holds no JSON object"
    for _ in range(MAX_STARTS):
        start = _START.search(text, at)
        if start is None:
            break
        reader = JsonReader(text, start.start())
        try:
            values = reader.object(0)
        except TooDeepError:
            at, reason = start.start() + 1, f"its JSON is nested more than {MAX_DEPTH} levels deep"
            continue
        at = reader.at
        if not values and reader.cut:
            reason = "its JSON object ends before the first item does"
        elif at - start.start() > longest:
            best, longest = Recovered(values, not reader.cut), at - start.start()
    if best is None:
        raise AnswerError(reason)
    return best


def json_object(text: str) -> dict[str, Any]:
    """Return the JSON object in an answer, what is missing at its end left out; see :func:`read_object`."""
    return dict(read_object(text).values)


def strings(values: Mapping[str, Any], key: str) -> Items[str]:
    """Return the texts under ``key``, white space squeezed; numbers count as texts.

    Raises
    ------
    AnswerError
        There is no list under ``key``, or nothing in it is of use.
    """
    return _items(values, key, [_text(item) for item in _list(values, key)], "texts")


def triples(values: Mapping[str, Any], key: str) -> Items[Triple]:
    """Return the facts under ``key``: lists of three texts, or objects with subject, relation and object.

    Raises
    ------
    AnswerError
        There is no list under ``key``, or nothing in it is of use.
    """
    found = [_triple(item) for item in _list(values, key)]
    return _items(values, key, found, "lists of three texts: subject, relation, object")


def numbers(values: Mapping[str, Any], key: str) -> Items[int]:
    """Return the whole numbers under ``key``.

    Raises
    ------
    AnswerError
        There is no list under ``key``, or nothing in it is of use.
    """
    return _items(values, key, [_whole(item) for item in _list(values, key)], "whole numbers")


def _list(values: Mapping[str, Any], key: str) -> Sequence[Any]:
    for name, value in values.items():
        if name.strip().lower() == key and isinstance(value, list):
            return value
    raise AnswerError(f'it has no list named "{key}"')


def _items(values: Mapping[str, Any], key: str, found: Sequence[T | None], what: str) -> Items[T]:
    kept = tuple(dict.fromkeys(item for item in found if item is not None))
    if found and not kept:
        raise AnswerError(f'the list "{key}" must hold {what}')
    return Items(kept, len(found) - len(kept))


def _text(item: Any) -> str | None:
    """Return a name; None where it holds no word."""
    if isinstance(item, (int, float)) and not isinstance(item, bool):
        item = str(item)
    return squeeze(item) if isinstance(item, str) and entity_key(item) else None


def _triple(item: Any) -> Triple | None:
    if isinstance(item, dict):
        item = [item.get("subject"), item.get("relation", item.get("predicate")), item.get("object")]
    if not isinstance(item, list) or len(item) != 3:
        return None
    subject, relation, thing = _text(item[0]), item[1], _text(item[2])
    if subject is None or thing is None or not isinstance(relation, str) or not relation.strip():
        return None
    return Triple(subject, squeeze(relation), thing)


def _whole(item: Any) -> int | None:
    if isinstance(item, str) and re.fullmatch(r"\s*[0-9]{1,9}\s*", item):
        return int(item)
    return item if isinstance(item, int) and not isinstance(item, bool) else None


def _without_thought(text: str) -> str:
    """Return an answer without what a reasoning model thinks before it."""
    if text.lstrip().startswith("<think>"):
        _, end, answer = text.partition("</think>")
        if not end:
            raise AnswerError("it ends before the thinking does; think less and give the JSON object")
        return answer
    ends = [] if text.lstrip().startswith("{") else list(_END_OF_THOUGHT.finditer(text))
    return text[ends[-1].end() :] if ends else text
