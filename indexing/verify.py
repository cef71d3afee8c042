"""Reading all of an index, to say whether it is what was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hipporag_like.errors import IndexNotFoundError, StoreError
from hipporag_like.indexing.notes import misfit
from hipporag_like.indexing.soundness import problems
from hipporag_like.store.check_journal import journal_findings
from hipporag_like.store.check_snapshot import published_manifest, snapshot_findings, snapshot_numbers
from hipporag_like.store.connection import JOURNAL_NAME
from hipporag_like.store.files import file_errors, missing_index
from hipporag_like.store.finding import Finding, found
from hipporag_like.store.journal import Journal
from hipporag_like.store.manifest import CURRENT_NAME, SNAPSHOTS_NAME
from hipporag_like.store.snapshot import open_snapshot


def verify(folder: Path) -> tuple[Finding, ...]:
    """Return what is wrong with an index; reads every file of it and changes none.

    Parameters
    ----------
    folder
        The index.

    Returns
    -------
    tuple of Finding
        Empty where the index is sound.

    Raises
    ------
    IndexNotFoundError
        There is no index in ``folder``.
    StoreError
        The folder cannot be read.
    """
    folder = Path(folder)
    require_index(folder)
    journal = tuple(journal_findings(folder))
    snapshot = tuple(snapshot_findings(folder))
    if not snapshot:
        snapshot = tuple(_contents(folder))
    if not journal:
        journal = tuple(belonging(folder))
    return journal + snapshot


def require_index(folder: Path) -> None:
    """Raise where a folder holds nothing of an index.

    Raises
    ------
    IndexNotFoundError
        It does not.
    StoreError
        It cannot be read.
    """
    with file_errors("read", folder):
        names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if not names & {JOURNAL_NAME, CURRENT_NAME, SNAPSHOTS_NAME}:
        raise IndexNotFoundError(missing_index(folder))


def belonging(folder: Path) -> Iterator[Finding]:
    """Yield why the journal cannot be the one that the published snapshot was made from."""
    manifest = published_manifest(folder)
    if manifest is None:
        return
    with Journal.open_readonly(folder) as journal:
        what = misfit(journal, manifest)
        if what:
            yield found(folder / JOURNAL_NAME, what, folder)


def _contents(folder: Path) -> Iterator[Finding]:
    """Yield the arrays that do not fit one another, in a snapshot whose files are sound."""
    if not snapshot_numbers(folder):
        return
    try:
        with open_snapshot(folder) as snapshot:
            for group in snapshot.groups:
                entries = snapshot.entries(group)
                for name, what in problems(snapshot, group):
                    yield found(entries[name][0], what, folder)
    except StoreError as error:
        yield found(folder / SNAPSHOTS_NAME, error, folder)
