"""An embedder that first looks into the journal: what was embedded for the index is not embedded again to read.

The reader compares the question with the sentences of the best passages, and those are the facts of the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import StoreError
from hipporag_like.models.protocols import Embedder, TextKind
from hipporag_like.store.journal import Journal
from hipporag_like.text import content_hash


class KnownVectors:
    """An ``Embedder`` in front of another one.

    Parameters
    ----------
    folder
        The index.
    embedder
        Embeds questions, and the passages that the journal does not know.
    """

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self._folder = folder
        self._embedder = embedder

    @property
    def fingerprint(self) -> str:
        """The embedder's."""
        return self._embedder.fingerprint

    @property
    def dim(self) -> int:
        """The embedder's."""
        return self._embedder.dim

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> NDArray[np.float32]:
        """Return one unit vector a text; see ``models.protocols.Embedder``."""
        if kind == "query" or not texts:
            return self._embedder.embed(texts, kind)
        found, matrix = self._look_up(texts)
        missing = np.flatnonzero(~found).tolist()
        if missing:
            matrix[missing] = self._embedder.embed([texts[i] for i in missing], kind)
        return matrix

    def _look_up(self, texts: Sequence[str]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        hashes = [content_hash(text) for text in texts]
        try:
            with Journal.open_readonly(self._folder) as journal:
                return journal.vectors(self.fingerprint, hashes, self.dim)
        except StoreError:
            # A snapshot answers without its journal; then nothing is known and all is embedded.
            return np.zeros(len(texts), dtype=bool), np.zeros((len(texts), self.dim), dtype=np.float32)
