"""PDF, Word, PowerPoint and Excel files to text, through markitdown (extra ``files``)."""

from __future__ import annotations

import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from hipporag_like.errors import InputError, MissingExtraError
from hipporag_like.indexing.formats_text import Page

_EXTRA = "files"


@lru_cache(maxsize=1)
def _converter() -> Any:
    from markitdown import MarkItDown  # takes a second to import

    return MarkItDown(enable_plugins=False)


def _is_whole(path: Path, kind: str) -> bool:
    if kind != "pdf":
        return zipfile.is_zipfile(path)
    with path.open("rb") as stream:
        return b"%PDF-" in stream.read(1024)  # readers accept the mark anywhere in the first kilobyte


def parse_office(path: Path) -> Page:
    """Return the text of a document as Markdown.

    Raises
    ------
    InputError
        markitdown is not installed, the file is damaged, or it holds no text.
    """
    kind = path.suffix.lstrip(".").lower()
    missing = str(MissingExtraError(f"reading .{kind} files", _EXTRA))
    try:
        converter = _converter()
        from markitdown import MarkItDownException, MissingDependencyException
    except ImportError as error:
        raise InputError(missing) from error
    if not _is_whole(path, kind):  # the converter would take its bytes for plain text
        raise InputError(f"damaged or protected .{kind} file")
    try:
        result = converter.convert_local(str(path))
    except MissingDependencyException as error:
        raise InputError(missing) from error
    except MarkItDownException as error:
        raise InputError(f"damaged or protected .{kind} file") from error
    text = str(result.text_content or "").replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    if not text.strip():
        raise InputError("there is no text in the file; scanned pages need character recognition first")
    return Page(text.strip(), str(result.title or "").strip())
