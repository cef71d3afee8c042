"""From the scores of an extractive question-answering head to spans of passages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Both as in the evaluation of SQuAD by Devlin et al. (BERT, 2019): tokens of an answer, and spans kept a window.
MAX_ANSWER_TOKENS = 30
N_BEST = 20


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of a passage as a head saw it.

    Attributes
    ----------
    passage
        Its number among the passages.
    starts, ends
        Logits of the passage's tokens, float64 ``(n,)``.
    offsets
        Half-open character spans of the tokens in the passage, ``n`` of them.
    null
        Score of "no answer in this window": the logits of the first token of the input, added.
    """

    passage: int
    starts: Floats
    ends: Floats
    offsets: Sequence[tuple[int, int]]
    null: float


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a passage's text; ``score`` is its logit less that of "no answer" in its window."""

    passage: int
    start: int
    end: int
    score: float


def best_spans(windows: Iterable[Window], texts: Sequence[str]) -> list[Span]:
    """Return the best spans of all windows, best first, each once.

    A head's logits are only known up to a constant of each window, so spans of different windows are compared by
    how much likelier than "no answer" they are in their own. SQuAD 2.0's decision (Rajpurkar et al., 2018) is
    whether the best score is above 0.

    Parameters
    ----------
    texts
        Of the passages, by number. Spans without a letter or digit are left out.
    """
    found: dict[tuple[int, int, int], float] = {}
    for window in windows:
        for first, last, score in _top(window.starts, window.ends):
            place = _trimmed(texts[window.passage], window.offsets[first][0], window.offsets[last][1])
            if place is not None:
                key = (window.passage, *place)
                found[key] = max(found.get(key, -np.inf), score - window.null)
    spans = [Span(*place, score=score) for place, score in found.items()]
    return sorted(spans, key=lambda span: (-span.score, span.passage, span.start, span.end))


def probability(spans: Sequence[Span]) -> float:
    """Return the first span's share of the softmax over all spans and "no answer", whose score is 0."""
    if not spans:
        return 0.0
    scores = np.array([span.score for span in spans] + [0.0])
    weights = np.exp(scores - scores.max())
    return float(weights[0] / weights.sum())


def _top(starts: Floats, ends: Floats) -> list[tuple[int, int, float]]:
    """Return the best (first token, last token, score) of a window, best first."""
    if not len(starts):
        return []
    length = np.arange(len(starts))[None, :] - np.arange(len(starts))[:, None]
    scores = np.where((length >= 0) & (length < MAX_ANSWER_TOKENS), starts[:, None] + ends[None, :], -np.inf)
    best = np.argsort(-scores, axis=None, kind="stable")[:N_BEST]
    places = ((int(place) // len(starts), int(place) % len(starts)) for place in best)
    return [
        (first, last, float(scores[first, last]))
        for first, last in places
        if np.isfinite(scores[first, last])
    ]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the span without white space at its ends; ``None`` where no letter or digit is in it."""
    piece = text[start:end]
    if not any(map(str.isalnum, piece)):
        return None
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
