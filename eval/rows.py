"""Rows of JSON and JSON lines, each with its place, so that every complaint names file and row, and quotes neither."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hipporag_like.errors import InputError
from hipporag_like.plain_files import read_plain


@dataclass(frozen=True, slots=True)
class Row:
    """One JSON object and where it stands.

    Attributes
    ----------
    place
        File and row for messages: ``"data/questions.jsonl, line 3"``.
    values
        The object.
    """

    place: str
    values: Mapping[str, Any]

    def error(self, what: str) -> InputError:
        """Return the error that says what is wrong with this row."""
        return InputError(f"{self.place}: {what}")

    def first(self, *names: str) -> Any:
        """Return the value of the first of ``names`` that is present and not null, else ``None``."""
        return next((self.values[name] for name in names if self.values.get(name) is not None), None)

    def text(self, *names: str) -> str:
        """Return the string under the first of ``names`` that is present.

        Raises
        ------
        InputError
            None of the names is present, or the value is no string.
        """
        value = self.first(*names)
        if value is None:
            raise self.error(f"{_either(names)} is missing")
        if not isinstance(value, str):
            raise self.error(f"{_either(names)} must be text, got {_shown(value)}")
        return value

    def filled(self, *names: str) -> str:
        """Return the string as :meth:`text` does; a blank one is an error too."""
        value = self.text(*names)
        if not value.strip():
            raise self.error(f"{_either(names)} is empty")
        return value

    def optional_text(self, *names: str) -> str:
        """Return the string as :meth:`text` does, or ``""`` where it is left out."""
        return "" if self.first(*names) is None else self.text(*names)

    def identifier(self, *names: str) -> str:
        """Return an id: a string that is not blank, or a whole number as a string.

        Raises
        ------
        InputError
            It is missing, blank or something else.
        """
        value = self.first(*names)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.filled(*names)

    def strings(self, name: str) -> tuple[str, ...]:
        """Return a list of strings or numbers, or a single one, as strings; blank and repeated ones left out.

        Raises
        ------
        InputError
            It is missing, or an entry is neither text nor a number.
        """
        value = self.first(name)
        if value is None:
            raise self.error(f"{name!r} is missing")
        entries = value if isinstance(value, list) else [value]
        if not all(isinstance(e, (str, int, float)) and not isinstance(e, bool) for e in entries):
            raise self.error(f"{name!r} must be a list of texts, got {_shown(value)}")
        return tuple(dict.fromkeys(str(e) for e in entries if str(e).strip()))


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(repr(name) for name in names)


def _shown(value: object) -> str:
    """Return what kind of value it is: the value itself may be a document's text."""
    kinds = {list: "a list", dict: "an object", bool: "true or false", str: "text", type(None): "null"}
    return kinds.get(type(value), "a number")


def read_text(path: Path) -> str:
    """Return a UTF-8 file's text, without a byte order mark.

    Raises
    ------
    InputError
        The file cannot be read or is not UTF-8.
    """
    try:
        return read_plain(path).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def read_lines(path: Path) -> list[tuple[str, str]]:
    """Return the lines of a file that are not blank, each after its place.

    Lines end at line feeds only: JSON text may hold other separators (U+2028).
    """
    lines = read_text(path).split("\n")
    return [(f"{path}, line {n}", line) for n, line in enumerate(lines, 1) if line.strip()]


def read_rows(path: Path) -> list[Row]:
    """Return the objects of a ``.jsonl`` file, or of a ``.json`` file that holds a list, lines or one object.

    Raises
    ------
    InputError
        Unreadable, no JSON, a row that is no object, or no row at all.
    """
    if path.suffix == ".jsonl":
        return _line_rows(path)
    value = read_json(path)
    return rows_of(value if isinstance(value, list) else [value], path)


def rows_of(values: list[Any], path: Path) -> list[Row]:
    """Return the entries of a JSON list as rows, numbered from 1; see :func:`read_rows`."""
    if not values:
        raise InputError(f"{path} holds no rows")
    return [_as_row(value, f"{path}, row {n}") for n, value in enumerate(values, 1)]


def read_json(path: Path) -> Any:
    """Return the value in a JSON file; a file of JSON lines gives the list of their objects.

    Raises
    ------
    InputError
        Unreadable or no JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":  # what a second line of JSON lines gives
            raise InputError(f"{path} is not valid JSON: {error}") from error
    except ValueError as error:  # a number of 5,000 digits
        raise InputError(f"{path} is not valid JSON: {error}") from error
    except RecursionError as error:
        raise InputError(f"{path} is nested too deeply to be a data set") from error
    return [dict(row.values) for row in _line_rows(path)]


def _line_rows(path: Path) -> list[Row]:
    rows = [_as_row(_parse(line, place), place) for place, line in read_lines(path)]
    if not rows:
        raise InputError(f"{path} holds no rows")
    return rows


def _parse(line: str, place: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: not valid JSON: {error}") from error


def _as_row(value: Any, place: str) -> Row:
    if not isinstance(value, dict):
        raise InputError(f"{place}: must be a JSON object, got {_shown(value)}")
    return Row(place, value)
