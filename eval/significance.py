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
    return float(randomisation_tests(_differences(a, b)[:, None], samples=samples, seed=seed)[0])


def randomisation_tests(
    differences: NDArray[np.float64], *, samples: int = SAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """Return the p-value of each column of differences, as :func:`randomisation_test`, by the same random swaps.

    Parameters
    ----------
    differences
        float64, (questions, comparisons), finite.

    Returns
    -------
    float64, (comparisons,)
        In (0, 1].

    Raises
    ------
    UsageError
        No questions, a value that is not finite, or no samples.
    """
    _require_table(differences)
    _require_samples(samples)
    size = len(differences)
    threshold = np.abs(differences.sum(axis=0)) - _TOLERANCE * np.abs(differences).sum(axis=0)
    if size <= EXACT_UP_TO:
        patterns = 1 - 2 * ((np.arange(2**size)[:, None] >> np.arange(size)) & 1)
        return np.asarray(np.mean(np.abs(patterns @ differences) >= threshold, axis=0), dtype=np.float64)
    rng = np.random.default_rng(seed)
    extreme = np.zeros(differences.shape[1], dtype=np.int64)
    for count in _chunks(samples, size):
        signs = 1 - 2 * rng.integers(0, 2, size=(count, size), dtype=np.int8)
        extreme += np.count_nonzero(np.abs(signs.astype(np.float64) @ differences) >= threshold, axis=0)
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
    table = bootstrap_intervals(_differences(a, b)[:, None], level=level, samples=samples, seed=seed)
    return float(table[0, 0]), float(table[0, 1])


def bootstrap_intervals(
    values: NDArray[np.float64], *, level: float = 0.95, samples: int = SAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """Return a confidence interval of the mean of each column, all by the same resampled questions.

    Parameters
    ----------
    values
        float64, (questions, columns), finite.
    level
        Between 0 and 1.

    Returns
    -------
    float64, (columns, 2)
        Low and high.

    Raises
    ------
    UsageError
        No questions, a value that is not finite, no samples, or ``level`` out of range.
    """
    _require_table(values)
    _require_samples(samples)
    if not 0.0 < level < 1.0:
        raise UsageError(f"level must be between 0 and 1, got {level}")
    rng = np.random.default_rng(seed)
    size = len(values)
    drawn = [_resampled(rng, count, size) @ values / size for count in _chunks(samples, size)]
    low, high = np.quantile(np.concatenate(drawn), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.stack([low, high], axis=1)


def _resampled(rng: np.random.Generator, count: int, size: int) -> NDArray[np.float64]:
    """Return how often each question was drawn, (count, size): one product then does what a look-up a column would."""
    places = rng.integers(0, size, size=(count, size)) + size * np.arange(count)[:, None]
    return np.bincount(places.ravel(), minlength=count * size).reshape(count, size).astype(np.float64)


def _differences(a: Sequence[float], b: Sequence[float]) -> NDArray[np.float64]:
    if len(a) != len(b) or not len(a):
        raise UsageError(
            f"paired scores must be as many on both sides and at least one, got {len(a)} and {len(b)}"
        )
    differences = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    _require_table(differences)
    return differences


def _require_table(values: NDArray[np.float64]) -> None:
    if not len(values):
        raise UsageError("there is no question to compare on")
    if not np.isfinite(values).all():
        raise UsageError("paired scores must be finite numbers")


def _require_samples(samples: int) -> None:
    if samples < 1:
        raise UsageError(f"samples must be at least 1, got {samples}")


def _chunks(samples: int, size: int) -> Iterator[int]:
    step = max(1, _CHUNK // size)
    for start in range(0, samples, step):
        yield min(step, samples - start)
