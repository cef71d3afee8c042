"""What a model must offer. Anything with these members fits; there is nothing to inherit from.

``tests/contracts/`` holds one suite per Protocol that every implementation passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hipporag_like.types import Answer, Extraction, Passage, Trace

TextKind = Literal["passage", "query"]


@runtime_checkable
class Embedder(Protocol):
    """Text to unit vectors."""

    @property
    def fingerprint(self) -> str:
        """Identifies weights, pooling and prefixes: equal fingerprints mean equal vectors."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> NDArray[np.float32]:
        """Return one unit vector a text.

        Parameters
        ----------
        texts
            Any number, any length: what does not fit the model's window is windowed, never cut silently.
        kind
            Some models embed questions and passages differently.

        Returns
        -------
        float32, (len(texts), dim)
            Rows of Euclidean length 1.
        """
        ...


@runtime_checkable
class Extractor(Protocol):
    """Passages to sentences, mentions and triples."""

    @property
    def fingerprint(self) -> str:
        """Identifies the method and all its settings: equal fingerprints mean equal extractions."""
        ...

    def key(self, passage: Passage) -> str:
        """Return 32 hexadecimal digits of what the extraction of a passage depends on; equal keys, equal results."""
        ...

    def extract(self, passages: Sequence[Passage]) -> Iterator[Extraction]:
        """Yield one extraction a passage, in order; a failure is an ``Extraction`` with ``error`` set."""
        ...


@runtime_checkable
class Reader(Protocol):
    """Question and hits to an answer."""

    @property
    def name(self) -> str:
        """What ``--reader`` calls it."""
        ...

    def read(self, question: str, trace: Trace) -> Answer:
        """Return the answer that the hits of ``trace`` support, or one with ``text=None``."""
        ...
