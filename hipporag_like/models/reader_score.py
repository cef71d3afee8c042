"""From candidates to one answer with a confidence: a softmax over candidates, then a calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hipporag_like.models.reader_features import FEATURES, Candidate
from hipporag_like.models.reader_view import View
from hipporag_like.text import STOPWORDS, word_spans, words

WEIGHTS: dict[str, float] = {
    "chained": 3.15,
    "chain weight": 1.02,
    "chain passage": 2.85,
    "told here": 1.03,
    "similarity": 2.06,
    "passage score": 2.86,
    "first passage": -1.32,
    "asked passage": -1.62,
    "incoming": 2.24,
    "mentions asked": -0.19,
    "type fits": 1.86,
    "type is another": -1.12,
    "type unknown": -0.50,
    "phrase": -1.55,
    "demonym unasked": -1.17,
    "head beside": 1.44,
    "head defines": 1.82,
    "question words": -0.22,
    "nearest word": 0.91,
    "word before": 0.67,
    "first sentence": 0.37,
    "late": -0.21,
    "short": -0.44,
    "passages naming it": -0.96,
    "names bridge": -0.25,
    "sentence mass": 0.59,
    "entity mass": 0.41,
    "main words": 0.78,
    "main near": -0.48,
    "told anywhere else": 0.99,
}
CALIBRATION: dict[str, float] = {
    "bias": -6.3,
    "probability": 3.77,
    "coverage": 1.62,
    "similarity": 1.99,
    "named passage": 0.75,
    "chained": 0.49,
    "type fits": 0.6,
}


@dataclass(frozen=True, slots=True)
class Scored:
    """The best candidate; ``probability`` is the softmax mass of all candidates with its words."""

    candidate: Candidate
    probability: float


def best_candidate(view: View, found: Sequence[Candidate]) -> Scored | None:
    """Return the best candidate, the first of equals; None where there is none."""
    if not found:
        return None
    weights = tuple(WEIGHTS[name] for name in FEATURES)
    sums = [sum(w * v for w, v in zip(weights, c.values, strict=True)) for c in found]
    most = max(sums)
    best = found[sums.index(most)]
    shares = [math.exp(s - most) for s in sums]
    name = words(view.text(best.place))
    same = sum(share for share, c in zip(shares, found, strict=True) if words(view.text(c.place)) == name)
    return Scored(best, same / sum(shares))


def coverage(view: View) -> float:
    """Return the share of the question's names that the passages hold: what is not told of cannot be answered.

    Words with a capital or a digit count, the first word of the question does not; a question without such
    words counts all its words of meaning.
    """
    spans = word_spans(view.question)
    named = {w for w, a, _ in spans[1:] if (view.question[a].isupper() or view.question[a].isdigit()) and w not in STOPWORDS}
    wanted = named or {w for w, _, _ in spans if w not in STOPWORDS}
    held = {w for p in view.passages for w in words(f"{p.title} {p.text}")}
    return len(wanted & held) / len(wanted) if wanted else 0.0


def confidence_values(view: View, best: Scored) -> dict[str, float]:
    """Return what the confidence of an answer rests on, by the names in :data:`CALIBRATION`."""
    chained = best.candidate.values[FEATURES.index("chained")]
    fits = best.candidate.values[FEATURES.index("type fits")]
    return {
        "bias": 1.0,
        "probability": best.probability,
        "coverage": coverage(view),
        "similarity": max(s.similarity for s in view.sentences),
        "named passage": float(bool(view.asked)),
        "chained": chained,
        "type fits": fits,
    }


def confidence(view: View, best: Scored) -> float:
    """Return how sure an answer is, in (0, 1)."""
    values = confidence_values(view, best)
    return 1 / (1 + math.exp(-sum(CALIBRATION[name] * value for name, value in values.items())))
