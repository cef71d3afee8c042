"""The journal's documents and their passages."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from hipporag_like.store.checksum import row_checksum
from hipporag_like.store.codec import decode_spans, document_hash, document_metadata, sort_key
from hipporag_like.store.connection import corrupt, sqlite_errors
from hipporag_like.store.database import Database, batches
from hipporag_like.types import DEFAULT_NAMESPACE, NO_METADATA, Document, Passage

_UPSERT = """
INSERT INTO documents (namespace, id, title, text, metadata, spans, hash, sort_key, crc)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (namespace, id) DO UPDATE SET title = excluded.title, text = excluded.text,
    metadata = excluded.metadata, spans = excluded.spans, hash = excluded.hash, sort_key = excluded.sort_key,
    crc = excluded.crc
"""
_COLUMNS = "namespace, id, title, text, metadata, spans, hash, sort_key"


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document cut into passages.

    Attributes
    ----------
    id, passages
        The document.
    metadata
        As canonical JSON.
    stamp
        Its :func:`document_hash`.
    """

    id: str
    passages: list[Passage]
    metadata: str
    stamp: str


class DocumentTable(Database):
    """Documents by (namespace, id), each with the spans of its passages."""

    def put_documents(
        self, rows: Sequence[tuple[Document, Sequence[tuple[int, int]]]], chunk_fingerprint: str
    ) -> None:
        """Store documents and their passages in one transaction; same (namespace, id) replaces.

        Parameters
        ----------
        rows
            Documents, each with the half-open character spans of its passages in its text.
        chunk_fingerprint
            Identifies how the spans were made; part of what :meth:`document_hashes` returns.

        Raises
        ------
        InputError
            A text or metadata that cannot be stored; nothing of ``rows`` is stored then.
        StoreError
            The disk is full or the file cannot be written.
        """
        if not rows:
            return
        with self._transaction() as connection:
            connection.executemany(
                _UPSERT, (_row(document, spans, chunk_fingerprint) for document, spans in rows)
            )
            self._bump()

    def delete_documents(self, keys: Sequence[tuple[str, str]]) -> int:
        """Delete documents by (namespace, id) with their passages; return how many there were.

        What is deleted is overwritten on disk. Extractions and vectors stay until :meth:`Journal.prune`.
        """
        with self._transaction() as connection:
            sql = "DELETE FROM documents WHERE namespace = ? AND id = ?"
            deleted = connection.executemany(sql, keys).rowcount if keys else 0
            if deleted:
                self._bump()
        if deleted:
            self._forget_log()
        return deleted

    def document_hashes(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Return the :func:`document_hash` of each stored document among the (namespace, id) ``keys``."""
        ids: dict[str, list[str]] = defaultdict(list)
        for namespace, document_id in keys:
            ids[namespace].append(document_id)
        found: dict[tuple[str, str], str] = {}
        for namespace, wanted in ids.items():
            for part, marks in batches(wanted):
                sql = f"SELECT id, hash FROM documents WHERE namespace = ? AND id IN ({marks})"
                for document_id, value in self._rows(sql, (namespace, *part)):
                    found[namespace, document_id] = value
        return found

    def namespaces_of(self, document_id: str) -> list[str]:
        """Return the namespaces that hold a document of this id, sorted."""
        sql = "SELECT namespace FROM documents WHERE id = ? ORDER BY namespace"
        return [namespace for (namespace,) in self._rows(sql, (document_id,))]

    def namespaces(self) -> dict[str, int]:
        """Return the number of documents of each namespace that has any, sorted by name.

        Read from two of SQLite's indexes: where a name is damaged in one, its documents would be found by no name.
        """
        first, second = (
            dict(
                self._rows(f"SELECT namespace, count(*) FROM documents INDEXED BY {index} GROUP BY namespace")
            )
            for index in ("documents_in_order", "sqlite_autoindex_documents_1")
        )
        if first != second or not all(isinstance(name, str) for name in first):
            raise corrupt(self._path, "two of its lists of namespaces differ")
        return dict(sorted(first.items()))

    def document_count(self, namespace: str) -> int:
        """Return the number of documents in ``namespace``."""
        for (count,) in self._rows("SELECT count(*) FROM documents WHERE namespace = ?", (namespace,)):
            return int(count)
        return 0

    def documents(self, namespace: str) -> Iterator[Document]:
        """Yield the documents of ``namespace`` by content, then id: an order without history."""
        for _, document_id, title, text, metadata, *_ in self._in_order(namespace):
            yield Document(text, document_id, title, self._loads(metadata) or NO_METADATA, namespace)

    def documents_as_they_lie(self, namespace: str) -> Iterator[Document]:
        """Yield the documents of ``namespace`` as they lie on the disk; see :meth:`unordered`."""
        for _, document_id, title, text, metadata, *_ in self._as_they_lie(namespace):
            yield Document(text, document_id, title, self._loads(metadata) or NO_METADATA, namespace)

    def documents_of(self, namespace: str, ids: Sequence[str]) -> list[Document]:
        """Return the documents of some ids, in no order."""
        found = []
        for part, marks in batches(ids):
            for row in self._checked(f"WHERE namespace = ? AND id IN ({marks})", (namespace, *part)):
                _, document_id, title, text, metadata, *_ = row
                known = self._loads(metadata) or NO_METADATA
                found.append(Document(text, document_id, title, known, namespace))
        return found

    def passages(self, namespace: str) -> Iterator[Passage]:
        """Yield the passages of ``namespace`` in the order of :meth:`documents`, then as they were given.

        A passage's id is ``DOCUMENT_ID#ORDINAL``, after ``NAMESPACE/`` outside the default namespace.
        """
        for stored in self.stored(namespace):
            yield from stored.passages

    def unordered(self, namespace: str) -> Iterator[StoredDocument]:
        """Yield all documents with their passages as they lie on the disk, for what does not depend on the order.

        Their order jumps about the file: a million documents take minutes by it where the file is not in memory.
        """
        return map(self._stored, self._as_they_lie(namespace))

    def stored(self, namespace: str, ids: Sequence[str] | None = None) -> Iterator[StoredDocument]:
        """Yield documents with their passages: all in order, or those of some ids, in no order.

        Parameters
        ----------
        namespace
            Where they are.
        ids
            Of documents that are there, without repeats.

        Raises
        ------
        IndexCorruptError
            A document is not there, or not as it was written.
        """
        if ids is None:
            for row in self._in_order(namespace):
                yield self._stored(row)
            return
        for part, marks in batches(ids):
            read = 0
            for row in self._checked(f"WHERE namespace = ? AND id IN ({marks})", (namespace, *part)):
                read += 1
                yield self._stored(row)
            if read != len(part):
                raise corrupt(self._path, f"{len(part) - read} documents of {namespace!r} cannot be found")

    def listing(self, namespace: str) -> list[tuple[str, str]]:
        """Return id and :func:`document_hash` of every document, in the order of :meth:`documents`.

        Read from the table itself, from start to end; texts are not read, so that nothing here can be compared
        with a checksum but how many there are. Who goes on to read a document of these finds the damage.
        """
        sql = "SELECT id, hash FROM documents NOT INDEXED WHERE namespace = ? ORDER BY sort_key, id"
        with sqlite_errors(self._path):
            rows: list[tuple[str, str]] = self._connection.execute(sql, (namespace,)).fetchall()
        indexed = "SELECT count(*) FROM documents INDEXED BY documents_in_order WHERE namespace = ?"
        for (count,) in self._rows(indexed, (namespace,)):
            self._compare(namespace, len(rows), count)
        if not set(map(type, chain.from_iterable(rows))) <= {str}:
            raise corrupt(self._path, "an id or a hash of documents is no text")
        return rows

    def _stored(self, row: Sequence[str]) -> StoredDocument:
        namespace, document_id, title, text, stored, spans, stamp, _ = row
        prefix = "" if namespace == DEFAULT_NAMESPACE else f"{namespace}/"
        metadata = self._loads(stored) or NO_METADATA
        places = enumerate(decode_spans(self._loads(spans)))
        passages = [
            Passage(
                f"{prefix}{document_id}#{ordinal}",
                document_id,
                text[start:end],
                start,
                end,
                title,
                metadata,
                namespace,
            )
            for ordinal, (start, end) in places
        ]
        return StoredDocument(document_id, passages, stored, stamp)

    def _in_order(self, namespace: str) -> Iterator[Sequence[str]]:
        """Yield the columns of each document, as they were written and none left out.

        SQLite finds the rows by its own index, so that they are counted once more in the table itself.
        """
        read = 0
        for row in self._checked("WHERE namespace = ? ORDER BY sort_key, id", (namespace,)):
            read += 1
            yield row
        sql = "SELECT count(*) FROM documents NOT INDEXED WHERE namespace = ?"
        for (count,) in self._rows(sql, (namespace,)):
            self._compare(namespace, count, read)

    def _as_they_lie(self, namespace: str) -> Iterator[Sequence[str]]:
        """Yield the columns of every document, as :meth:`_in_order` but as they lie on the disk."""
        read = 0
        for row in self._checked("NOT INDEXED WHERE namespace = ?", (namespace,)):
            read += 1
            yield row
        indexed = "SELECT count(*) FROM documents INDEXED BY documents_in_order WHERE namespace = ?"
        for (count,) in self._rows(indexed, (namespace,)):
            self._compare(namespace, read, count)

    def _checked(self, where: str, values: Sequence[Any]) -> Iterator[Sequence[str]]:
        """Yield the columns of the documents that a query finds, each row compared with its checksum."""
        for *row, crc in self._rows(f"SELECT {_COLUMNS}, {self._crc} FROM documents {where}", values):
            self._check("documents", crc, *row)
            yield row

    def _compare(self, namespace: str, stored: int, found: int) -> None:
        if stored != found:
            raise corrupt(self._path, f"{stored} documents of {namespace!r} are stored and {found} found")

    def _loads(self, stored: str) -> Any:
        if stored == "{}":  # by far the most common
            return None
        try:
            return json.loads(stored)
        except ValueError as error:
            raise corrupt(self._path, error) from error


def _row(
    document: Document, spans: Sequence[tuple[int, int]], chunk_fingerprint: str
) -> tuple[str | int, ...]:
    if any(not 0 <= start <= end <= len(document.text) for start, end in spans):
        raise ValueError(f"a span lies outside the text of document {document.id!r}")
    flat = [offset for span in spans for offset in span]
    row = (
        document.namespace,
        document.id,
        document.title,
        document.text,
        document_metadata(document),
        json.dumps(flat, separators=(",", ":")),
        document_hash(document, chunk_fingerprint),
        sort_key(document),
    )
    return (*row, row_checksum(*row))
