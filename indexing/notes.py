"""What the journal must hold before a run starts: that it is there at all, and the options it was last used with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hipporag_like.config import Config
from hipporag_like.errors import IndexCorruptError, IndexNotFoundError, IndexOutdatedError
from hipporag_like.store.check_snapshot import published_manifest
from hipporag_like.store.connection import JOURNAL_NAME, corrupt
from hipporag_like.store.journal import Journal
from hipporag_like.store.manifest import CURRENT_NAME, Manifest
from hipporag_like.store.snapshot import open_snapshot

_CONFIG = "config"
_MADE_WITH = "made with"
_UNTIDY = "untidy"
_MODELS = ("embedder", "dim", "extractor", "prompts")  # fields of a snapshot's manifest


def open_journal(folder: Path) -> Journal:
    """Open the journal for writing; to be called while holding the ``WriterLock``.

    Raises
    ------
    IndexCorruptError
        There is a snapshot without a journal, or it was made from another one, or from more than the journal
        holds. An empty or a wrong journal beside it would publish an index without all that the snapshot holds.
    """
    path = folder / JOURNAL_NAME
    if (folder / CURRENT_NAME).exists() and not (path.is_file() and path.stat().st_size):
        raise IndexCorruptError(
            f"{path} is missing; put it back, or delete {folder} and make it again with: "
            f"hipporag-like index SOURCE --index {folder}"
        )
    journal = Journal.open(folder)
    try:
        manifest = published_manifest(folder)
        what = "" if manifest is None else misfit(journal, manifest)
        if what:
            raise corrupt(path, what)
    except BaseException:
        journal.close()
        raise
    return journal


def misfit(journal: Journal, manifest: Manifest) -> str:
    """Return why a snapshot cannot have been made from a journal; empty where it can."""
    if is_foreign(journal, manifest):
        return "it is the journal of another index"
    revision = int(manifest.fields.get("revision", 0))
    if journal.revision() < revision:
        return f"it lost what was committed: it has revision {journal.revision()}, the snapshot {revision}"
    return ""


def is_foreign(journal: Journal, manifest: Manifest) -> bool:
    """Return whether a snapshot was made from another journal; False where one of them has no name."""
    made_from, own = manifest.fields.get("journal", ""), journal.identity()
    return bool(made_from and own and made_from != own)


def note_made_with(journal: Journal, fields: Mapping[str, Any]) -> None:
    """Keep in the journal what a snapshot's manifest says of the models, for when no snapshot can tell."""
    text = json.dumps({name: fields[name] for name in _MODELS if name in fields})
    if journal.get_meta(_MADE_WITH) != text:
        journal.set_meta(_MADE_WITH, text)


def made_with_of(journal: Journal) -> dict[str, Any] | None:
    """Return what :func:`note_made_with` kept, or None."""
    text = journal.get_meta(_MADE_WITH)
    return None if text is None else dict(json.loads(text))


def note_untidy(journal: Journal) -> None:
    """Note, before texts are deleted or replaced, that what was made of them is to be removed afterwards.

    A run that is killed in between leaves the note, and the next one removes it.
    """
    if not is_untidy(journal):
        journal.set_meta(_UNTIDY, "yes")


def note_tidy(journal: Journal) -> None:
    """Note that nothing is left of texts that were deleted or replaced."""
    journal.set_meta(_UNTIDY, "no")


def is_untidy(journal: Journal) -> bool:
    """Return whether something may be left of texts that were deleted or replaced."""
    return journal.get_meta(_UNTIDY) == "yes"


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
    except (IndexNotFoundError, IndexCorruptError, IndexOutdatedError):
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
