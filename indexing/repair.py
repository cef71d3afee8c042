"""Making an index whole again from what is left of it: the journal makes snapshots, SQLite gives what it can read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hipporag_like.config import Config
from hipporag_like.errors import IndexCorruptError, StoreError
from hipporag_like.indexing.build import Models, republish
from hipporag_like.indexing.index import Index
from hipporag_like.indexing.kept_models import kept_models
from hipporag_like.indexing.notes import (
    is_foreign,
    made_with_of,
    note_config,
    note_made_with,
    noted_config,
)
from hipporag_like.indexing.verify import require_index
from hipporag_like.progress import Track, silent
from hipporag_like.store.check_journal import journal_findings
from hipporag_like.store.check_snapshot import (
    file_findings,
    published_manifest,
    read_manifest,
    snapshot_findings,
    snapshot_numbers,
)
from hipporag_like.store.connection import JOURNAL_NAME
from hipporag_like.store.files import remove_tree
from hipporag_like.store.journal import Journal
from hipporag_like.store.lock import WriterLock
from hipporag_like.store.manifest import CURRENT_NAME, SNAPSHOTS_NAME, Manifest, is_outdated
from hipporag_like.store.salvage import Salvaged, salvage
from hipporag_like.store.snapshot import open_snapshot
from hipporag_like.store.writer import point_to

SHOWN = 20  # documents named one by one
MakeModels = Callable[[], tuple[Config, Models]]


@dataclass(frozen=True, slots=True)
class Repaired:
    """What :func:`repair` did.

    Attributes
    ----------
    done
        Each step, in words; empty where nothing was to be done.
    lost
        What could not be saved, in words; empty where nothing was lost.
    snapshot
        The number of the published snapshot; None where nothing was ever published.
    """

    done: tuple[str, ...]
    lost: tuple[str, ...]
    snapshot: int | None


def repair(folder: Path, models: MakeModels | None = None, track: Track = silent) -> Repaired:
    """Make an index whole; a second run finds nothing to do.

    Parameters
    ----------
    folder
        The index.
    models
        Gives options and models that make what the journal lacks; without it none is called.
    track
        Told about progress.

    Raises
    ------
    IndexNotFoundError
        There is no index in ``folder``.
    IndexLockedError
        Another writer is at work.
    ModelError
        The journal lacks what only a model can make, and ``models`` is None.
    IndexCorruptError, StoreError
        Nothing can be saved; the message says what remains to be done.
    """
    folder = Path(folder)
    require_index(folder)
    with WriterLock(folder):
        done = [f"removed {name}, left by a run that was stopped" for name in _remove_leftovers(folder)]
        lost: list[str] = []
        saved = _mend_journal(folder)
        if saved is not None:
            done.append(f"saved {_counted(saved.kept)} of the journal; the damaged one is {saved.aside}")
            lost += [f"{count} {table} of the journal" for table, count in saved.lost.items() if count]
            _note_old(folder)
        made, gone = _mend_snapshot(folder, models, track, saved is not None)
    manifest = published_manifest(folder)
    return Repaired(tuple(done + made), tuple(lost + gone), None if manifest is None else manifest.number)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {table}" for table, count in counts.items())


def _remove_leftovers(folder: Path) -> list[str]:
    """Remove what killed runs left; while holding the ``WriterLock`` nobody else can be using it."""
    removed = []
    patterns = (f"{SNAPSHOTS_NAME}/.tmp-*", f"{CURRENT_NAME}.tmp", ".salvage-*")
    for path in sorted(found for pattern in patterns for found in folder.glob(pattern)):
        if path.is_dir():
            remove_tree(path)
        else:
            with suppress(OSError):
                path.unlink()
        removed.append(str(path.relative_to(folder)))
    return removed


def _mend_journal(folder: Path) -> Salvaged | None:
    """Put a fresh journal in the place of a damaged one; None where it is sound."""
    path = folder / JOURNAL_NAME
    if not path.is_file() or path.stat().st_size == 0:
        raise IndexCorruptError(
            f"{path} is missing, and only it can make the index again; put back a copy of it, or make the index "
            f"again with: hipporag-like index SOURCE --index {folder} (after deleting {folder})"
        )
    if not any(journal_findings(folder)):
        return None
    published = published_manifest(folder)
    identity = "" if published is None else str(published.fields.get("journal", ""))
    return salvage(folder, _highest_revision(folder), identity)


def _manifests(folder: Path) -> list[Manifest]:
    """Return the manifests that can be read, the published one first, then the newest."""
    published = published_manifest(folder)
    others = [read_manifest(folder, number) for number in snapshot_numbers(folder)]
    rest = [m for m in others if m is not None and (published is None or m.number != published.number)]
    return ([published] if published is not None else []) + rest


def _highest_revision(folder: Path) -> int:
    return max((int(m.fields.get("revision", 0)) for m in _manifests(folder)), default=0)


def _note_old(folder: Path) -> None:
    """Keep in the salvaged journal what a readable snapshot knows of how the index was made."""
    for manifest in _manifests(folder)[:1]:
        with Journal.open(folder) as journal:
            note_config(journal, Config.from_dict(manifest.fields["config"]))
            note_made_with(journal, manifest.fields)


def _mend_snapshot(
    folder: Path, models: MakeModels | None, track: Track, salvaged: bool
) -> tuple[list[str], list[str]]:
    """Publish a sound snapshot of the journal, where what is published is none; say what was done, and lost."""
    with Journal.open(folder) as journal:
        published = published_manifest(folder)
        behind = published is not None and journal.revision() < int(published.fields["revision"])
        if published is not None and is_foreign(journal, published):
            raise StoreError(
                f"{folder / JOURNAL_NAME} is the journal of another index; put back the right one, or delete "
                f"{folder} and make it again with: hipporag-like index SOURCE --index {folder}"
            )
        if not behind and not salvaged and not any(snapshot_findings(folder)):
            return [], []
        if not journal.namespaces() and not snapshot_numbers(folder):
            return [], []
        again = None if salvaged or behind else _still_good(folder, journal.revision())
        if again is not None:
            point_to(folder, again.number, again.checksum)
            return [f"{CURRENT_NAME} names snapshot {again.number} again, which is sound"], []
        lost = _only_in_snapshot(folder, journal)
        config, made = models() if models else _kept(folder, journal)
        journal.exceed_revision(_highest_revision(folder))
        report = republish(folder, journal, config, made, track)
        return [f"made snapshot {report.snapshot} again from the journal"], lost


def _only_in_snapshot(folder: Path, journal: Journal) -> list[str]:
    """Return, in words, the documents of the published snapshot that the journal has lost."""
    try:
        with open_snapshot(folder) as snapshot:
            segments = Index(snapshot).segments
            stored = [(n, d) for n, segment in segments.items() for d in segment.strings("document_id")]
    except StoreError:
        return []
    known = journal.document_hashes(stored)
    gone = [
        f"{document} ({namespace})" for namespace, document in stored if (namespace, document) not in known
    ]
    if not gone:
        return []
    more = "" if len(gone) <= SHOWN else f" and {len(gone) - SHOWN} more"
    return [f"documents that only the old snapshot holds, index them again: {', '.join(gone[:SHOWN])}{more}"]


def _still_good(folder: Path, revision: int) -> Manifest | None:
    """Return the newest sound snapshot of what the journal holds; None where there is none."""
    for number in snapshot_numbers(folder):
        manifest = read_manifest(folder, number)
        if (
            manifest is not None
            and not is_outdated(manifest)
            and manifest.fields.get("revision") == revision
            and not any(file_findings(folder, manifest))
        ):
            return manifest
    return None


def _kept(folder: Path, journal: Journal) -> tuple[Config, Models]:
    """Return the options an index was made with, and what stands in for its models."""
    for manifest in _manifests(folder)[:1]:
        return Config.from_dict(manifest.fields["config"]), kept_models(journal, manifest.fields)
    made_with = made_with_of(journal)
    if made_with is None:
        raise StoreError(
            f"nothing in {folder} says any more what models the index was made with; let the configured ones make "
            f"it again with: hipporag-like repair --index {folder} --models"
        )
    return noted_config(folder), kept_models(journal, made_with)
