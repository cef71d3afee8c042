"""Removing old snapshots, without making those that stay look altered."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from hipporag_like.store import stamp
from hipporag_like.store.files import remove_tree
from hipporag_like.store.manifest import SNAPSHOTS_NAME
from hipporag_like.store.pin import retire
from hipporag_like.store.reader import current_number

TEMPORARY = ".tmp-"  # how the names of folders start that are no snapshots


def remove_old_snapshots(folder: Path) -> None:
    """Remove every snapshot but the published one, because its texts are to be gone; while holding the ``WriterLock``.

    One that a reader has open stays until a later publication finds it unused.
    """
    remove_but(Path(folder) / SNAPSHOTS_NAME, {current_number(Path(folder))})


def remove_but(snapshots: Path, keep: Collection[int]) -> None:
    """Remove the snapshots that nobody reads, but some.

    Snapshots share files of namespaces that did not change. To remove one of a file's names sets its time of
    change, after which readers of another snapshot would compare its checksum again, so that is noted anew.
    """
    retired = []
    for number in numbers(snapshots):
        old = snapshots / f"{TEMPORARY}old-{number}-{secrets.token_hex(4)}"
        if number not in keep and retire(snapshots / str(number), old):
            retired.append(old)
    if not retired:
        return
    right = [(snapshots / str(number), stamp.unaltered(snapshots / str(number))) for number in keep]
    for old in retired:
        _unlink_shared(old)
    stamp.record_written(right)
    for old in retired:
        remove_tree(old)


def numbers(snapshots: Path) -> list[int]:
    """Return the numbers of all snapshots, in no order."""
    return [int(p.name) for p in snapshots.iterdir() if p.name.isascii() and p.name.isdigit()]


def _unlink_shared(folder: Path) -> None:
    """Remove the files that have other names too: at once, since nothing is freed."""
    for path in folder.glob("*/*.npy"):
        with suppress(OSError):
            if os.stat(path).st_nlink > 1:
                path.unlink()
