"""Whether a difference between two methods on the same questions is more than chance.

Randomisation: Fisher 1935, for retrieval Smucker, Allan, Carterette 2007. Bootstrap: Efron 1979,
percentile interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import UsageError

EXACT_UP_TO = 12  # 2 ** 12 = 4096 sign patterns: fewer than the default number of samples
SAMPLES = 10_000  # standard error of a p-value near 0.05: sqrt(0.05 * 0.95 / 10000) = 0.002
_CHUNK = 1 << 20  # random numbers at a time: 8 MiB of float64
_TOLERANCE = 1e-9  # relative: sums that differ by rounding only are equal


def randomisation_test(
    a: Sequence[float], b: Sequence[float], *, samples: int = SAMPLES, seed: int = 0
) -> float:
    """Return the two-sided p-value of the mean difference under random swaps of the pairs.

    Parameters
    ----------
    a, b
        Scores of the two methods, one a question, in the same order.
    samples
        Random sign patterns; up to 12 questions all patterns are enumerated instead and ``seed`` plays
        no part.

    Returns
    -------
    float
        In (0, 1]. A sampled value counts the observed pattern among the samples, so it is never 0
        (Phipson and Smyth 2010).

    Raises
    ------
    UsageError
        Different lengths, no pairs, a value that is not finite, or no samples.
    """
    differences = _differences(a, b)
    _require_samples(samples)
    observed = abs(float(differences.sum()))
    threshold = observed - _TOLERANCE * float(np.abs(differences).sum())
    if len(differences) <= EXACT_UP_TO:
        patterns = (np.arange(2 ** len(differences))[:, None] >> np.arange(len(differences))) & 1
        return float(np.mean(np.abs((1 - 2 * patterns) @ differences) >= threshold))
    rng = np.random.default_rng(seed)
    extreme = 0
    for count in _chunks(samples, len(differences)):
        signs = 1 - 2 * rng.integers(0, 2, size=(count, len(differences)), dtype=np.int8)
        extreme += int(np.count_nonzero(np.abs(signs @ differences) >= threshold))
    return (extreme + 1) / (samples + 1)


def bootstrap_interval(
    a: Sequence[float], b: Sequence[float], *, level: float = 0.95, samples: int = SAMPLES, seed: int = 0
) -> tuple[float, float]:
    """Return a confidence interval of the mean of ``a - b``, by resampling questions.

    Parameters
    ----------
    a, b
        Scores of the two methods, one a question, in the same order.
    level
        Between 0 and 1.

    Returns
    -------
    (low, high)
        In the units of the scores.

    Raises
    ------
    UsageError
        As :func:`randomisation_test`, or ``level`` out of range.
    """
    differences = _differences(a, b)
    _require_samples(samples)
    if not 0.0 < level < 1.0:
        raise UsageError(f"level must be between 0 and 1, got {level}")
    rng = np.random.default_rng(seed)
    size = len(differences)
    drawn = [
        differences[rng.integers(0, size, size=(count, size))].mean(axis=1)
        for count in _chunks(samples, size)
    ]
    low, high = np.quantile(np.concatenate(drawn), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _differences(a: Sequence[float], b: Sequence[float]) -> NDArray[np.float64]:
    if len(a) != len(b) or not len(a):
        raise UsageError(
            f"paired scores must be as many on both sides and at least one, got {len(a)} and {len(b)}"
        )
    differences = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    if not np.isfinite(differences).all():
        raise UsageError("paired scores must be finite numbers")
    return differences


def _require_samples(samples: int) -> None:
    if samples < 1:
        raise UsageError(f"samples must be at least 1, got {samples}")


def _chunks(samples: int, size: int) -> Iterator[int]:
    step = max(1, _CHUNK // size)
    for start in range(0, samples, step):
        yield min(step, samples - start)
