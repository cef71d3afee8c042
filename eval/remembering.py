"""An embedder that embeds a question once to read its passages, however many methods found them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from hipporag_like.models.protocols import Embedder, Metered, TextKind
from hipporag_like.types import Usage


class Remembering:
    """An ``Embedder`` in front of another one.

    To look passages up a question is embedded every time, for that is timed. To read them it is looked up:
    half of what the extractive reader takes is this embedding (19 of 37 ms on HotpotQA).

    Parameters
    ----------
    embedder
        Embeds what is not known.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, NDArray[np.float32]] = {}
        self._reading = False

    @property
    def fingerprint(self) -> str:
        """The embedder's."""
        return self._embedder.fingerprint

    @property
    def dim(self) -> int:
        """The embedder's."""
        return self._embedder.dim

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Take questions from memory until the ``with`` ends."""
        self._reading = True
        try:
            yield
        finally:
            self._reading = False

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> NDArray[np.float32]:
        """Return one unit vector a text; see ``models.protocols.Embedder``."""
        if kind != "query":
            return self._embedder.embed(texts, kind)
        if self._reading and texts and all(text in self._known for text in texts):
            return np.stack([self._known[text] for text in texts])
        vectors = self._embedder.embed(texts, kind)
        self._known.update(zip(texts, vectors, strict=True))
        return vectors


class MeteredRemembering(Remembering):
    """A :class:`Remembering` in front of an embedder that counts what it costs.

    Parameters
    ----------
    embedder
        Embeds what is not known.
    meter
        The same one, as what counts.
    """

    def __init__(self, embedder: Embedder, meter: Metered) -> None:
        super().__init__(embedder)
        self._meter = meter

    @property
    def usage(self) -> Usage:
        """The embedder's."""
        return self._meter.usage


def remembering(embedder: Embedder) -> Remembering:
    """Return the embedder with a memory for questions, one that counts if it does."""
    return MeteredRemembering(embedder, embedder) if isinstance(embedder, Metered) else Remembering(embedder)
