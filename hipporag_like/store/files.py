"""Files of the index folder: private permissions, durable writes, operating-system errors in one sentence."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hipporag_like.errors import IndexCorruptError, StoreError

# An index holds the user's texts: nobody else on the machine may read it.
FILE_MODE = 0o600
FOLDER_MODE = 0o700

_FIXES = {
    errno.ENOSPC: "free some disk space and run the command again",
    errno.EDQUOT: "free some of your disk quota and run the command again",
    errno.EFBIG: "raise the file size limit (ulimit -f) or free space, and run the command again",
    errno.EROFS: "the file system is read-only; use a folder you can write to",
    errno.EACCES: "give yourself the permission or use another folder",
    errno.EPERM: "give yourself the permission or use another folder",
    errno.EMFILE: "raise the limit of open files (ulimit -n) and run the command again",
    errno.ENOTDIR: "a file stands where a folder is needed; use another folder",
    errno.EEXIST: "a file stands where a folder is needed; use another folder",
}


def missing_index(folder: Path) -> str:
    """Return the sentence for a folder that holds no index."""
    return f"no index at {folder}; make one with: hipporag-like index SOURCE --index {folder}"


def damaged(path: Path, what: object, folder: Path) -> IndexCorruptError:
    """Return the error for a damaged file of a snapshot, which the journal can make again."""
    return IndexCorruptError(
        f"{path} is damaged ({what}); rebuild it with: hipporag-like repair --index {folder}"
    )


@contextmanager
def file_errors(action: str, path: Path) -> Iterator[None]:
    """Turn an ``OSError`` of the block into a :class:`StoreError` that names ``path`` and the fix."""
    try:
        yield
    except OSError as error:
        raise file_error(action, path, error) from error


def file_error(action: str, path: Path, error: OSError) -> StoreError:
    """Return ``error`` as a :class:`StoreError` that names ``path`` and the fix."""
    fix = _FIXES.get(error.errno or 0, "check the disk and the permissions, then run the command again")
    return StoreError(f"cannot {action} {path} ({error.strerror or error}); {fix}")


def make_folder(folder: Path) -> None:
    """Make ``folder`` and its parents where missing; only the user may enter what is made here.

    Raises
    ------
    StoreError
        It cannot be made, or a file stands in its place.
    """
    with file_errors("make the folder", folder):
        # mkdir(parents=True) would give the mode to the last one only.
        for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
            missing.mkdir(mode=FOLDER_MODE, exist_ok=True)
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)  # where it is there: raises for a file


def create_private(path: Path) -> int:
    """Return a descriptor of ``path``, emptied, readable by the user only, whoever could read it before."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), FILE_MODE)
    if hasattr(os, "fchmod"):  # not on Windows
        found = os.fstat(descriptor)
        # /dev/stdout and the like stay as they are; so does a file of another user, who may let us write.
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_mode & 0o077:
            os.fchmod(descriptor, FILE_MODE)
    return descriptor


def open_private(path: Path, *, errors: str = "strict") -> IO[str]:
    """Return ``path`` opened to write UTF-8 text with line feeds, emptied, readable by the user only."""
    return os.fdopen(create_private(path), "w", encoding="utf-8", errors=errors, newline="")


def write_private(path: Path, text: str) -> None:
    """Write a text that only the user may read."""
    with open_private(path) as file:
        file.write(text)


def copy_private(source: Path, target: Path) -> None:
    """Copy a file to one that is the user's alone from its first byte on."""
    os.close(create_private(target))
    shutil.copyfile(source, target)


def write_durably(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` and wait until the disk has it."""
    with os.fdopen(create_private(path), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in ``folder``; Windows does this by itself and has no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_tree(folder: Path) -> None:
    """Remove ``folder`` as far as possible; what is left is removed by the next writer."""
    shutil.rmtree(folder, ignore_errors=True)
