"""An index whose snapshot an older version wrote: made again from the journal, without a model.

The formats are numbered in ``store.manifest``. There is one migration for all of them, because the journal holds
everything that a snapshot is made from; it has migrations of its own (``store.connection``).
"""

from __future__ import annotations

import os
from pathlib import Path

from hipporag_like.errors import IndexOutdatedError
from hipporag_like.indexing.repair import repair
from hipporag_like.store.check_snapshot import published_manifest
from hipporag_like.store.manifest import is_outdated, outdated


def upgrade(folder: Path) -> str:
    """Make the snapshot again in the format of this version, atomically; readers keep the old one until then.

    Parameters
    ----------
    folder
        The index.

    Returns
    -------
    str
        What was done, in one sentence; empty where the snapshot has the format of this version.

    Raises
    ------
    IndexOutdatedError
        The folder cannot be written.
    IndexLockedError
        Another writer is at work; it may be upgrading.
    ModelError
        The new format needs what only a model can make.
    """
    folder = Path(folder)
    manifest = published_manifest(folder)
    if manifest is None or not is_outdated(manifest):
        return ""
    if not os.access(folder, os.W_OK):
        raise IndexOutdatedError(
            f"the snapshot in {folder} {outdated(manifest)}, and the folder cannot be written; rebuild it where it "
            f"can, with: hipporag-like repair --index {folder}"
        )
    repair(folder)
    return f"rebuilt the snapshot in {folder} from its journal: it {outdated(manifest)}"
