"""The open snapshot of an index folder, shared by any number of threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hipporag_like.errors import IndexOutdatedError

if TYPE_CHECKING:
    from hipporag_like.indexing.index import Index, Segment


class OpenIndex:
    """Opens a folder's newest snapshot when it is first needed, and keeps it until ``close``.

    Parameters
    ----------
    path
        The index folder.
    upgrade
        Whether a snapshot of an older format may be made again.
    """

    def __init__(self, path: Path, upgrade: bool = True) -> None:
        self._path = path
        self._upgrade = upgrade
        self._lock = threading.RLock()  # guards both
        self._index: Index | None = None
        self._readers: Counter[Index] = Counter()

    def index(self) -> Index:
        """Return the index.

        Raises
        ------
        IndexNotFoundError, IndexFormatError, IndexOutdatedError, IndexCorruptError, StoreError
            As ``store.snapshot.open_snapshot``; where it may upgrade, also as ``indexing.upgrade.upgrade``.
        """
        with self._lock:
            if self._index is None:
                self._index = self._open()
            return self._index

    def _open(self) -> Index:
        from hipporag_like.indexing.index import Index
        from hipporag_like.store.snapshot import open_snapshot

        try:
            return Index(open_snapshot(self._path))
        except IndexOutdatedError:
            if not self._upgrade:
                raise
        from hipporag_like.indexing.upgrade import upgrade

        upgrade(self._path)
        return Index(open_snapshot(self._path))

    @contextmanager
    def reading(self, namespace: str | None) -> Iterator[list[Segment]]:
        """Hold the snapshot while one namespace, or all of them, are searched.

        Raises
        ------
        UsageError
            There is no such namespace.
        """
        from hipporag_like.indexing.elements import segments_of

        with self.holding() as index:
            yield segments_of(index, namespace)

    @contextmanager
    def holding(self) -> Iterator[Index]:
        """Hold the snapshot while its arrays are read: each is mapped when it is first asked for.

        Whoever closes meanwhile, its files stay until the last one who holds it is done.
        """
        with self._lock:
            index = self.index()
            self._readers[index] += 1
        try:
            yield index
        finally:
            self._leave(index)

    def close(self) -> None:
        """Let go of the snapshot; a search that another thread is in the middle of keeps it to its end."""
        with self._lock:
            index, self._index = self._index, None
            if index is not None and index not in self._readers:
                index.close()

    def _leave(self, index: Index) -> None:
        with self._lock:
            self._readers[index] -= 1
            if self._readers[index] == 0:
                del self._readers[index]
                if index is not self._index:
                    index.close()
