"""One row of JSON or of a table to one document, or the reason why not."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from hipporag_like.errors import InputError
from hipporag_like.types import Document

MAX_ID_CHARS = 512  # a key that people and shells can still handle; longer ones are texts in the wrong column
TEXT_NAMES = ("text", "contents", "passage", "body")  # the first one present holds the text
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_KINDS = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}


def _refuse_constant(name: str) -> Any:
    raise InputError(f"{name} is not a JSON value")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def parse_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    InputError
        It is not valid JSON, holds NaN or an infinity, or is nested too deeply.
    """
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        place = (
            f"line {error.lineno} column {error.colno}" if "\n" in text.rstrip() else f"column {error.colno}"
        )
        raise InputError(f"invalid JSON: {error.msg} at {place}") from error
    except RecursionError as error:
        raise InputError("invalid JSON: nested too deeply") from error
    except ValueError as error:  # an integer of more digits than Python converts
        raise InputError("invalid JSON: a number with too many digits") from error


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a number")


def check_id(value: str) -> str:
    """Return ``value``, which can be the id of a document.

    Raises
    ------
    InputError
        It is blank, too long or holds what no line of output can show.
    """
    if not value.strip():
        raise InputError("the id is blank")
    if len(value) > MAX_ID_CHARS:
        raise InputError(f"the id has {len(value)} characters, at most {MAX_ID_CHARS} are allowed")
    if _CONTROL.search(value):
        raise InputError("the id holds a control character or a line break")
    _check_characters(value, "id")
    return value


def _check_characters(value: str, name: str) -> None:
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InputError(f"{name!r} holds half a surrogate pair, which is no character") from error


def _string(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str):
        raise InputError(f"{name!r} must be a string, not {_kind(value)}")
    if "\0" in value:
        raise InputError(f"{name!r} holds a NUL character")
    _check_characters(value, name)
    return value


def _id_of(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise InputError(f"{name!r} must be a string or a number, not {_kind(value)}")
    if isinstance(value, float) and not math.isfinite(value):  # what 1e999 is read as
        raise InputError(f"{name!r} must be a finite number, not {value}")
    return check_id(str(value)) if value != "" else ""


def _check_metadata(metadata: Mapping[str, Any]) -> None:
    """Check that all values, nested ones too, can be stored as JSON."""
    for name, value in metadata.items():
        if isinstance(value, str) and value.isascii() and name.isascii():
            continue
        stack = [name, value]
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                _check_characters(item, name.encode("utf-8", "replace").decode())
            elif isinstance(item, float) and not math.isfinite(item):
                raise InputError(f"{name!r} holds a number that is not finite")
            elif isinstance(item, Mapping):
                stack.extend(item)
                stack.extend(item.values())
            elif isinstance(item, list):
                stack.extend(item)


def row_document(row: object, namespace: str) -> Document:
    """Return the document of one row: ``_id`` or ``id``, ``title``, ``text``; anything else is metadata.

    Raises
    ------
    InputError
        The row is no object, has no text, or a value of the wrong type.
    """
    if not isinstance(row, dict):
        raise InputError(f"a row must be an object, not {_kind(row)}")
    text_name = next((name for name in TEXT_NAMES if name in row), None)
    if text_name is None:
        raise InputError("'text' is missing")
    text = _string(row, text_name)
    if not text.strip():
        raise InputError(f"{text_name!r} is empty")
    id_name = "_id" if "_id" in row else "id"
    id = _id_of(row, id_name) if id_name in row else ""
    title = _string(row, "title") if row.get("title") is not None else ""
    if row.get("namespace") is not None:
        namespace = _string(row, "namespace")
        if not namespace.strip() or _CONTROL.search(namespace):
            raise InputError("'namespace' is blank or holds a control character")
    taken = (text_name, id_name, "title", "namespace")
    metadata = {name: value for name, value in row.items() if name not in taken}
    if metadata:
        _check_metadata(metadata)
    return Document(text, id, title, metadata, namespace)
