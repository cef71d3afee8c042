"""Immutable snapshots of an index, published by one atomic rename.

::

    INDEX/CURRENT                       number and manifest checksum of the published snapshot
    INDEX/snapshots/N/manifest.json     format, fields, and shape, type, size and checksum of each array
    INDEX/snapshots/N/gI/NAME.npy       the arrays of group I

Readers never wait, never see a half-written snapshot, and keep the one they opened.
"""

from __future__ import annotations

from hipporag_like.store.manifest import FORMAT
from hipporag_like.store.reader import Snapshot, open_snapshot
from hipporag_like.store.removal import remove_old_snapshots
from hipporag_like.store.writer import SnapshotWriter

__all__ = ["FORMAT", "Snapshot", "SnapshotWriter", "open_snapshot", "remove_old_snapshots"]
