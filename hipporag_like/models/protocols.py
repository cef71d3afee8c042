"""What a model must offer. Anything with these members fits; there is nothing to inherit from.

``tests/contracts/`` holds one suite per Protocol that every implementation passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hipporag_like.types import Answer, Extraction, Passage, Trace, Usage

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


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What one call of a language model is asked.

    Attributes
    ----------
    messages
        The conversation; the model gives the next turn.
    max_tokens
        Room for the answer.
    stage
        What the call is for (``entities``, ``triples``, ``read``, ...); costs are added up by it. No part
        of the question, nor of what the cache is keyed by.
    schema
        JSON schema of the answer, with a ``title``; ``None`` for free text. A wish: what comes back is parsed
        with tolerance all the same.
    owner
        Key of the passage that the call was made for, so that its answer is deleted with it; empty for
        calls about a question.
    """

    messages: tuple[Message, ...]
    max_tokens: int
    stage: str
    schema: Mapping[str, Any] | None = field(default=None, hash=False)
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer.

    Attributes
    ----------
    cut
        Whether it ended because its room was full.
    usage
        Of this call; one of ``calls`` and ``cached`` is 1.
    """

    text: str
    cut: bool = False
    usage: Usage = Usage()


@runtime_checkable
class LLM(Protocol):
    """A language model. Its members may be called by several threads at once."""

    @property
    def fingerprint(self) -> str:
        """Identifies model and sampling options; found without loading or calling anything."""
        ...

    @property
    def width(self) -> int:
        """How many calls are worth making at once."""
        ...

    @property
    def context(self) -> int:
        """Tokens that fit a prompt and its answer together."""
        ...

    def count(self, text: str) -> int:
        """Return how many tokens a text has; never fewer than a fifth below the truth where it must be estimated."""
        ...

    def complete(self, prompt: Prompt) -> Reply:
        """Return the answer to a prompt.

        Raises
        ------
        LLMError
            This call failed for good.
        EndpointDownError
            Every call would fail; the run should stop.
        """
        ...

    def stream(self, prompt: Prompt) -> Iterator[str | Reply]:
        """Yield the answer piece by piece as it is made, then the whole of it as a ``Reply``; errors as above."""
        ...


@runtime_checkable
class Stops(Protocol):
    """A language model whose calls may wait for something else than their answers, and can be told not to."""

    def stop(self) -> int | None:
        """Give up the calls under way that were not sent yet, with an ``LLMError`` each; later ones are made.

        Returns
        -------
        int or None
            How many were sent and will still be answered; None where that is not known.
        """
        ...


@runtime_checkable
class Metered(Protocol):
    """A model that counts what it costs."""

    @property
    def usage(self) -> Usage:
        """All calls made through this object so far."""
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
