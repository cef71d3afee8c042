"""Signals to one score.

Each signal is brought to [0, 1] relative to the question's own best, then added with fixed weights:

- graph: ``max(0, 1 + ln(m / m_best) / 8)`` with ``m`` the walk's mass on the passage's facts over the square
  root of their number. The logarithm makes mass, which falls off by powers, commensurable with similarities.
- dense, bm25: ``(s - s_100) / (s_1 - s_100)``, zero below the hundredth best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.retrieval.topk import top_k

# Measured on 2wiki_dev, hotpot_train100 and musique_train100 (docs/decisions/0004): recall@5 changes by less than
# 0.6 for dense and bm25 weights of 0.75 to 1.5 twelfths, and for 6 to 10 powers of e.
WEIGHTS = {"graph": 10 / 12, "dense": 1 / 12, "bm25": 1 / 12}
HYBRID_WEIGHTS = {"dense": 1 / 2, "bm25": 1 / 2}
DEPTH = 100  # how deep dense and BM25 lists count
POWERS = 8.0  # masses below e^-8 of the best count as none
FACT_POWER = 0.5  # long passages hold more facts; 0.5 gains 1.5 points of recall@5 on HotpotQA over 0


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal's candidates; a passage that is not among them has the value 0.

    Attributes
    ----------
    passages
        int64, (n,).
    values
        float64, (n,), in [0, 1].
    """

    passages: NDArray[np.int64]
    values: NDArray[np.float64]


def ranked_signal(passages: NDArray[np.int64], scores: NDArray[np.floating]) -> Signal:
    """Return the best of a list of similarities, brought to [0, 1].

    Parameters
    ----------
    passages
        int64, (n,), ascending: candidates, the best ``DEPTH + 1`` of each part of the index among them.
    scores
        (n,), their similarities.
    """
    best = top_k(scores, len(scores))
    if len(best) == 0:
        return Signal(passages[best], np.zeros(0))
    values = scores[best].astype(np.float64)
    low = values[DEPTH] if len(best) > DEPTH else min(values[-1], 0.0)
    spread = values[0] - low
    scaled = (values - low) / spread if spread > 1e-12 else np.ones(len(values))
    return Signal(passages[best], np.maximum(scaled, 0.0))


def mass_signal(passages: NDArray[np.int64], mass: NDArray[np.float64]) -> Signal:
    """Return the passages that the walk reached, their mass brought to [0, 1].

    Parameters
    ----------
    passages, mass
        int64 ascending and float64, (n,): see :func:`passage_mass`.
    """
    if len(passages) == 0:
        return Signal(passages, np.zeros(0))
    relative = np.maximum(mass, 1e-300) / mass.max()
    return Signal(passages, np.maximum(0.0, 1.0 + np.log(relative) / POWERS))


def passage_mass(
    facts: NDArray[np.int64],
    mass: NDArray[np.float64],
    fact_passage: NDArray[np.int32],
    passage_facts: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the passages that the walk reached, and their mass over the square root of their facts.

    Parameters
    ----------
    facts, mass
        int64 ascending and float64, (n_touched,), from the walk.
    fact_passage, passage_facts
        Which passage each fact belongs to, and where each passage's facts start.
    """
    passages, place = np.unique(fact_passage[facts].astype(np.int64), return_inverse=True)
    total = np.bincount(place, weights=mass, minlength=len(passages))
    count = (passage_facts[passages + 1] - passage_facts[passages]).astype(np.float64)
    return passages, total / count**FACT_POWER


def fuse(
    signals: dict[str, Signal], weights: dict[str, float]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the union of all candidates and each signal's share of their scores.

    Parameters
    ----------
    signals
        By name.
    weights
        By the same names.

    Returns
    -------
    passages : int64, (n,)
        Ascending.
    shares : float64, (n, n_signals)
        Columns in the order of ``signals``; a passage's score is its row's sum.
    """
    passages = np.unique(np.concatenate([s.passages for s in signals.values()]))
    shares = np.zeros((len(passages), len(signals)))
    for column, (name, signal) in enumerate(signals.items()):
        shares[np.searchsorted(passages, signal.passages), column] = weights[name] * signal.values
    return passages, shares
