"""Answers of language models, kept in the journal so that none is paid for twice.

A call is known by the hash of all that its answer depends on. Answers are no part of what an index is made from,
so the journal's revision stays as it is, and no writer's lock is needed: a question may be asked, and its calls
kept, while another process indexes.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from hipporag_like.store.connection import JOURNAL_NAME
from hipporag_like.store.journal import Journal


class CallTable:
    """The calls in the journal of one index folder; to be used by any number of threads.

    The journal is opened at the first call and never made: an index folder without one keeps nothing.

    Parameters
    ----------
    folder
        The index.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)
        self._lock = threading.Lock()
        self._journal: Journal | None = None

    def __enter__(self) -> CallTable:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the journal; the next call opens it again."""
        with self._lock:
            if self._journal is not None:
                self._journal.close()
                self._journal = None

    def get(self, fingerprint: str, key: str) -> tuple[str, bool, int, int] | None:
        """Return text, whether it was cut, tokens in and tokens out of a kept answer, or None.

        Raises
        ------
        StoreError
            The journal cannot be read.
        """
        with self._lock:
            journal = self._open()
            return None if journal is None else journal.call(fingerprint, key)

    def put(self, fingerprint: str, key: str, owner: str, answer: tuple[str, bool, int, int]) -> None:
        """Keep an answer; ``owner`` names the extraction it was made for, empty for calls about a question.

        Raises
        ------
        StoreError
            The journal cannot be written.
        """
        with self._lock:
            journal = self._open()
            if journal is not None:
                journal.put_call(fingerprint, key, owner, answer)

    def forget(self, fingerprint: str, keys: Sequence[str]) -> None:
        """Drop answers that turned out to be of no use, so that they are asked for anew.

        Raises
        ------
        StoreError
            The journal cannot be written.
        """
        with self._lock:
            journal = self._open()
            if journal is not None:
                journal.forget_calls(fingerprint, keys)

    def _open(self) -> Journal | None:
        if self._journal is None and (self._folder / JOURNAL_NAME).is_file():
            self._journal = Journal.open(self._folder)
        return self._journal
