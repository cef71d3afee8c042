"""What language models cost while questions are evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def looked_up(rag: Retrieves, question: str, k: int, method: str) -> Trace:
    """Return the passages of a question and, where ``rag`` says so, how they were found and what that cost."""
    if isinstance(rag, Explains):
        return rag.explain(question, k, method=method)
    hits = rag.retrieve(question, k, method=method)
    return Trace(question, method, method, "ok" if hits else "empty", "", hits=tuple(hits))


def total(parts: Iterable[Mapping[str, Usage]]) -> dict[str, dict[str, int]]:
    """Return the sum of all parts by stage, as plain values."""
    added: dict[str, Usage] = {}
    for part in parts:
        for stage, usage in part.items():
            added[stage] = added.get(stage, Usage()) + usage
    return {stage: asdict(usage) for stage, usage in added.items()}
