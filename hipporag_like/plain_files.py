"""Reading a file that a user named: an ordinary one, of bounded size."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

# Whole files are read into memory and most then parsed; the largest public data set in one JSON file has 0.6 GB.
MAX_BYTES = 1 << 30


def read_plain(path: Path | str, most: int = MAX_BYTES) -> bytes:
    """Return the bytes of an ordinary file.

    A pipe would keep the program waiting, and a device may never end; neither is even opened for waiting.

    Parameters
    ----------
    path
        The file; links are followed.
    most
        Bytes that it may have.

    Raises
    ------
    OSError
        It cannot be read, is a pipe, a device or a folder, or is larger than ``most``; ``strerror`` says which.
    """
    # Without O_NONBLOCK the opening of a pipe already waits. Windows has neither such pipes nor the flag.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, f"not a file but {special(mode)}", str(path))
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            data = stream.read(most + 1)
    finally:
        os.close(descriptor)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most >> 20:,} MiB", str(path))
    return data


def special(mode: int) -> str:
    """Return what something is that is no ordinary file, by its ``st_mode``."""
    tests = (
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((what for test, what in tests if test(mode)), "something else")
