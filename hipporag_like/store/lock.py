"""One writer at a time on an index folder.

The lock belongs to the open file, not to its existence: when the process dies, however it dies, the
operating system lets go of it, so no stale lock can be left behind. The file itself stays.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path
from types import TracebackType

from hipporag_like.errors import IndexLockedError, StoreError
from hipporag_like.store.files import FILE_MODE, file_errors, make_folder

LOCK_NAME = "writer.lock"
_HELD = frozenset({errno.EAGAIN, errno.EACCES, errno.EDEADLK})

if sys.platform == "win32":
    import msvcrt

    # Windows locks bytes for reading too; a byte far behind the text leaves the text readable.
    _LOCK_BYTE = 1 << 30

    def _acquire(descriptor: int) -> None:
        os.lseek(descriptor, _LOCK_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _release(descriptor: int) -> None:
        os.lseek(descriptor, _LOCK_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _acquire(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class WriterLock:
    """Context manager that holds the right to write to ``folder``.

    Two lock objects conflict even within one process; one object is not re-entrant.

    Parameters
    ----------
    folder
        The index folder; made where missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)
        self._path = self._folder / LOCK_NAME
        self._descriptor: int | None = None

    def __enter__(self) -> WriterLock:
        """Take the lock without waiting.

        Raises
        ------
        IndexLockedError
            Another writer is at work; the message names its process.
        StoreError
            The folder cannot be written to, or its file system knows no locks.
        """
        if self._descriptor is not None:
            raise RuntimeError("a WriterLock cannot be entered twice")
        make_folder(self._folder)
        with file_errors("open", self._path):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            self._take(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the lock."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        try:
            os.ftruncate(descriptor, 0)
            # Explicitly: a forked child may still hold a copy of the descriptor.
            _release(descriptor)
        finally:
            os.close(descriptor)

    def _take(self, descriptor: int) -> None:
        try:
            _acquire(descriptor)
        except OSError as error:
            if error.errno in _HELD:
                holder = _holder(descriptor)
                raise IndexLockedError(
                    f"another process{holder} is writing to {self._folder}; wait for it or stop it"
                ) from error
            raise StoreError(
                f"the file system of {self._folder} has no file locks ({error.strerror}); "
                "put the index on a local disk"
            ) from error
        with file_errors("write", self._path):
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, f"{os.getpid()} {socket.gethostname()}\n".encode())


def _holder(descriptor: int) -> str:
    """Return who holds the lock, for the message; empty while the holder has not written its name yet."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    pid, _, host = os.read(descriptor, 300).decode("utf-8", "replace").strip().partition(" ")
    if not pid:
        return ""
    return f" (pid {pid})" if host == socket.gethostname() else f" (pid {pid} on {host})"
