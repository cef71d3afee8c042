"""JSON files of an experiment's folder: there whole or not at all, however the process ends."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hipporag_like.store.files import file_errors, make_folder, write_durably

# A list of numbers over several lines; inside a string a line break is never one, but an escape.
_NUMBERS = re.compile(r"\[\n([-+.\deE,\s]+)\]")


def write_object(path: Path, value: Mapping[str, Any], indent: int | None = None) -> None:
    """Write a JSON object beside its place, wait for the disk, and rename; folders are made where missing.

    With ``indent``, a list of numbers still takes one line: a hundred lines of quantiles hide what is around them.

    Raises
    ------
    StoreError
        It cannot be written.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    text = _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    make_folder(path.parent)
    with file_errors("write", path):
        try:
            write_durably(beside, f"{text}\n".encode())
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)


def read_object(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file, ``None`` where there is no file or nothing that is one.

    Raises
    ------
    StoreError
        The file is there and cannot be read.
    """
    if not path.is_file():
        return None
    with file_errors("read", path):
        data = path.read_bytes()
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
