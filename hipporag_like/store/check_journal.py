"""Reading every row of a journal, to find what is no longer what was written."""

from __future__ import annotations

import json
import math
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from hipporag_like.errors import StoreError
from hipporag_like.store.checksum import SUMMED_SINCE, row_checksum
from hipporag_like.store.codec import decode_extraction, decode_spans
from hipporag_like.store.connection import JOURNAL_NAME, connect_readonly, unquoted
from hipporag_like.store.finding import Finding, found
from hipporag_like.text import content_hash, squeeze

# The columns that each table's checksum covers, in their order.
TABLES = {
    "documents": ("namespace", "id", "title", "text", "metadata", "spans", "hash", "sort_key"),
    "extractions": ("fingerprint", "key", "status", "payload"),
    "vectors": ("fingerprint", "hash", "vector"),
    "calls": ("fingerprint", "key", "owner", "payload"),
}
CALLS_SINCE = 2  # the format of the journal that brought the table
_SHOWN = 5  # problems of one kind told one by one
_BLOBS = frozenset({("vectors", "hash"), ("vectors", "vector"), ("calls", "key")})
_DAMAGED = re.compile(r" is damaged \((.*)\);")  # of ``store.connection.corrupt``


class _Text(bytes):
    """A text as SQLite keeps it: a damaged one may be no UTF-8, and bytes where a text belongs are damage too."""


def journal_findings(folder: Path) -> Iterator[Finding]:
    """Yield what is wrong with the journal of an index folder; reads all of it.

    Parameters
    ----------
    folder
        The index folder.
    """
    path = folder / JOURNAL_NAME
    if not path.is_file() or path.stat().st_size == 0:
        remedy = f"put back a copy of it, or make the index again with: hipporag-like index SOURCE --index {folder}"
        yield Finding(str(path), "is missing", remedy)
        return
    try:
        connection = connect_readonly(folder)
    except StoreError as error:
        yield found(path, _inner(error), folder)
        return
    try:
        yield from (found(path, what, folder) for what in _problems(connection))
    except sqlite3.DatabaseError as error:
        yield found(path, unquoted(error), folder)
    except UnicodeDecodeError:  # from SQLite's own message, which quotes the damaged schema
        yield found(path, "its schema is not UTF-8", folder)
    finally:
        connection.close()


def _inner(error: StoreError) -> str:
    """Return what is wrong, without the path and the remedy that stand around it."""
    said = str(error)
    inside = _DAMAGED.search(said)
    return str(error.__cause__ or (inside[1] if inside else said))


def _problems(connection: sqlite3.Connection) -> Iterator[str]:
    for (line,) in connection.execute(f"PRAGMA integrity_check({_SHOWN})"):
        if line != "ok":
            yield f"SQLite: {squeeze(line)}"
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        yield "a row belongs to a model that is not named"
    (number,) = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    connection.text_factory = _Text
    if number >= SUMMED_SINCE:
        yield from _meta(connection)
    for table, columns in TABLES.items():
        if table != "calls" or number >= CALLS_SINCE:
            yield from _table(connection, table, columns, number >= SUMMED_SINCE)


def _meta(connection: sqlite3.Connection) -> Iterator[str]:
    for key, value, crc in connection.execute("SELECT key, value, crc FROM meta WHERE key LIKE 'user:%'"):
        if row_checksum(key, value) != crc:
            yield f"the note {_name(key)} does not fit its checksum"
    for (name,) in connection.execute("SELECT key FROM meta WHERE typeof(value) NOT IN ('integer', 'text')"):
        yield f"the note {_name(name)} has no value"


def _name(key: object) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else "without a name"


def _table(
    connection: sqlite3.Connection, table: str, columns: tuple[str, ...], summed: bool
) -> Iterator[str]:
    """Yield the problems of one table: rows that do not fit their checksum, or that no code of ours wrote."""
    wrong, first = 0, ""
    sums = "crc" if summed else "NULL"
    kinds = [
        int if column == "fingerprint" else bytes if (table, column) in _BLOBS else _Text
        for column in columns
    ]
    for number, crc, *values in connection.execute(
        f"SELECT rowid, {sums}, {', '.join(columns)} FROM {table} NOT INDEXED"
    ):
        fits = all(isinstance(value, kind) for value, kind in zip(values, kinds, strict=True))
        what = "its checksum" if summed and row_checksum(*values) != crc else CHECKS[table](values)
        what = what or ("" if fits else "a column holds another kind of value")
        if what:
            wrong, first = wrong + 1, first or f"row {number}: {what}"
    if wrong:
        yield f"{wrong} of the rows of {table} are not what was written, the first is {first}"


def check_document(values: list[object]) -> str:
    """Return what is wrong with the columns of a document; empty where nothing is."""
    try:
        _, _, title, text, metadata, spans, _, key = [str(value, "utf-8") for value in values]  # type: ignore[call-overload]
        length = len(text)
        if any(not 0 <= start <= end <= length for start, end in decode_spans(json.loads(spans))):
            return "a passage lies outside the text"
        if not isinstance(json.loads(metadata), dict):
            return "its metadata"
        return "" if content_hash(title, text) == key else "its text does not fit its hash"
    except (ValueError, TypeError) as error:
        return f"it cannot be read: {error}"


def check_extraction(values: list[object]) -> str:
    """Return what is wrong with the columns of an extraction; empty where nothing is."""
    _, _, status, payload = values
    try:
        if status == b"ok":
            decode_extraction(str(payload, "utf-8"))  # type: ignore[call-overload]
        return ""
    except (ValueError, TypeError) as error:
        return f"it cannot be read: {error}"


def check_vector(values: list[object]) -> str:
    """Return what is wrong with the columns of a vector; empty where nothing is."""
    vector = values[2]
    if not isinstance(vector, bytes) or not vector or len(vector) % 4:
        return "it is no vector"
    numbers = np.frombuffer(vector, dtype="<f4")
    # No vector of ours is longer than 1; a sum that is not finite holds what is no number.
    return "" if math.isfinite(float(np.dot(numbers, numbers))) else "it is not finite"


def check_call(values: list[object]) -> str:
    """Return what is wrong with the columns of a kept answer; empty where nothing is."""
    try:
        return "" if len(json.loads(str(values[3], "utf-8"))) == 4 else "it is no answer"  # type: ignore[call-overload]
    except (ValueError, TypeError) as error:
        return f"it cannot be read: {error}"


CHECKS: dict[str, Callable[[list[object]], str]] = {
    "documents": check_document,
    "extractions": check_extraction,
    "vectors": check_vector,
    "calls": check_call,
}
