"""A shared lock on a snapshot's manifest: as long as a reader holds it, no writer removes the snapshot.

Readers never wait for it and never make anybody wait: a writer that finds a pin leaves the old snapshot
for a later publication. The lock goes with the process, however it ends. Windows needs none, since open
files cannot be removed there.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from hipporag_like.store.manifest import MANIFEST_NAME

if sys.platform == "win32":

    def _lock(descriptor: int, exclusive: bool) -> bool:
        return True
else:
    import fcntl

    def _lock(descriptor: int, exclusive: bool) -> bool:
        """Return False where somebody holds the lock; file systems without locks count as free."""
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in (errno.EAGAIN, errno.EACCES)
        return True


def open_pinned(snapshot: Path) -> int:
    """Return a descriptor of the snapshot's manifest that keeps the snapshot from being removed.

    Raises
    ------
    FileNotFoundError
        There is no manifest, or a writer is removing the snapshot at this moment.
    OSError
        It cannot be read.
    """
    path = snapshot / MANIFEST_NAME
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        # The second look: the snapshot may have been removed between opening and locking.
        if not _lock(descriptor, exclusive=False) or not path.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def retire(snapshot: Path, new_name: Path) -> bool:
    """Rename a snapshot that no reader has open, so that nobody opens it from here on.

    Returns
    -------
    bool
        Whether it was renamed; False where a reader holds it.
    """
    try:
        descriptor = os.open(snapshot / MANIFEST_NAME, os.O_RDONLY)
    except FileNotFoundError:
        descriptor = -1  # half removed already: nobody can have it open
    except OSError:
        return False
    try:
        if descriptor >= 0 and not _lock(descriptor, exclusive=True):
            return False
        if descriptor >= 0 and sys.platform == "win32":
            os.close(descriptor)
            descriptor = -1
        snapshot.rename(new_name)
        return True
    except OSError:
        return False
    finally:
        if descriptor >= 0:
            os.close(descriptor)
