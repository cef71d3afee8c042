"""Fuzz targets: the files of an index, changed by the byte, and the journal's rows, changed through SQLite."""

from __future__ import annotations

import io
import json
import random
import sqlite3
import warnings
from pathlib import Path
from typing import Any

import fuzz_mutate as mutate
import numpy as np
from fuzz_parsers_run import Target, require

from hipporag_like.errors import StoreError
from hipporag_like.store import codec, connection, database, documents, manifest, reader, results, stamp
from hipporag_like.store.check_journal import journal_findings
from hipporag_like.store.journal import Journal
from hipporag_like.store.manifest import ArrayEntry, ManifestError, decode_manifest
from hipporag_like.store.snapshot import open_snapshot
from hipporag_like.store.writer import SnapshotWriter
from hipporag_like.text import content_hash
from hipporag_like.types import Document, Extraction, Mention, Triple

KEYS = [content_hash(str(number)) for number in range(4)]
DOCUMENTS = [
    (
        Document("Ada Lovelace was born in London. She wrote.", "a", "Ada", {"year": 1815, "tags": ["x"]}),
        [(0, 32), (33, 43)],
    ),
    (Document("caf\u00e9 \u6771\u4eac \U0001f600", "b", "", {}, "other"), [(0, 9)]),
    (Document("Ada Lovelace was born in London. She wrote. " * 30, "c", "Long"), [(0, 100)]),
]
EXTRACTIONS = [
    (
        KEYS[0],
        Extraction(((0, 32),), (Mention(0, 12, "name"),), ("Ada",), (Triple("Ada", "born in", "London"),)),
    ),
    (KEYS[1], Extraction(error="the model said nothing")),
    (KEYS[2], Extraction(((0, 9),))),
]


def make_journal(folder: Path) -> bytes:
    """Return the bytes of a journal that holds something in every table."""
    with Journal.open(folder) as journal:
        journal.put_documents(DOCUMENTS, "chunks")
        journal.put_extractions("rules:1", EXTRACTIONS)
        journal.put_vectors("hashing:1", KEYS, np.arange(32, dtype=np.float32).reshape(4, 8))
        journal.put_call("gpt:1", KEYS[0], "owner", ("An answer, caf\u00e9", False, 3, 4))
        journal.set_meta("options", '{"chunk": {}}')
    plain = sqlite3.connect(folder / "journal.db")
    plain.execute("PRAGMA journal_mode = DELETE")  # one file, so that all of it is in the bytes
    plain.execute("PRAGMA secure_delete = OFF")
    plain.close()
    return (folder / "journal.db").read_bytes()


def read_all(folder: Path, writing: bool) -> dict[str, Any]:
    """Return all that the journal's readers give."""
    with (Journal.open if writing else Journal.open_readonly)(folder) as journal:
        names = journal.namespaces()
        found, matrix = journal.vectors("hashing:1", KEYS, 8)
        return {
            "namespaces": names,
            "documents": {name: list(journal.documents(name)) for name in names},
            "lying": {
                name: sorted(journal.documents_as_they_lie(name), key=lambda d: d.id) for name in names
            },
            "passages": {name: list(journal.passages(name)) for name in names},
            "listings": {name: journal.listing(name) for name in names},
            "some": [journal.documents_of("default", ["a", "c"]), journal.namespaces_of("a")],
            "meta": journal.get_meta("options"),
            "extractions": journal.extractions("rules:1", KEYS),
            "failed": journal.failed_extractions("rules:1"),
            "call": journal.call("gpt:1", KEYS[0]),
            "vectors": {
                key: row.tobytes() for key, row, there in zip(KEYS, matrix, found, strict=True) if there
            },
            "numbers": (type(journal.revision()), journal.format()),
        }


# Of these a part may be missing: what models made is made again, and an option that is gone is the default.
PARTS = ("extractions", "failed", "vectors")


def compare(found: dict[str, Any], whole: dict[str, Any], counted: bool) -> None:
    """Raise where something was read that was never written.

    ``counted`` is false where rows were removed or added through SQLite,
    which keeps its own books right: that documents
    are gone is then for the snapshot to notice.
    """
    for name in PARTS:
        require(found[name].items() <= whole[name].items(), f"{name} are not what was written")
    require(found["call"] in (None, whole["call"]), "the call is not what was written")
    require(found["meta"] in (None, whole["meta"]), "the note is not what was written")
    require(found["numbers"][0] is int, "the revision is no number")
    for name in ("documents", "lying", "passages"):
        for space, rows in found[name].items():
            known = whole[name].get(space, [])
            require(all(row in known for row in rows), f"{name} are not what was written")
            require(not counted or len(rows) == len(known), f"some {name} are missing")
    require(
        not counted or list(found["namespaces"]) == list(whole["namespaces"]),
        "the namespaces are not what was written",
    )


COLUMNS = {
    "meta": ("key", "value", "crc"),
    "documents": ("row", "namespace", "id", "title", "text", "metadata", "spans", "hash", "sort_key", "crc"),
    "fingerprints": ("row", "name"),
    "extractions": ("fingerprint", "key", "status", "payload", "crc"),
    "vectors": ("fingerprint", "hash", "vector", "crc"),
    "calls": ("fingerprint", "key", "owner", "payload", "crc"),
}
CASTS = ("CAST({0} AS BLOB)", "CAST({0} AS TEXT)", "CAST({0} AS INTEGER)", "CAST({0} AS REAL)", "NULL", "{0} || x'00'",
         "x'ff' || {0}", "substr({0}, 2)", "zeroblob(40)", "randomblob(9)", "upper({0})", "-{0}", "{0} + 1",
         "1e999")  # fmt: skip
VALUES: tuple[Any, ...] = (
    0, 1, -1, 2**31, 2**62, -(2**63), 1.5, float("inf"), None, "", "a\0b", "\ufeff", "[" * 5000, "{}", "[]",
    "null", "[1]",
    "[0,5]", "NaN", '{"a": 1e999}', "9" * 5000, b"", b"\xff\xfe", b"Ada", b"\0" * 32, bytes.fromhex(KEYS[0]), "default",
    "other", "ok", "failed", "format", "revision", "user:options", "identity",
)  # fmt: skip


def make_statement(rng: random.Random, kept: Any) -> list[tuple[str, tuple[Any, ...]]]:
    """Return statements that change rows behind the package's back."""
    made = []
    for _ in range(1 if rng.random() < 0.8 else 2):
        table = rng.choice(list(COLUMNS))
        column = rng.choice(COLUMNS[table])
        place = f"rowid IN (SELECT rowid FROM {table} LIMIT 1 OFFSET {rng.randrange(4)})"
        if table == "meta":
            place = f"key IN (SELECT key FROM meta LIMIT 1 OFFSET {rng.randrange(4)})"
        kind = rng.randrange(8)
        if kind <= 2:
            made.append(
                (f"UPDATE {table} SET {column} = {rng.choice(CASTS).format(column)} WHERE {place}", ())
            )
        elif kind <= 5:
            value = rng.choice(VALUES) if rng.random() < 0.8 else rng.randbytes(rng.randint(0, 30))
            made.append((f"UPDATE {table} SET {column} = ? WHERE {place}", (value,)))
        elif kind == 6:
            made.append((f"DELETE FROM {table} WHERE {place}", ()))
        else:
            marks = ", ".join("?" * len(COLUMNS[table]))
            row = tuple(rng.choice(VALUES) for _ in COLUMNS[table])
            made.append(
                (f"INSERT OR REPLACE INTO {table} ({', '.join(COLUMNS[table])}) VALUES ({marks})", row)
            )
    return made


MANIFEST_WORDS = ("format", "number", "fields", "groups", "name", "folder", "files", "g0", "a", "<f4")


def make_manifest(rng: random.Random, kept: Any) -> tuple[str, bytes]:
    """Return which file of a snapshot is changed, and its new content."""
    name = rng.choice(("manifest.json", "manifest.json", "CURRENT", "checked.json"))
    whole = WHOLE[name]
    kind = rng.randrange(4)
    if kind == 0 or name == "CURRENT":
        return name, mutate.changed_bytes(rng, whole, [whole])
    if kind == 1:
        text = whole.decode()
        return name, mutate.changed_text(rng, text, [text], MANIFEST_WORDS).encode("utf-8", "surrogatepass")
    value = mutate.changed_value(rng, json.loads(whole), MANIFEST_WORDS)
    if name == "checked.json" and isinstance(value, dict):
        value["boot"] = stamp.boot()
    data = json.dumps(value).encode()
    if kind == 2 or not isinstance(value, dict):
        return name, data
    value.pop("checksum", None)
    text = json.dumps(value)[
        1:
    ].lstrip()  # with the right checksum, as whoever alters it on purpose would write
    return "signed", f'{{"checksum": "{content_hash(text)}",\n{text}'.encode()


HEADERS = (
    "descr",
    "fortran_order",
    "shape",
    "<f4",
    "|O",
    ">i8",
    "(2,",
    "L",
    "True",
    "'",
    "{",
    "}",
    "[('a', '<f4')]",
    "\n",
)


def make_array(rng: random.Random, kept: bytes | None) -> bytes:
    """Return an array file with a changed header."""
    whole = bytearray(ARRAY if kept is None else kept)
    if rng.random() < 0.5 and len(whole) > 128:
        text = bytes(whole[10:128]).decode("latin-1")
        changed = mutate.changed_text(rng, text, [text], HEADERS).encode("utf-8", "surrogatepass")
        length = (
            len(changed).to_bytes(2, "little")
            if rng.random() < 0.8 and len(changed) < 65536
            else bytes(whole[8:10])
        )
        return bytes(whole[:8]) + length + changed + bytes(whole[128:])
    return mutate.changed_bytes(rng, bytes(whole), [])


def targets(folder: Path) -> dict[str, Target]:  # noqa: C901  # a function in it for each target
    """Return the targets of this module."""
    home, snap = folder / "journal", folder / "snapshot"
    whole = make_journal(home)
    path, expected = home / "journal.db", None
    expected = read_all(home, False)
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    with SnapshotWriter(snap) as writer:
        writer.write("group", "a", array)
        writer.publish({"passages": 3})
    place = snap / "snapshots" / "1"
    global WHOLE, ARRAY, JOURNAL
    JOURNAL = whole
    WHOLE = {"manifest.json": (place / "manifest.json").read_bytes(), "CURRENT": (snap / "CURRENT").read_bytes(),
             "checked.json": json.dumps({"boot": stamp.boot(), "files": {"g0/a.npy": [1, 2, 3, 4,
             5]}}).encode()}  # fmt: skip
    buffer = io.BytesIO()
    np.save(buffer, array)
    ARRAY = buffer.getvalue()

    def put(data: bytes) -> None:
        for end in ("", "-wal", "-shm", "-journal"):
            Path(f"{path}{end}").unlink(missing_ok=True)
        path.write_bytes(data)

    def run_rows(statements: list[tuple[str, tuple[Any, ...]]]) -> None:
        put(whole)
        plain = sqlite3.connect(path, isolation_level=None)
        plain.execute("PRAGMA synchronous = OFF")
        plain.execute("PRAGMA journal_mode = MEMORY")
        try:
            for sql, values in statements:
                plain.execute(sql, values)
        except (sqlite3.Error, OverflowError):
            return  # SQLite itself refuses
        finally:
            plain.close()
        compare(read_all(home, len(str(statements)) % 2 == 0), expected, counted=False)

    def run_bytes(edits: list[tuple[int, bytes]]) -> None:
        put(damaged(edits))
        try:
            compare(read_all(home, edits[0][0] % 2 == 1), expected, counted=True)
        except StoreError:
            for finding in journal_findings(home):
                require(len(finding.sentence.splitlines()) == 1, "a finding of several lines")
            raise

    def run_manifest(given: tuple[str, bytes]) -> None:
        name, data = given
        if name == "signed":
            found = decode_manifest(data, "manifest.json")
            require(type(found.number) is int and isinstance(found.fields, dict), "no manifest")
            return
        at = snap / name if name == "CURRENT" else place / name
        at.write_bytes(data)
        try:
            with open_snapshot(snap) as snapshot:
                same = (snapshot.array("group", "a") == array).all() and snapshot.manifest == {"passages": 3}
                require(same, "a snapshot that is not what was written")
                snapshot.is_checked("group", "a")
                stamp.unaltered(place)
        finally:
            at.write_bytes(WHOLE[name])

    file = folder / "a.npy"

    def run_array(data: bytes) -> None:
        file.write_bytes(data)
        warnings.simplefilter("ignore", UserWarning)  # numpy's, of a header that Python 2 might have written
        read, _, _ = reader._load(file, ArrayEntry("<f4", (3, 4), len(data), 0), folder)
        require(read.dtype == "<f4" and read.shape == (3, 4) and not read.flags.writeable, "another array")

    journals = [m.__name__ for m in (connection, database, documents, results, codec)]
    return {
        "journal-rows": Target(make_statement, run_rows, (StoreError,), journals),
        "journal-bytes": Target(make_damage, run_bytes, (StoreError,), journals),
        "manifest": Target(make_manifest, run_manifest, (StoreError, ManifestError),
                           [m.__name__ for m in (manifest, reader, stamp)]),
        "array-header": Target(make_array, run_array, (StoreError,), [reader.__name__]),
    }  # fmt: skip


def make_damage(rng: random.Random, kept: Any) -> list[tuple[int, bytes]]:
    """Return places in a journal and what stands there instead; nothing where all that follows is cut off."""
    edits = []
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        at = rng.randrange(len(JOURNAL))
        while not any(JOURNAL[max(at - 8, 0) : at + 8]) and rng.random() < 0.95:
            at = rng.randrange(len(JOURNAL))
        kind = rng.randrange(12)
        if kind <= 7:
            edits.append((at, bytes([JOURNAL[at] ^ 1 << rng.randrange(8)])))
        elif kind == 8:
            edits.append((at, rng.randbytes(1)))
        elif kind == 9:
            edits.append((at, rng.randbytes(4)))
        elif kind == 10:
            edits.append((at, bytes(1 << rng.randint(4, 14))))
        else:
            edits.append((at, b""))
    return edits


def damaged(edits: list[tuple[int, bytes]]) -> bytes:
    """Return the bytes of the journal with the edits done."""
    data = bytearray(JOURNAL)
    for at, new in edits:
        data[at : at + len(new) if new else None] = new
    return bytes(data[: len(JOURNAL)])
