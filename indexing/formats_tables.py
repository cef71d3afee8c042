"""Files of many rows: JSON Lines, JSON, CSV and TSV. A bad row is a failure; the rest goes on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from hipporag_like.errors import InputError
from hipporag_like.indexing.formats_rows import TEXT_NAMES, parse_json, row_document
from hipporag_like.indexing.formats_text import (
    BINARY,
    SNIFF_BYTES,
    decode,
    looks_binary,
    not_decodable,
    read_text,
    too_large,
    wide_encoding,
)
from hipporag_like.types import Document, Failure

Item = tuple[str, Document] | Failure  # a document with the place it was read from, or why there is none

MAX_LINE_BYTES = 64 << 20  # a longer line is no row but a file without line ends
# Of a file that has to be in memory as a whole. As Python's values a byte of JSON takes 1 (rows of text) to 24 bytes
# (small objects): at this limit 0.3 to 6.4 GB.
MAX_WHOLE_BYTES = 256 << 20


def text_stream(stream: BinaryIO) -> BinaryIO:
    """Return a stream of the same text in UTF-8; ``stream`` must be seekable.

    Raises
    ------
    InputError
        The data is binary, or UTF-16 or UTF-32 that does not fit into memory.
    """
    head = stream.read(SNIFF_BYTES)
    stream.seek(0)
    if wide_encoding(head):
        data = stream.read(MAX_WHOLE_BYTES + 1)
        if len(data) > MAX_WHOLE_BYTES:
            raise InputError(too_large("file", MAX_WHOLE_BYTES, "save it as UTF-8, which is read in parts"))
        return io.BytesIO(decode(data).encode("utf-8"))
    if looks_binary(head):
        raise InputError(BINARY)
    return stream


def byte_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield the lines with their byte offsets; ``None`` stands for one over ``MAX_LINE_BYTES``."""
    offset = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        start, offset = offset, offset + len(line)
        if len(line) <= MAX_LINE_BYTES:
            yield start, line
            continue
        while not line.endswith(b"\n") and (line := stream.readline(1 << 20)):
            offset += len(line)
        yield start, None


def _decode_line(line: bytes | None, offset: int) -> str:
    if line is None:
        raise InputError(f"the line is longer than {MAX_LINE_BYTES >> 20} MiB")
    try:
        return line.decode("utf-8-sig" if offset == 0 else "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(not_decodable(None, offset + error.start)) from error


def jsonl_rows(lines: Iterable[tuple[int, bytes | None]], shown: str, namespace: str) -> Iterator[Item]:
    """Yield the documents of JSON Lines, one line in memory at a time.

    Parameters
    ----------
    lines
        As from :func:`byte_lines`.
    shown
        The name of the source in messages.
    namespace
        Of the rows that name none.
    """
    empty = True
    for number, (offset, line) in enumerate(lines, 1):
        if line is not None and not line.strip():
            continue
        empty = False
        where = f"{shown}:{number}"
        try:
            yield where, row_document(parse_json(_decode_line(line, offset).strip()), namespace)
        except InputError as error:
            yield Failure(where, str(error))
    if empty:
        raise InputError("the file is empty")


def json_rows(path: Path, shown: str, namespace: str) -> Iterator[Item]:
    """Yield the documents of one JSON value.

    A list of rows; an object with one list of rows; one row; a mapping from ids to texts or rows; or a
    mapping from titles to lists of sentences, as in HotpotQA.

    Raises
    ------
    InputError
        It is no JSON, or none of these.
    """
    fix = "write it as JSON lines (.jsonl), which are read one at a time"
    value = parse_json(read_text(path, MAX_WHOLE_BYTES, fix))
    if not isinstance(value, (dict, list)):
        raise InputError("the file holds no rows: a list or an object is expected")
    empty = True
    for place, row in _rows_of(value):
        empty = False
        where = f"{shown}[{place}]"
        try:
            yield where, row_document(row, namespace)
        except InputError as error:
            yield Failure(where, str(error))
    if empty:
        raise InputError("the file holds no rows")


def _rows_of(value: dict[str, Any] | list[Any]) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict) and isinstance(value.get("text"), str) and not _is_plain_mapping(value):
        yield "0", value
        return
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list) and all(isinstance(row, dict) for row in v)]
        if len(lists) != 1:
            yield from ((repr(key), _keyed_row(key, item)) for key, item in value.items())
            return
        value = lists[0]
    yield from ((str(number), row) for number, row in enumerate(value))


def _is_plain_mapping(value: dict[str, Any]) -> bool:
    """Whether ``value`` maps ids to texts, and one id happens to be ``text``; a row has an id or a title."""
    named = not value.keys().isdisjoint(("_id", "id", "title"))
    return len(value) > 1 and not named and all(isinstance(v, str) for v in value.values())


def _keyed_row(key: str, item: object) -> object:
    if isinstance(item, str):
        return {"_id": key, "text": item}
    if isinstance(item, dict):
        return item if "_id" in item or "id" in item else {"_id": key, **item}
    if isinstance(item, list) and item and all(isinstance(sentence, str) for sentence in item):
        spaced = any(sentence[:1].isspace() for sentence in item[1:])
        return {"_id": key, "title": key, "text": ("" if spaced else " ").join(item).strip()}
    return item


def csv_rows(
    lines: Iterable[tuple[int, bytes | None]], shown: str, namespace: str, tabs: bool
) -> Iterator[Item]:
    """Yield the documents of a table whose first row names the columns.

    Raises
    ------
    InputError
        The table has no column for the text, names a column twice, has no rows, or cannot be parsed any further.
    """
    # The default, 128 KiB a field, is too small for a text, and the setting is one for the process.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))
    inside = [0]  # bytes of the row that is being read
    texts = _counted(lines, inside)
    top, first = next(((i, line) for i, line in enumerate(texts, 1) if line.strip()), (0, ""))
    if not first:
        raise InputError("the file is empty")
    # Spreadsheets of countries with a decimal comma write semicolons.
    delimiter = "\t" if tabs else ";" if ";" in first and "," not in first else ","
    reader = csv.reader(texts, delimiter=delimiter)
    ended, empty = top - 1, True
    try:
        header = _header(next(csv.reader([first], delimiter=delimiter)))
        ended = top
        for cells in reader:
            where, ended, inside[0] = f"{shown}:{ended + 1}", top + reader.line_num, 0
            if cells:
                empty = False
                yield _table_row(header, cells, where, namespace)
    except csv.Error as error:
        raise InputError(f"the table cannot be read after line {ended}: {error}") from error
    if empty:
        raise InputError("the table has no rows below the names of its columns")


def _counted(lines: Iterable[tuple[int, bytes | None]], inside: list[int]) -> Iterator[str]:
    """Yield the lines as text; a quotation mark that nobody closes makes one row of all that follows."""
    for offset, line in lines:
        text = _decode_line(line, offset)
        inside[0] += len(line or b"")
        if inside[0] > MAX_LINE_BYTES:
            raise InputError(too_large("row", MAX_LINE_BYTES, "look for a quotation mark that is not closed"))
        yield text


def _header(cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    if not any(name in header for name in TEXT_NAMES):
        raise InputError(f"the first row names no text column, one of {', '.join(TEXT_NAMES)}")
    if len(set(header)) < len(header):
        raise InputError("the first row names a column twice")
    return header


def _table_row(header: list[str], cells: list[str], where: str, namespace: str) -> Item:
    try:
        if len(cells) > len(header):
            raise InputError(f"the row has {len(cells)} cells, the first row names {len(header)} columns")
        row = dict(zip(header, cells, strict=False))
        if not row.get("namespace"):  # an empty cell is no value
            row.pop("namespace", None)
        return where, row_document(row, namespace)
    except InputError as error:
        return Failure(where, str(error))
