"""What language models cost while questions are evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Protocol, runtime_checkable

from hipporag_like.types import Hit, Trace, Usage


class Retrieves(Protocol):
    """What finds passages."""

    def retrieve(self, question: str, k: int = ..., *, method: str = ...) -> list[Hit]:
        """Return the ``k`` best passages."""
        ...


@runtime_checkable
class Explains(Protocol):
    """What also says what it cost to find them."""

    def explain(self, question: str, k: int = ..., *, method: str = ...) -> Trace:
        """Return the passages and how they were found."""
        ...


def retrieved(
    rag: Retrieves, question: str, k: int, method: str
) -> tuple[Sequence[Hit], Mapping[str, Usage]]:
    """Return the passages of a question, and by stage what language models cost, where ``rag`` says so."""
    if not isinstance(rag, Explains):
        return rag.retrieve(question, k, method=method), {}
    trace = rag.explain(question, k, method=method)
    return trace.hits, trace.usage


def total(parts: Iterable[Mapping[str, Usage]]) -> dict[str, dict[str, int]]:
    """Return the sum of all parts by stage, as plain values."""
    added: dict[str, Usage] = {}
    for part in parts:
        for stage, usage in part.items():
            added[stage] = added.get(stage, Usage()) + usage
    return {stage: asdict(usage) for stage, usage in added.items()}
