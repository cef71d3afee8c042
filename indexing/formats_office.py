"""PDF, Word, PowerPoint and Excel files to text, through markitdown (extra ``files``)."""

from __future__ import annotations

import sys
import zipfile
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hipporag_like.errors import InputError, MissingExtraError
from hipporag_like.indexing.formats_text import Page

_EXTRA = "files"


@lru_cache(maxsize=1)
def _converter() -> Any:
    from markitdown import MarkItDown  # takes a second to import

    return MarkItDown(enable_plugins=False)


def _is_installed() -> bool:
    return sys.modules.get("markitdown") is not None or find_spec("markitdown") is not None


def _is_whole(path: Path, kind: str) -> bool:
    if kind != "pdf":
        return zipfile.is_zipfile(path)
    with path.open("rb") as stream:
        return b"%PDF-" in stream.read(1024)  # readers accept the mark anywhere in the first kilobyte


def _damaged(kind: str) -> str:
    return f"damaged or protected .{kind} file; open it and save it again without a password"


def parse_office(path: Path) -> Page:
    """Return the text of a document as Markdown.

    Raises
    ------
    InputError
        markitdown is not installed, the file is damaged, or it holds no text.
    """
    kind = path.suffix.lstrip(".").lower()
    # Before the import, which takes seconds; and the converter would take the bytes for plain text.
    if not _is_whole(path, kind):
        raise InputError(_damaged(kind))
    missing = str(MissingExtraError(f"reading .{kind} files", _EXTRA))
    if not _is_installed():
        raise InputError(missing)
    try:
        converter = _converter()
        from markitdown import MarkItDownException, MissingDependencyException
    except ImportError as error:
        raise InputError(missing) from error
    try:
        result = converter.convert_local(str(path))
    except MissingDependencyException as error:
        raise InputError(missing) from error
    except MarkItDownException as error:
        raise InputError(_damaged(kind)) from error
    text = str(result.text_content or "").replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    if not text.strip():
        raise InputError("there is no text in the file; scanned pages need character recognition first")
    return Page(text.strip(), str(result.title or "").strip())
