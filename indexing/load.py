"""Sources to documents: files, folders and standard input, as a stream; what cannot be read is a failure."""

from __future__ import annotations

import io
import itertools
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from hipporag_like.errors import InputError
from hipporag_like.indexing.formats import read_file
from hipporag_like.indexing.formats_rows import parse_json
from hipporag_like.indexing.formats_tables import Item, byte_lines, jsonl_rows
from hipporag_like.indexing.formats_text import MAX_TEXT_BYTES, decode, too_large, unix_lines
from hipporag_like.indexing.load_files import apart, find_files
from hipporag_like.indexing.office_process import OfficeProcess
from hipporag_like.types import DEFAULT_NAMESPACE, Document, Failure

STANDARD_INPUT = "-"
_STREAM = "standard input"  # its name in messages


def load(
    sources: Sequence[str | Path] | str | Path,
    *,
    namespace: str = DEFAULT_NAMESPACE,
    stdin: TextIO | BinaryIO | None = None,
) -> Iterator[Document | Failure]:
    """Read documents from files, folders and standard input, one at a time.

    Parameters
    ----------
    sources
        Paths; ``"-"`` is standard input: JSON Lines where its first line is a JSON object, else one text.
        Folders are read with all that is below them in the order of names, without hidden files.
    namespace
        Of the documents whose row names none.
    stdin
        What to read for ``"-"``; default: the standard input of the process.

    Returns
    -------
    iterator of Document or Failure
        A file that cannot be read, a bad row or an id met before is a failure that says why; the rest goes
        on. A file that several sources lead to is read once.

    Raises
    ------
    InputError
        At the call: a source does not exist, or standard input is named twice.
    """
    given = [sources] if isinstance(sources, (str, Path)) else list(sources)
    if not given:
        raise InputError("no sources were given; name a file, a folder or - for standard input")
    for source in given:
        if str(source) != STANDARD_INPUT and _is_missing(source):
            raise InputError(f"{source} does not exist; name a file, a folder or - for standard input")
    if sum(str(source) == STANDARD_INPUT for source in given) > 1:
        raise InputError("standard input (-) can be read only once; name it once")
    return _unique(_load(given, namespace, stdin))


def _is_missing(source: str | Path) -> bool:
    try:
        os.lstat(source)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last one for a NUL in the name
        return True
    except OSError:  # in a folder one may not enter: there or not, it cannot be read, and reading says why
        return False
    return False


def _load(given: list[str | Path], namespace: str, stdin: TextIO | BinaryIO | None) -> Iterator[Item]:
    paths = [source for source in given if str(source) != STANDARD_INPUT]
    with OfficeProcess() as office:
        for entry in apart([entry for path in paths for entry in find_files(path)]):
            if isinstance(entry, Failure):
                yield entry
            else:
                yield from read_file(entry, namespace, office.parse)
    if len(paths) < len(given):
        try:
            yield from _read_stream(_bytes_of(stdin if stdin is not None else sys.stdin), namespace)
        except InputError as error:
            yield Failure(_STREAM, str(error).replace("the file", _STREAM))


def _bytes_of(stream: TextIO | BinaryIO) -> BinaryIO:
    binary = getattr(stream, "buffer", stream)
    if isinstance(binary, io.TextIOBase):  # a text without bytes behind it, such as StringIO
        return io.BytesIO(binary.read().encode("utf-8", "surrogatepass"))
    return cast(BinaryIO, binary)


def _read_stream(stream: BinaryIO, namespace: str) -> Iterator[Item]:
    """Yield the documents of standard input, which is read from front to back only."""
    lines = byte_lines(stream)
    head: list[tuple[int, bytes | None]] = []
    for offset, line in lines:
        head.append((offset, line))
        if line is None or line.strip():
            break
    if head and _is_object(head[-1][1]):
        yield from jsonl_rows(itertools.chain(head, lines), _STREAM, namespace)
        return
    pieces, size = list[bytes](), 0
    for _, line in itertools.chain(head, lines):
        size += MAX_TEXT_BYTES if line is None else len(line)
        if line is None or size > MAX_TEXT_BYTES:
            raise InputError(too_large("file", fix="write it into several files"))
        pieces.append(line)
    text = unix_lines(decode(b"".join(pieces)))
    yield _STREAM, Document(text, metadata={"format": "txt"}, namespace=namespace)


def _is_object(line: bytes | None) -> bool:
    try:
        return line is not None and isinstance(parse_json(line.decode("utf-8-sig")), dict)
    except (InputError, UnicodeDecodeError):
        return False


def _unique(items: Iterator[Item]) -> Iterator[Document | Failure]:
    seen: dict[tuple[str, str], str] = {}
    for item in items:
        if isinstance(item, Failure):
            yield item
            continue
        where, document = item
        first = seen.setdefault((document.namespace, document.id), where) if document.id else where
        if first is where:
            yield document
        else:
            yield Failure(where, f"duplicate id {document.id!r}, first seen at {first}")
