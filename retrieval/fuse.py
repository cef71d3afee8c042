"""Signals to one score.

Each signal is brought to [0, 1] relative to the question's own best, then added with fixed weights:

- graph: ``max(0, 1 + ln(m / m_best) / 8)`` with ``m`` the walk's mass on the passage's facts over the square
  root of their number. The logarithm makes mass, which falls off by powers, commensurable with similarities.
- onward: the same of the second walk (``retrieval.onward``), its mass not divided.
- incoming: ``max(0, 1 - (c_best - c) / 0.3)`` with ``c`` the cosine of the best fact elsewhere about the passage's
  subject (``retrieval.incoming``); 1 where the question names the subject, 1/2 where there is no title.
- dense, bm25: ``(s - s_100) / (s_1 - s_100)``, zero below the hundredth best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.ragged import fixed
from hipporag_like.retrieval.sets import distinct
from hipporag_like.retrieval.topk import top_k

# Measured on 2wiki_dev, hotpot_train100 and musique_train100 (docs/decisions/0004): recall@5 changes by less than
# 0.6 for dense and bm25 weights of 0.75 to 1.5 twelfths, and for 6 to 10 powers of e.
# The second walk and incoming facts were added later (docs/decisions/0007): in parts of the first sum, 0.5 and 0.15.
# 0.4 to 0.8 and 0.1 to 0.25 are within 0.5 of the mean recall@5 of the four sets.
_WHOLE = 1.0 + 0.5 + 0.15
WEIGHTS = {
    "graph": 10 / 12 / _WHOLE,
    "onward": 0.5 / _WHOLE,
    "incoming": 0.15 / _WHOLE,
    "dense": 1 / 12 / _WHOLE,
    "bm25": 1 / 12 / _WHOLE,
}
HYBRID_WEIGHTS = {"dense": 1 / 2, "bm25": 1 / 2}
DEPTH = 100  # how deep dense and BM25 lists count
POWERS = 8.0  # masses below e^-8 of the best count as none
COSINES = 0.3  # incoming facts less similar than the best by so much count as none
NO_TITLE = 0.5  # of an incoming fact, where a passage has no title: neither for it nor against
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


def incoming_signal(passages: NDArray[np.int64], cosines: NDArray[np.float64]) -> Signal:
    """Return how well the facts elsewhere about a passage's subject fit the question, in [0, 1].

    Parameters
    ----------
    passages, cosines
        int64 ascending and float64, (n,): see ``retrieval.incoming.incoming``.
    """
    told = np.isfinite(cosines)
    best = float(cosines[told].max()) if told.any() else 0.0
    with np.errstate(invalid="ignore"):
        values = np.clip(1.0 - (best - cosines) / COSINES, 0.0, 1.0)
    return Signal(passages, np.where(np.isnan(cosines), NO_TITLE, values))


def passage_mass(
    facts: NDArray[np.int64],
    mass: NDArray[np.float64],
    fact_passage: NDArray[np.int32],
    passage_facts: NDArray[np.int64],
    power: float = FACT_POWER,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the passages that the walk reached, and their mass over a power of the number of their facts.

    Parameters
    ----------
    facts, mass
        int64 ascending and float64, (n_touched,), from the walk.
    fact_passage, passage_facts
        Which passage each fact belongs to, and where each passage's facts start.
    power
        The square root by default; 0 divides by nothing.
    """
    from hipporag_like.retrieval.loops import mass_by_passage

    passages, total = mass_by_passage(fixed(facts), fixed(mass), fixed(fact_passage))
    count = (passage_facts[passages + 1] - passage_facts[passages]).astype(np.float64)
    return passages, total / count**power


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
    passages = distinct(np.concatenate([s.passages for s in signals.values()]))
    shares = np.zeros((len(passages), len(signals)))
    for column, (name, signal) in enumerate(signals.items()):
        shares[np.searchsorted(passages, signal.passages), column] = weights[name] * signal.values
    return passages, shares
