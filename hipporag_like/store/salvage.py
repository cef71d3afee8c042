"""What can still be read of a damaged journal, copied row by row into a fresh one. The old one is kept aside."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hipporag_like.errors import StoreError
from hipporag_like.store.check_journal import CHECKS, TABLES
from hipporag_like.store.checksum import row_checksum
from hipporag_like.store.connection import JOURNAL_NAME, PAGE_BYTES, connect, sqlite_errors, transaction
from hipporag_like.store.files import copy_private, file_errors, sync_folder

_LOGS = ("-wal", "-shm")
_MOST_ROWS = 1 << 33  # a bound for row numbers where the table cannot say; more than any disk holds
_BATCH = 500  # rows read at once; where one of them is damaged they are read in halves
# So many stretches in a row that cannot be read double the smallest that is tried: behind a damaged last page lie
# as many row numbers as there are, and all of them fail. That takes 200,000 tries, or some seconds.
_TRIES = 10_000
_HEAD_BYTES = 100  # of a journal, before the page that names its tables


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What came of a damaged journal.

    Attributes
    ----------
    kept
        Rows saved, by table.
    lost
        Rows that were there and do not fit their checksum, by table; a row whose page is gone leaves no trace.
    aside
        Where the damaged file was put.
    """

    kept: dict[str, int]
    lost: dict[str, int]
    aside: Path


def salvage(folder: Path, revision: int, identity: str) -> Salvaged:
    """Put a fresh journal in the place of a damaged one; to be called while holding the ``WriterLock``.

    Parameters
    ----------
    folder
        The index folder.
    revision
        What the new journal's revision must exceed.
    identity
        The journal's name, for when it cannot be read; empty where that is not known.

    Raises
    ------
    IndexCorruptError, StoreError
        Not one document can be read; nothing was changed.
    """
    path = folder / JOURNAL_NAME
    with tempfile.TemporaryDirectory(prefix=".salvage-", dir=folder) as name:
        work = Path(name)
        old = _copy(path, work / "old.db")
        fresh = work / "fresh"
        _mend_schema(old, work / "shape")
        with closing(connect(fresh)) as target:
            kept, lost = _save(path, old, target, revision, identity)
        if not kept["documents"]:
            raise StoreError(
                f"no document in {path} can be read any more; put back a copy of it, or delete {folder} and make "
                f"it again with: hipporag-like index SOURCE --index {folder}"
            )
        aside = _aside(path)
        with file_errors("move", path):
            _keep(path, aside)
            for end in _LOGS:  # or SQLite would write the old log into the new file
                with suppress(FileNotFoundError):
                    os.unlink(f"{path}{end}")
            os.replace(fresh / JOURNAL_NAME, path)
            sync_folder(folder)
    return Salvaged(kept, lost, aside)


def _aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return aside


def _keep(path: Path, aside: Path) -> None:
    """Give the damaged file and its log a second name, so that at no moment there is none."""
    for source, target in ((path, aside), (Path(f"{path}-wal"), Path(f"{aside}-wal"))):
        if source.exists():
            try:
                os.link(source, target)
            except OSError:  # no hard links here
                copy_private(source, target)


def _copy(path: Path, copy: Path) -> Path:
    """Copy a journal with its log, and mend the parts of its first bytes that are the same in every journal."""
    with file_errors("copy", path):
        copy_private(path, copy)
        wal = Path(f"{path}-wal")
        if wal.exists():
            copy_private(wal, Path(f"{copy}-wal"))
        size = copy.stat().st_size
        with open(copy, "r+b") as file:
            head = bytearray(file.read(_HEAD_BYTES).ljust(_HEAD_BYTES, b"\0"))
            _mend_head(head, size)
            file.seek(0)
            file.write(head)
    return copy


def _mend_schema(old: Path, shape: Path) -> None:
    """Take over the names of the tables and where they start from a new journal, where they cannot be read.

    They are the same in every journal that was made in the format of this version. Where they are not, rows do not
    fit their checksums.
    """
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(old)) as connection:
        connection.execute("SELECT count(*) FROM documents")
        return
    connect(shape).close()
    with open(shape / JOURNAL_NAME, "rb") as made, open(old, "r+b") as file:
        page = made.read(PAGE_BYTES)
        file.seek(_HEAD_BYTES)
        file.write(page[_HEAD_BYTES:])


def _mend_head(head: bytearray, size: int) -> None:
    """Write what every journal starts with; see https://www.sqlite.org/fileformat.html, section 1.3."""
    head[0:16] = b"SQLite format 3\0"
    head[16:18] = PAGE_BYTES.to_bytes(2, "big")
    head[18:24] = bytes((2, 2, 0, 64, 32, 32))  # write-ahead log, no reserved bytes, payload fractions
    head[28:32] = (size // PAGE_BYTES).to_bytes(4, "big")
    head[32:40] = bytes(8)  # no free pages: the copy is only read
    head[44:48] = (4).to_bytes(4, "big")  # schema format
    head[52:56] = bytes(4)  # no auto-vacuum
    head[56:60] = (1).to_bytes(4, "big")  # UTF-8
    head[64:72] = bytes(8)
    head[92:96] = head[24:28]  # the page count above holds


def _save(
    path: Path, old: Path, target: sqlite3.Connection, revision: int, identity: str
) -> tuple[dict[str, int], dict[str, int]]:
    """Copy every readable row; documents first."""
    kept = dict.fromkeys(TABLES, 0)
    lost = dict.fromkeys(TABLES, 0)
    with sqlite_errors(path), closing(sqlite3.connect(old, isolation_level=None)) as source:
        source.text_factory = bytes
        models = dict(_rows(source, "fingerprints", ("name",), ""))
        with transaction(target):
            for number, (name, _) in models.items():
                values = (number, str(name, "utf-8", "replace"))
                target.execute("INSERT OR IGNORE INTO fingerprints VALUES (?, ?)", values)
            _save_notes(source, target, revision, identity)
            for table, columns in TABLES.items():
                for row, whole in _judged(source, table, columns):
                    if whole and (table == "documents" or row[0] in models):
                        kept[table] += _insert(target, table, columns, row)
                    else:
                        lost[table] += 1
    return kept, lost


def _insert(target: sqlite3.Connection, table: str, columns: tuple[str, ...], values: list[object]) -> int:
    blobs = {"hash", "vector"} if table == "vectors" else {"key"} if table == "calls" else set()
    typed = [
        str(value, "utf-8") if isinstance(value, bytes) and column not in blobs else value
        for column, value in zip(columns, values, strict=True)
    ]
    marks = ", ".join("?" * (len(columns) + 1))
    sql = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}, crc) VALUES ({marks})"
    return target.execute(sql, (*typed, row_checksum(*typed))).rowcount


def _save_notes(source: sqlite3.Connection, target: sqlite3.Connection, revision: int, identity: str) -> None:
    """Copy options and the journal's name where they are whole; the revision only ever grows."""
    notes: dict[bytes, object] = {b"identity": identity.encode()} if identity else {}
    for query in ("SELECT key, value, crc FROM meta", "SELECT key, value, NULL FROM meta"):
        with suppress(sqlite3.DatabaseError):
            for key, value, crc in source.execute(query):
                if crc is None or not key.startswith(b"user:") or row_checksum(key, value) == crc:
                    notes.setdefault(key, value)
    for key, value in notes.items():
        with suppress(UnicodeDecodeError, TypeError):
            if key.startswith(b"user:") or key == b"identity":
                texts = (key.decode(), str(value, "utf-8"))  # type: ignore[call-overload]
                target.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", (*texts, row_checksum(*texts)))
    known = notes.get(b"revision")
    least = max(revision, known if isinstance(known, int) and known < 1 << 62 else 0)
    target.execute("UPDATE meta SET value = ? WHERE key = 'revision'", (least + 1,))


def _judged(
    source: sqlite3.Connection, table: str, columns: tuple[str, ...]
) -> Iterator[tuple[list[object], bool]]:
    """Yield the values of each readable row, and whether they are what was written."""
    summed = _has_sums(source, table)
    for _, (*values, crc) in _rows(source, table, columns, "crc" if summed else "NULL"):
        whole = row_checksum(*values) == crc if summed else True
        yield values, whole and not CHECKS[table](values)


def _has_sums(source: sqlite3.Connection, table: str) -> bool:
    with suppress(sqlite3.DatabaseError):
        return any(row[1] == b"crc" for row in source.execute(f"PRAGMA table_info({table})"))
    return False


def _rows(
    source: sqlite3.Connection, table: str, columns: tuple[str, ...], more: str
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield row number and values of what can be read; where a stretch cannot, its halves are tried."""
    wanted = ", ".join((*columns, more or "NULL"))
    sql = (
        f"SELECT rowid, {wanted} FROM {table} NOT INDEXED WHERE rowid BETWEEN ? AND ? ORDER BY rowid LIMIT ?"
    )
    stretches, failed = [(0, _MOST_ROWS)], 0
    while stretches:
        start, end = stretches.pop()
        try:
            rows = source.execute(sql, (start, end, _BATCH)).fetchall()
        except (sqlite3.DatabaseError, OverflowError):
            failed += 1
            if end - start >= 1 << (failed // _TRIES):
                middle = (start + end) // 2
                stretches += [(middle + 1, end), (start, middle)]
            continue
        failed = 0 if rows else failed
        for number, *values in rows:
            yield number, tuple(values)
        if len(rows) == _BATCH and rows[-1][0] < end:
            stretches.append((rows[-1][0] + 1, end))
