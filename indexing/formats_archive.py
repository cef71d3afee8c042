"""Office files looked at from the outside: whole, not too large once unpacked, and without what bombs are made of."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from hipporag_like.errors import InputError

# Of the text of one office file, unpacked. A workbook of a million rows of ten cells has 480 MB.
MAX_UNPACKED_BYTES = 512 << 20
_BLOCK = 1 << 20
# Office files have no document types (ECMA-376 part 2, section 7.1.4): only they can hold entities.
_DOCTYPE = b"<!DOCTYPE"


def damaged(kind: str) -> str:
    """Return the sentence for a file that is not what its name says."""
    return f"damaged or protected .{kind} file; open it and save it again without a password"


def check_office(path: Path, kind: str) -> None:
    """Refuse what cannot be an office file or is made to break who reads it; nothing is kept in memory.

    Raises
    ------
    InputError
        The file is damaged, unpacks to more than ``MAX_UNPACKED_BYTES`` of text, or declares entities.
    OSError
        It cannot be read.
    """
    if kind == "pdf":
        with path.open("rb") as stream:
            if b"%PDF-" not in stream.read(1024):  # readers accept the mark anywhere in the first kilobyte
                raise InputError(damaged(kind))
        return
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, kind)
    # zlib: damaged data; EOFError: cut; NotImplementedError: another compression; RuntimeError: a password;
    # ValueError, UnicodeDecodeError among them: names and places that cannot be.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise InputError(damaged(kind)) from error


def _check_members(archive: zipfile.ZipFile, kind: str) -> None:
    read = 0
    for member in archive.infolist():
        if not member.filename.lower().endswith((".xml", ".rels", ".vml")):
            continue  # pictures and films, which nobody unpacks
        before = b""
        for block in _blocks(archive, member):
            read += len(block)
            if read > MAX_UNPACKED_BYTES:
                raise InputError(
                    f"the .{kind} file unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB; save its text in parts"
                )
            seen = before + block.replace(b"\0", b"")  # without which UTF-16 reads like ASCII
            if _DOCTYPE in seen:
                raise InputError(
                    f"the .{kind} file declares entities, which office files do not; save it again"
                )
            before = seen[-len(_DOCTYPE) :]


def _blocks(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as stream:
        while block := stream.read(_BLOCK):
            yield block
