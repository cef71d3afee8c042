"""PDF, Word, PowerPoint and Excel files to text, through markitdown (extra ``files``).

Called in a process of its own, see :mod:`.office_process`: what others make of these formats has no limits.
"""

from __future__ import annotations

import importlib
import sys
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hipporag_like.errors import InputError, MissingExtraError
from hipporag_like.indexing.formats_archive import damaged
from hipporag_like.indexing.formats_text import MAX_TEXT_BYTES, Page, too_large

OFFICE = frozenset(("pdf", "docx", "pptx", "xlsx"))
TOO_MUCH_MEMORY = "reading it takes too much memory; save it in parts"


def missing_extra(kind: str) -> InputError:
    """Return the error for files of a kind that nothing installed can read."""
    return InputError(str(MissingExtraError(f"reading .{kind} files", "files")))


def is_installed() -> bool:
    """Return whether office files can be read, without importing what reads them."""
    return sys.modules.get("markitdown") is not None or find_spec("markitdown") is not None


@lru_cache(maxsize=len(OFFICE))
def _converter(kind: str) -> Any:
    """Return what reads one kind: the others would take a damaged file for a text or an archive to unpack."""
    from markitdown import MarkItDown  # takes a second to import

    converter = MarkItDown(enable_builtins=False, enable_plugins=False)
    made = getattr(importlib.import_module("markitdown.converters"), f"{kind.capitalize()}Converter")
    converter.register_converter(made())
    return converter


def convert(path: Path, kind: str) -> Page:
    """Return the text of a document as Markdown.

    Raises
    ------
    InputError
        markitdown is not installed, the file is damaged or too large, or it holds no text.
    """
    try:
        converter = _converter(kind)
        from markitdown import MarkItDownException, MissingDependencyException
    except ImportError as error:
        raise missing_extra(kind) from error
    try:
        result = converter.convert_local(str(path))
    except MissingDependencyException as error:
        raise missing_extra(kind) from error
    except MarkItDownException as error:
        raise InputError(TOO_MUCH_MEMORY if _ran_out(error) else damaged(kind)) from error
    except (MemoryError, RecursionError) as error:
        raise InputError(TOO_MUCH_MEMORY) from error
    text = _clean(result.text_content).strip()
    if not text:
        raise InputError("there is no text in the file; scanned pages need character recognition first")
    if len(text) > MAX_TEXT_BYTES:
        raise InputError(too_large("text"))
    return Page(text, _clean(result.title).strip())


def _ran_out(error: Exception) -> bool:
    """Return whether markitdown gave up for want of memory; it keeps what was raised, and hides it."""
    tried = getattr(error, "attempts", None) or ()
    kinds = [(getattr(attempt, "exc_info", None) or (None,))[0] for attempt in tried]
    return MemoryError in kinds


def _clean(text: object) -> str:
    return str(text or "").replace("\0", "").encode("utf-8", "replace").decode("utf-8")
