"""What a search is asked, and the parts that every method's recipe shares."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import HippoConfig, LexicalConfig, SearchConfig
from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval.filters import Where

PATHS_SHOWN = 10  # hits that get a path; one costs about 0.3 ms

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Query:
    """One question, as asked.

    Attributes
    ----------
    vector
        float32, (dim,), unit length; None for methods that need none.
    where
        Metadata filter.
    told
        Whether the facts that the walk used are wanted, too, besides the hits.
    """

    text: str
    vector: Vector | None
    k: int
    method: str
    where: Where | None = None
    told: bool = True


@dataclass(frozen=True, slots=True)
class Options:
    """What does not change from query to query.

    Attributes
    ----------
    search, lexical, hipporag
        Numbers.
    embed
        Texts to unit rows, as questions.
    keep_facts
        Recognition memory: the question and candidate facts to the numbers of those worth following; None
        where facts are not filtered.
    find_entities
        The entities that a question names; for the method ``hipporag``.
    """

    search: SearchConfig
    lexical: LexicalConfig
    hipporag: HippoConfig
    embed: Callable[[Sequence[str]], NDArray[np.float32]]
    keep_facts: Callable[[str, Sequence[str]], list[int]] | None
    find_entities: Callable[[str], list[str]]


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Count the time since the last lap to ``stage``."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now


def why_empty(segments: Sequence[Segment], masks: Sequence[NDArray[np.bool_] | None]) -> str:
    """Return in words why there are no hits; ``masks`` say which passages of each segment the filter allows."""
    if not any(segment.n_passages for segment in segments):
        return "there are no passages to search"
    if all(mask is not None and not mask.any() for mask in masks):
        return "no passage satisfies the filter"
    return "no passage shares a word with the question"
