"""Which reader reads which file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hipporag_like.errors import InputError
from hipporag_like.indexing.formats_html import parse_html
from hipporag_like.indexing.formats_office import OFFICE
from hipporag_like.indexing.formats_rows import check_id
from hipporag_like.indexing.formats_tables import (
    Item,
    byte_lines,
    csv_rows,
    json_rows,
    jsonl_rows,
    text_stream,
)
from hipporag_like.indexing.formats_text import Page, parse_markdown, read_text, title_from_name
from hipporag_like.types import Document, Failure

_PAGES: dict[str, Callable[[str], Page]] = {"txt": Page, "md": parse_markdown, "html": parse_html}
_SAME = {"text": "txt", "markdown": "md", "htm": "html", "xhtml": "html", "ndjson": "jsonl"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read.

    Attributes
    ----------
    id
        The document id it gets unless it holds rows.
    relative
        Its path relative to the given source, with slashes.
    shown
        Its name in messages: the given source and the way from there.
    """

    path: Path
    id: str
    relative: str
    shown: str


def read_file(file: SourceFile, namespace: str, office: Callable[[Path], Page]) -> Iterator[Item]:
    """Yield what a file holds: documents with the place they were read from, and failures.

    Parameters
    ----------
    file
        To be read by the reader of its suffix.
    namespace
        Of the documents whose row names none.
    office
        Reads PDF, Word, PowerPoint and Excel files.
    """
    try:
        yield from _items(file, namespace, office)
    except InputError as error:
        yield Failure(file.shown, str(error))
    except OSError as error:
        yield Failure(file.shown, f"cannot be read: {error.strerror or error}")


def _items(file: SourceFile, namespace: str, office: Callable[[Path], Page]) -> Iterator[Item]:
    suffix = file.path.suffix.lstrip(".").lower()
    kind = _SAME.get(suffix, suffix)
    if kind == "json":
        yield from json_rows(file.path, file.shown, namespace)
    elif kind in ("jsonl", "csv", "tsv"):
        with file.path.open("rb") as stream:
            lines = byte_lines(text_stream(stream))
            if kind == "jsonl":
                yield from jsonl_rows(lines, file.shown, namespace)
            else:
                yield from csv_rows(lines, file.shown, namespace, kind == "tsv")
    else:
        yield file.shown, _document(file, kind, namespace, office)


def _document(file: SourceFile, kind: str, namespace: str, office: Callable[[Path], Page]) -> Document:
    id = check_id(file.id)
    if kind in OFFICE:
        page = office(file.path)
    else:
        page = _PAGES.get(kind, Page)(read_text(file.path))
    metadata = {**page.metadata, "path": file.relative, "format": kind or "txt"}
    return Document(page.text, id, page.title or title_from_name(file.path.name), metadata, namespace)
