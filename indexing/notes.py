"""What the journal must hold before a run starts: that it is there at all, and the options it was last used with."""

from __future__ import annotations

import json
from pathlib import Path

from hipporag_like.config import Config
from hipporag_like.errors import IndexCorruptError, IndexNotFoundError
from hipporag_like.store.connection import JOURNAL_NAME
from hipporag_like.store.journal import Journal
from hipporag_like.store.manifest import CURRENT_NAME
from hipporag_like.store.snapshot import open_snapshot

_CONFIG = "config"


def open_journal(folder: Path) -> Journal:
    """Open the journal for writing; to be called while holding the ``WriterLock``.

    Raises
    ------
    IndexCorruptError
        There is a snapshot without a journal. An empty journal beside it would publish an index without
        all that the snapshot holds.
    """
    path = folder / JOURNAL_NAME
    if (folder / CURRENT_NAME).exists() and not (path.is_file() and path.stat().st_size):
        raise IndexCorruptError(
            f"{path} is missing; put it back, or delete {folder} and make it again with: "
            f"hipporag-like index SOURCE --index {folder}"
        )
    return Journal.open(folder)


def note_config(journal: Journal, config: Config) -> None:
    """Keep the options in the journal, for when no snapshot can tell them."""
    text = json.dumps(config.to_dict())
    if journal.get_meta(_CONFIG) != text:
        journal.set_meta(_CONFIG, text)


def config_of(folder: Path) -> Config:
    """Return the options an index was made with; the defaults where there is none yet.

    Raises
    ------
    StoreError
        The folder cannot be read, or a newer version wrote it.
    """
    try:
        with open_snapshot(folder) as snapshot:
            return Config.from_dict(snapshot.manifest["config"])
    except (IndexNotFoundError, IndexCorruptError):
        return noted_config(folder)


def noted_config(folder: Path) -> Config:
    """Return the options that :func:`note_config` kept; the defaults where there is no journal yet.

    Raises
    ------
    IndexCorruptError
        The journal is damaged.
    """
    try:
        with Journal.open_readonly(folder) as journal:
            text = journal.get_meta(_CONFIG)
    except IndexNotFoundError:
        return Config()
    return Config() if text is None else Config.from_dict(json.loads(text))
