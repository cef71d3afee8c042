"""Vectors through the journal: nothing is embedded twice, and what was embedded survives a kill."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import ModelError
from hipporag_like.models.protocols import Embedder
from hipporag_like.progress import Track
from hipporag_like.store.journal import Journal
from hipporag_like.text import content_hash

# Texts embedded between two commits: about 5 s of the default embedder on one core, the most a kill can cost.
COMMIT_EVERY = 1024
# A dot of a vector with itself may miss 1 by this much before the vector counts as no unit vector.
UNIT_TOLERANCE = 1e-3


class CachedEmbedding:
    """Embeds texts with one model, reading and filling the journal's vectors.

    Parameters
    ----------
    journal
        Open for writing.
    embedder
        Called to get the model, the first time that a vector is missing.
    fingerprint, dim
        The model's, known without loading it.
    track
        Told about the texts embedded.
    """

    def __init__(
        self, journal: Journal, embedder: Callable[[], Embedder], fingerprint: str, dim: int, track: Track
    ) -> None:
        self._journal = journal
        self._embedder = embedder
        self._fingerprint = fingerprint
        self._dim = dim
        self._track = track
        self.embedded = 0

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the unit vectors of ``texts``, float32, (len(texts), dim).

        Raises
        ------
        ModelError
            The model gave vectors of a wrong shape, not finite or not of length 1.
        """
        hashes = [content_hash(text) for text in texts]
        found, matrix = self._journal.vectors(self._fingerprint, hashes, self._dim)
        missing: dict[str, int] = {}
        for i in np.flatnonzero(~found).tolist():
            missing.setdefault(hashes[i], i)
        # Texts of like length share a batch without padding; the order of work does not show in the result.
        queue = sorted(missing.items(), key=lambda item: (-len(texts[item[1]]), item[0]))
        if not queue:
            return matrix
        place: dict[str, NDArray[np.float32]] = {}
        with self._track("embed", len(queue)) as advance:
            for at in range(0, len(queue), COMMIT_EVERY):
                part = queue[at : at + COMMIT_EVERY]
                vectors = _checked(self._embedder().embed([texts[i] for _, i in part]), len(part), self._dim)
                self._journal.put_vectors(self._fingerprint, [key for key, _ in part], vectors)
                place.update((key, vector) for (key, _), vector in zip(part, vectors, strict=True))
                self.embedded += len(part)
                advance(len(part))
        for i in np.flatnonzero(~found).tolist():
            matrix[i] = place[hashes[i]]
        return matrix


def _checked(vectors: NDArray[np.float32], n: int, dim: int) -> NDArray[np.float32]:
    if vectors.shape != (n, dim):
        raise ModelError(
            f"the embedder gave vectors of shape {vectors.shape} where ({n}, {dim}) was expected."
        )
    lengths = np.einsum("ij,ij->i", vectors, vectors)
    if not bool(np.all(np.abs(lengths - 1) < UNIT_TOLERANCE)):
        raise ModelError("the embedder gave vectors that are not finite or not of length 1; normalise them.")
    return np.ascontiguousarray(vectors, dtype=np.float32)
