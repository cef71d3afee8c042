"""What every table of the journal shares: closing, transactions, revision, notes, fingerprints."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from hipporag_like.store.checksum import SUMMED_SINCE, UNSUMMED, row_checksum
from hipporag_like.store.connection import BUSY_SECONDS, corrupt, sqlite_errors, transaction

T = TypeVar("T")
Self = TypeVar("Self", bound="Database")

# Of the values that a row's checksum covers, by table.
KINDS: dict[str, list[type]] = {
    "meta": [str, str],
    "documents": [str] * 8,
    "extractions": [int, str, str, str],
    "vectors": [int, bytes, bytes],
    "calls": [int, bytes, str, str],
}
BATCH = 900  # variables in one statement; SQLite allows 999 before version 3.32


def batches(values: Sequence[T]) -> Iterator[tuple[Sequence[T], str]]:
    """Yield ``values`` in slices that fit one statement, each with its SQL placeholders."""
    for start in range(0, len(values), BATCH):
        part = values[start : start + BATCH]
        yield part, ",".join("?" * len(part))


class Database:
    """An open journal file.

    To be used by one thread at a time; what an iterator yields must be read before the next write.

    Parameters
    ----------
    path
        The file, for messages.
    connection
        Without implicit transactions.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        # A journal that is only read stays in the format it has.
        self._summed = self.format() >= SUMMED_SINCE
        self._crc = "crc" if self._summed else str(UNSUMMED)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with sqlite_errors(self._path):
            self._connection.close()

    def revision(self) -> int:
        """Return a number that grows with every change of documents or extractions."""
        for (value,) in self._rows("SELECT value FROM meta WHERE key = 'revision'"):
            if isinstance(value, int):
                return value
        raise corrupt(self._path, "it has no revision")

    def format(self) -> int:
        """Return the format number of the file."""
        for (value,) in self._rows("SELECT value FROM meta WHERE key = 'format'"):
            if isinstance(value, int):
                return value
        raise corrupt(self._path, "it has no format number")

    def exceed_revision(self, revision: int) -> None:
        """Make the revision greater than ``revision``, so that nothing made before counts as up to date."""
        with self._transaction() as connection:
            sql = "UPDATE meta SET value = ? WHERE key = 'revision' AND value <= ?"
            connection.execute(sql, (revision + 1, revision))

    def identity(self) -> str:
        """Return the name that this journal got when it was made; empty in a format below 3."""
        for (value,) in self._rows("SELECT value FROM meta WHERE key = 'identity'"):
            return str(value)
        return ""

    def get_meta(self, key: str) -> str | None:
        """Return what :meth:`set_meta` stored under ``key``, or None."""
        name = f"user:{key}"
        for value, crc in self._rows(f"SELECT value, {self._crc} FROM meta WHERE key = ?", (name,)):
            self._check("meta", crc, name, value)
            return str(value)
        return None

    def set_meta(self, key: str, value: str) -> None:
        """Store ``value`` under ``key``; does not change the revision."""
        with self._transaction() as connection:
            name = f"user:{key}"
            row = (name, value, row_checksum(name, value))
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", row)

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query as SQLite finds them."""
        with sqlite_errors(self._path):
            yield from self._connection.execute(sql, values)

    def _check(self, table: str, crc: object, *values: object) -> None:
        """Raise where a row is not what was written.

        One bit in the head of a row turns a text into bytes with the same checksum, so the kinds are compared too.
        """
        if list(map(type, values)) != KINDS[table] or (self._summed and crc != row_checksum(*values)):
            raise corrupt(self._path, f"a row of {table} does not fit its checksum")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with sqlite_errors(self._path), transaction(self._connection):
            yield self._connection

    def _bump(self) -> None:
        self._connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")

    def _fingerprint(self, name: str) -> int:
        """Return the number that stands for a fingerprint in other tables; 0 where it was never stored."""
        for (row,) in self._rows("SELECT row FROM fingerprints WHERE name = ?", (name,)):
            if not isinstance(row, int):  # the table's own description is damaged
                raise corrupt(self._path, "a fingerprint has no number")
            return row
        return 0

    def _make_fingerprint(self, name: str) -> int:
        self._connection.execute("INSERT OR IGNORE INTO fingerprints (name) VALUES (?)", (name,))
        return self._fingerprint(name)

    def _forget_log(self) -> None:
        """Empty the write-ahead log, where deleted text would stand until it is written over.

        Not while a reader is at work: then the next deletion does it, or closing the file.
        """
        with sqlite_errors(self._path):
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")

    def compact(self) -> bool:
        """Give back to the disk what deleted rows took, where that is more than half of the file.

        SQLite makes a copy without them in memory (elsewhere on the disk would be text that no deletion reaches) and
        writes it through the log: a kill leaves the file before or the one after, and readers go on reading.

        Returns
        -------
        bool
            Whether it was done; not where the disk has no room for the copy.
        """
        (pages,), (unused,), (page_bytes,) = (
            next(self._rows(f"PRAGMA {name}")) for name in ("page_count", "freelist_count", "page_size")
        )
        # The log takes what is left once more, and the file keeps its size until the log is written back.
        room = shutil.disk_usage(self._path.parent).free
        if 2 * unused <= pages or room < 2 * (pages - unused) * page_bytes:
            return False
        with sqlite_errors(self._path):
            self._connection.execute("VACUUM")
        self._forget_log()
        return True
