"""What a language model that stands in front of another one passes on unchanged."""

from __future__ import annotations

from hipporag_like.models.protocols import LLM


class Front:
    """The members of an ``LLM`` that its wrappers share.

    Parameters
    ----------
    llm
        The model behind.
    """

    def __init__(self, llm: LLM) -> None:
        self._llm = llm

    @property
    def fingerprint(self) -> str:
        """The model's."""
        return self._llm.fingerprint

    @property
    def width(self) -> int:
        """The model's."""
        return self._llm.width

    @property
    def context(self) -> int:
        """The model's."""
        return self._llm.context

    def count(self, text: str) -> int:
        """Return the model's count of tokens."""
        return self._llm.count(text)
