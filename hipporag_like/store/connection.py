"""Opening the SQLite file under the journal: schema, format number, and SQLite's errors in one sentence.

Write-ahead log with ``synchronous=FULL``: a committed batch survives kill -9 and power loss alike. NORMAL
would lose the last batches at power loss, and a published snapshot could then hold documents that the
journal has forgotten. FULL costs one fsync a batch, and batches are large.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hipporag_like.errors import (
    IndexCorruptError,
    IndexFormatError,
    IndexLockedError,
    IndexNotFoundError,
    InputError,
    StoreError,
)
from hipporag_like.store.checksum import SUMMED_SINCE, row_checksum
from hipporag_like.store.files import FILE_MODE, file_errors, make_folder, missing_index

JOURNAL_NAME = "journal.db"
FORMAT = 3
BUSY_SECONDS = 10.0  # another connection holds the file for a commit or a checkpoint: well under a second
# Reading 100,000 vectors of 384 float32: 0.65 s with pages of 16 KiB, 1.35 s with 8 KiB, 2.25 s with 4 KiB.
PAGE_BYTES = 16384
# Pages kept in memory, in KiB: SQLite's own 2 MB do not hold the inner pages of the indexes of a million documents.
CACHE_KIB = 1 << 16

# The passages of a document are the slices of its text named by `spans`: [start, end, start, end, ...].
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    row INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL, id TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL,
    metadata TEXT NOT NULL, spans TEXT NOT NULL, hash TEXT NOT NULL, sort_key TEXT NOT NULL,
    UNIQUE (namespace, id));
CREATE INDEX documents_in_order ON documents (namespace, sort_key, id);
CREATE INDEX documents_by_id ON documents (id, namespace);
CREATE TABLE fingerprints (row INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE extractions (
    fingerprint INTEGER NOT NULL REFERENCES fingerprints (row), key TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ok', 'failed')), payload TEXT NOT NULL,
    PRIMARY KEY (fingerprint, key));
CREATE TABLE vectors (
    fingerprint INTEGER NOT NULL REFERENCES fingerprints (row), hash BLOB NOT NULL, vector BLOB NOT NULL,
    PRIMARY KEY (fingerprint, hash))
"""
# What turns a journal of format N - 1 into one of format N; a new journal runs all of them.
_MIGRATIONS = {
    2: """
CREATE TABLE calls (
    fingerprint INTEGER NOT NULL REFERENCES fingerprints (row), key BLOB NOT NULL,
    owner TEXT NOT NULL, payload TEXT NOT NULL,
    PRIMARY KEY (fingerprint, key));
CREATE INDEX calls_by_owner ON calls (owner)
""",
    # A checksum a row (store.checksum), and a name that tells a journal from any other.
    3: """
ALTER TABLE meta ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE extractions ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vectors ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
UPDATE meta SET crc = row_checksum(key, value) WHERE key LIKE 'user:%';
UPDATE documents SET
    crc = row_checksum(namespace, id, title, text, metadata, spans, hash, sort_key);
UPDATE extractions SET crc = row_checksum(fingerprint, key, status, payload);
UPDATE vectors SET crc = row_checksum(fingerprint, hash, vector);
UPDATE calls SET crc = row_checksum(fingerprint, key, owner, payload);
INSERT INTO meta (key, value) VALUES ('identity', lower(hex(randomblob(16))))
""",
}


def corrupt(path: Path, what: object) -> IndexCorruptError:
    """Return the error for a damaged journal, of which nothing else in the folder has all."""
    return IndexCorruptError(
        f"{path} is damaged ({what}); put back a copy of it, or save what can be read with: "
        f"hipporag-like repair --index {path.parent}"
    )


# In what SQLite says of a file that is no longer what it wrote: a table or a column is gone or there twice, a
# text is no UTF-8.
_DAMAGE = ("no such", "malformed", "already exists", "duplicate column", "decode", "not a database")


def unquoted(error: sqlite3.DatabaseError) -> sqlite3.DatabaseError:
    """Return an error of SQLite without what it quotes: that may be a document."""
    return type(error)(str(error).partition(" with text ")[0])


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite raises in the block into an error of this package that names ``path`` and the fix."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a closed journal was used: a mistake in the program, not in the file
    except UnicodeDecodeError as error:  # from SQLite's own message, which quotes the damaged schema
        raise corrupt(path, error) from error
    except (UnicodeEncodeError, OverflowError, sqlite3.DataError) as error:
        raise InputError(
            f"a text cannot be stored in {path} ({error}); clean it and hand it in again"
        ) from error
    except sqlite3.OperationalError as error:
        said = unquoted(error)
        raise _operational(path, str(said)) from said
    except sqlite3.DatabaseError as error:
        said = unquoted(error)
        raise corrupt(path, said) from said


def _operational(path: Path, message: str) -> StoreError:
    # By message, because error codes are only there from Python 3.11 on.
    if "locked" in message or "busy" in message:
        return IndexLockedError(f"another process is using {path}; wait for it or stop it")
    if any(sign in message for sign in _DAMAGE):
        return corrupt(path, message)
    if "full" in message:
        return StoreError(f"the disk is full, {path} cannot grow; free some space and run the command again")
    if "readonly" in message:
        return StoreError(f"{path} is read-only; give yourself the permission to write or use another folder")
    return StoreError(f"cannot use {path} ({message}); check the disk's free space, limits and permissions")


def connect(folder: Path) -> sqlite3.Connection:
    """Open the journal in ``folder`` for reading and writing; make what is missing.

    Raises
    ------
    IndexFormatError, IndexCorruptError, IndexLockedError, StoreError
        A newer version wrote it; it is damaged; another process uses it; it cannot be written.
    """
    make_folder(folder)
    path = folder / JOURNAL_NAME
    with file_errors("open", path):
        # Made here, because SQLite would let others read it; its log files take over these permissions.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE))
        if path.stat().st_size == 1:  # SQLite takes that for a new file, and would fill it
            raise corrupt(path, "it has one byte")
    with ExitStack() as stack, sqlite_errors(path):
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        stack.callback(connection.close)
        _set_up(connection)
        _migrate(path, connection)
        stack.pop_all()
    return connection


def connect_readonly(folder: Path) -> sqlite3.Connection:
    """Open the journal in ``folder`` for reading only.

    Raises
    ------
    IndexNotFoundError
        There is none, or nothing was ever written to it.
    IndexFormatError, IndexCorruptError, StoreError
        A newer version wrote it; it is damaged; it cannot be read.
    """
    path = folder / JOURNAL_NAME
    if not path.is_file() or path.stat().st_size == 0:
        raise IndexNotFoundError(missing_index(folder))
    # SQLite cannot share a log in a folder it may not write to; where there is no log it need not.
    frozen = not os.access(folder, os.W_OK) and not path.with_name(JOURNAL_NAME + "-wal").exists()
    uri = path.absolute().as_uri() + "?mode=ro" + ("&immutable=1" if frozen else "")
    with ExitStack() as stack, sqlite_errors(path):
        connection = sqlite3.connect(
            uri, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=True
        )
        stack.callback(connection.close)
        connection.execute("PRAGMA temp_store = MEMORY")
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            raise IndexNotFoundError(missing_index(folder))
        _check_format(path, connection)
        stack.pop_all()
    return connection


def _set_up(connection: sqlite3.Connection) -> None:
    connection.create_function("row_checksum", -1, row_checksum)
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    with transaction(connection):
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute("INSERT INTO meta VALUES ('format', 1), ('revision', 0)")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block does, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.rollback()


def _migrate(path: Path, connection: sqlite3.Connection) -> None:
    """Bring a journal to the format of this version, one number after the other, each in a transaction."""
    for number in range(_check_format(path, connection) + 1, FORMAT + 1):
        with transaction(connection):
            if _check_format(path, connection) >= number:
                continue  # another process was faster
            for statement in _MIGRATIONS[number].split(";"):
                connection.execute(statement)
            connection.execute("UPDATE meta SET value = ? WHERE key = 'format'", (number,))


def _check_format(path: Path, connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    if row is None or not isinstance(row[0], int) or row[0] < 1:
        raise corrupt(path, "it has no format number")
    if row[0] > FORMAT:
        raise IndexFormatError(
            f"{path} has format {row[0]} and this version reads up to {FORMAT}; "
            "upgrade with: pip install --upgrade hipporag-like"
        )
    has_sums = any(column[1] == "crc" for column in connection.execute("PRAGMA table_info (documents)"))
    if has_sums != (row[0] >= SUMMED_SINCE):  # else no row would be compared with its checksum
        raise corrupt(path, "its format number is not that of its tables")
    return row[0]
