"""The record of truth of an index: what was handed in and what models made of it, in one SQLite file.

Each call that writes is one transaction: a kill at any instant loses at most the call in flight.
"""

from __future__ import annotations

from pathlib import Path

from hipporag_like.store.codec import document_hash
from hipporag_like.store.connection import JOURNAL_NAME, connect, connect_readonly
from hipporag_like.store.documents import DocumentTable
from hipporag_like.store.results import ResultTables

__all__ = ["Journal", "document_hash"]


class Journal(DocumentTable, ResultTables):
    """Documents, extractions and vectors of one index folder.

    A context manager. To be used by one thread at a time; what an iterator yields must be read before the
    next write. Any number of processes may read while one, under the ``WriterLock``, writes.
    """

    @classmethod
    def open(cls, folder: Path) -> Journal:
        """Open the journal in ``folder`` for reading and writing; make what is missing.

        Raises
        ------
        IndexFormatError
            A newer version of this package wrote it.
        IndexCorruptError
            It is damaged.
        IndexLockedError
            Another process is writing to it at this moment.
        StoreError
            The folder cannot be made or written to.
        """
        folder = Path(folder)
        return cls(folder / JOURNAL_NAME, connect(folder))

    @classmethod
    def open_readonly(cls, folder: Path) -> Journal:
        """Open the journal in ``folder`` for reading; writing to it raises a :class:`StoreError`.

        Raises
        ------
        IndexNotFoundError
            There is no journal.
        IndexFormatError, IndexCorruptError, StoreError
            As :meth:`open`.
        """
        folder = Path(folder)
        return cls(folder / JOURNAL_NAME, connect_readonly(folder))
