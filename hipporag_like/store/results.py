"""What models made of passages, kept so that it is made once: extractions, vectors, answers of language models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from hipporag_like.store.checksum import row_checksum
from hipporag_like.store.codec import decode_extraction, encode_extraction
from hipporag_like.store.connection import corrupt
from hipporag_like.store.database import Database, batches
from hipporag_like.types import Extraction

_FLOAT = np.dtype("<f4")


def _summed(*values: object) -> tuple[object, ...]:
    """Return a row with its checksum."""
    return (*values, row_checksum(*values))


class ResultTables(Database):
    """Extractions by (key, extractor), vectors by (text hash, model), answers by (call, model)."""

    def put_extractions(self, fingerprint: str, items: Sequence[tuple[str, Extraction]]) -> None:
        """Store extractions by key in one transaction; a failed one is stored with its reason, not as empty.

        Raises
        ------
        InputError
            A text that cannot be stored; nothing of ``items`` is stored then.
        """
        if not items:
            return
        with self._transaction() as connection:
            row = self._make_fingerprint(fingerprint)
            connection.executemany(
                "INSERT OR REPLACE INTO extractions VALUES (?, ?, ?, ?, ?)",
                (
                    _summed(row, key, "ok", encode_extraction(item))
                    if item.error is None
                    else _summed(row, key, "failed", item.error)
                    for key, item in items
                ),
            )
            self._bump()

    def extractions(self, fingerprint: str, keys: Sequence[str]) -> dict[str, Extraction]:
        """Return the successful extractions among ``keys``; failed and unknown ones are left out."""
        row = self._fingerprint(fingerprint)
        found: dict[str, Extraction] = {}
        for part, marks in batches(keys):
            where = f"fingerprint = ? AND status = 'ok' AND key IN ({marks})"
            for key, payload, crc in self._rows(
                f"SELECT key, payload, {self._crc} FROM extractions WHERE {where}", (row, *part)
            ):
                self._check("extractions", crc, row, key, "ok", payload)
                try:
                    found[key] = decode_extraction(payload)
                except ValueError as error:
                    raise corrupt(self._path, error) from error
        return found

    def extracted(self, fingerprint: str, keys: Sequence[str], status: str = "ok") -> set[str]:
        """Return which of ``keys`` have a successful extraction, or with ``failed`` one that failed."""
        row = self._fingerprint(fingerprint)
        found: set[str] = set()
        for part, marks in batches(keys):
            sql = f"SELECT key FROM extractions WHERE fingerprint = ? AND status = ? AND key IN ({marks})"
            found.update(key for (key,) in self._rows(sql, (row, status, *part)))
        return found

    def failed_extractions(self, fingerprint: str) -> dict[str, str]:
        """Return the reason of each failed extraction, by key."""
        row = self._fingerprint(fingerprint)
        where = "fingerprint = ? AND status = 'failed' ORDER BY key"
        found: dict[str, str] = {}
        for key, reason, crc in self._rows(
            f"SELECT key, payload, {self._crc} FROM extractions WHERE {where}", (row,)
        ):
            self._check("extractions", crc, row, key, "failed", reason)
            found[key] = reason
        return found

    def put_vectors(self, fingerprint: str, hashes: Sequence[str], matrix: NDArray[np.float32]) -> None:
        """Store one vector a text in one transaction; does not change the revision.

        Parameters
        ----------
        fingerprint
            Of the model.
        hashes
            Text hashes of 32 hexadecimal digits, n.
        matrix
            float32, (n, d).
        """
        if matrix.ndim != 2 or len(matrix) != len(hashes):
            raise ValueError(f"a matrix of shape {matrix.shape} for {len(hashes)} texts")
        if not len(hashes):
            return
        data = np.ascontiguousarray(matrix, dtype=_FLOAT)
        with self._transaction() as connection:
            row = self._make_fingerprint(fingerprint)
            connection.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)",
                (
                    _summed(row, bytes.fromhex(key), vector.tobytes())
                    for key, vector in zip(hashes, data, strict=True)
                ),
            )

    def embedded(self, hashes: Sequence[str]) -> set[str]:
        """Return which texts, by their hashes, have a vector of any model."""
        numbers = [row for (row,) in self._rows("SELECT row FROM fingerprints", ())]
        found: set[str] = set()
        for part, marks in batches([bytes.fromhex(key) for key in hashes]):
            for number in numbers:
                sql = f"SELECT hash FROM vectors WHERE fingerprint = ? AND hash IN ({marks})"
                found |= {value.hex() for (value,) in self._rows(sql, (number, *part))}
        return found

    def vectors(
        self, fingerprint: str, hashes: Sequence[str], dim: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Return the stored vectors of texts.

        Parameters
        ----------
        fingerprint
            Of the model.
        hashes
            Text hashes of 32 hexadecimal digits, n; repeats are fine.
        dim
            The length of the model's vectors.

        Returns
        -------
        found : bool, (n,)
            Which texts have a vector.
        matrix : float32, (n, dim)
            Their vectors; zeros where there is none.

        Raises
        ------
        IndexCorruptError
            A stored vector has another length.
        """
        row = self._fingerprint(fingerprint)
        places: dict[bytes, int] = {}
        inverse = np.fromiter(
            (places.setdefault(bytes.fromhex(key), len(places)) for key in hashes), np.int64, len(hashes)
        )
        distinct = list(places)
        found = np.zeros(len(distinct), dtype=np.bool_)
        matrix = np.zeros((len(distinct), dim), dtype=np.float32)
        for part, marks in batches(distinct):
            where = f"fingerprint = ? AND hash IN ({marks})"
            rows = list(
                self._rows(f"SELECT hash, vector, {self._crc} FROM vectors WHERE {where}", (row, *part))
            )
            for key, vector, crc in rows:
                self._check("vectors", crc, row, key, vector)
                if len(vector) != dim * _FLOAT.itemsize:
                    raise corrupt(self._path, f"a stored vector has not {dim} numbers")
            at = np.fromiter((places[key] for key, _, _ in rows), np.int64, len(rows))
            found[at] = True
            matrix[at] = np.frombuffer(b"".join(vector for _, vector, _ in rows), dtype=_FLOAT).reshape(
                len(rows), dim
            )
        if len(distinct) == len(hashes):
            return found, matrix
        return found[inverse], matrix[inverse]

    def call(self, fingerprint: str, key: str) -> tuple[str, bool, int, int] | None:
        """Return text, whether it was cut, tokens in and tokens out of a kept answer, or None."""
        where = (self._fingerprint(fingerprint), bytes.fromhex(key))
        sql = f"SELECT owner, payload, {self._crc} FROM calls WHERE fingerprint = ? AND key = ?"
        for owner, payload, crc in self._rows(sql, where):
            self._check("calls", crc, *where, owner, payload)
            try:
                text, cut, tokens_in, tokens_out = json.loads(payload)
                return str(text), bool(cut), int(tokens_in), int(tokens_out)
            except (ValueError, TypeError) as error:
                raise corrupt(self._path, error) from error
        return None

    def put_call(self, fingerprint: str, key: str, owner: str, answer: tuple[str, bool, int, int]) -> None:
        """Keep the answer to one call in one transaction; does not change the revision.

        Parameters
        ----------
        fingerprint
            Of the model and its options.
        key
            32 hexadecimal digits of what was asked.
        owner
            Key of the extraction that it was asked for; empty where it was a question's.
        answer
            Text, whether it was cut, tokens in, tokens out.
        """
        with self._transaction() as connection:
            row = self._make_fingerprint(fingerprint)
            payload = json.dumps(answer, ensure_ascii=False)
            values = _summed(row, bytes.fromhex(key), owner, payload)
            connection.execute("INSERT OR REPLACE INTO calls VALUES (?, ?, ?, ?, ?)", values)

    def forget_calls(self, fingerprint: str, keys: Sequence[str]) -> None:
        """Delete the answers to some calls."""
        with self._transaction() as connection:
            row = self._fingerprint(fingerprint)
            for part, marks in batches([bytes.fromhex(key) for key in keys]):
                sql = f"DELETE FROM calls WHERE fingerprint = ? AND key IN ({marks})"
                connection.execute(sql, (row, *part))

    def forget(self, extraction_keys: Sequence[str], vector_hashes: Sequence[str]) -> tuple[int, int]:
        """Delete some extractions, what was asked for them, and some vectors, whatever their fingerprint.

        Answers to questions are deleted too: they may quote what is deleted. Nothing in use changes, so the revision
        stays. Return how many extractions and how many vectors were deleted.
        """
        deleted = {"extractions": 0, "vectors": 0}
        with self._transaction() as connection:
            connection.execute("DELETE FROM calls WHERE owner = ''")
            keys: Sequence[tuple[str, str, Sequence[str] | Sequence[bytes]]] = (
                ("extractions", "key", extraction_keys),
                ("calls", "owner", extraction_keys),
                ("vectors", "hash", [bytes.fromhex(value) for value in vector_hashes]),
            )
            numbers = [row for (row,) in connection.execute("SELECT row FROM fingerprints").fetchall()]
            for name, column, values in keys:
                for part, marks in batches(values):
                    # By fingerprint as well, which the tables' own indexes begin with.
                    for number in numbers if name != "calls" else [None]:
                        also = "" if number is None else "fingerprint = ? AND "
                        given = (*part,) if number is None else (number, *part)
                        sql = f"DELETE FROM {name} WHERE {also}{column} IN ({marks})"
                        deleted[name] = deleted.get(name, 0) + connection.execute(sql, given).rowcount
        self._forget_log()
        return deleted["extractions"], deleted["vectors"]

    def prune(self, extraction_keys: Iterable[str], vector_hashes: Iterable[str]) -> tuple[int, int]:
        """Delete the extractions and vectors of texts that no document holds any more.

        Parameters
        ----------
        extraction_keys, vector_hashes
            All that are in use, whatever their fingerprint. Nothing in use changes, so the revision stays.

        Returns
        -------
        tuple of int
            How many extractions and how many vectors were deleted.
        """
        with self._transaction() as connection:
            connection.execute("CREATE TEMP TABLE live (key PRIMARY KEY) WITHOUT ROWID")
            add = "INSERT OR IGNORE INTO live VALUES (?)"
            connection.executemany(add, ((key,) for key in extraction_keys))
            sql = "DELETE FROM extractions WHERE key NOT IN (SELECT key FROM live)"
            extractions = connection.execute(sql).rowcount
            # Answers to questions have no owner and may quote what is deleted.
            sql = "DELETE FROM calls WHERE owner NOT IN (SELECT key FROM live)"
            calls = connection.execute(sql).rowcount
            connection.execute("DELETE FROM live")
            connection.executemany(add, ((bytes.fromhex(key),) for key in vector_hashes))
            sql = "DELETE FROM vectors WHERE hash NOT IN (SELECT key FROM live)"
            vectors = connection.execute(sql).rowcount
            connection.execute("DROP TABLE live")
        if extractions or vectors or calls:
            self._forget_log()
        return extractions, vectors
