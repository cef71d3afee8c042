"""The best passages by BM25, compiled: words that cannot lift a passage into the best are only looked up.

Words come with the most that each can add to a passage. Once ``k`` passages score above what the weakest words can
add together, a passage that holds no other word is out: the lists of the weak words are no longer read, but searched
for the passages that the others propose and that can still make it. The result is exact.

References
----------
Turtle and Flood (1995), "Query evaluation: strategies and optimizations", section 4 (MaxScore).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Passages taken together: their sums, 8 bytes each, stay in the first cache with room for the postings.
WINDOW = 4096
# Bounds are summed in another order than scores; float32 rounds each part by less than 1e-7 of it.
SLACK = 1.0 + 1e-6


@njit(cache=True, nogil=True)
def peak(
    passage: NDArray[np.int32],
    count: NDArray[np.uint16],
    length: NDArray[np.int32],
    k1: float,
    b: float,
    mean: float,
) -> float:
    """Return the largest ``count / (count + norm)`` of one word's postings."""
    most = 0.0
    for j in range(len(passage)):
        times = np.float64(count[j])
        most = max(most, times / (times + k1 * (1 - b + b * length[passage[j]] / mean)))
    return most


@njit(cache=True, nogil=True, inline="always")
def _part(idf: float, times: float, length: int, k1: float, b: float, mean: float) -> float:
    """Return what one occurrence of a word in the question adds, rounded to float32."""
    return np.float64(np.float32(idf * times * (k1 + 1) / (times + k1 * (1 - b + b * length / mean))))


@njit(cache=True, nogil=True)
def _search(passage: NDArray[np.int32], first: int, last: int, wanted: int) -> int:
    """Return the first place from ``first`` to ``last`` that holds ``wanted`` or more: steps that double, then halve."""
    step = 1
    low = first
    while low + step < last and passage[low + step] < wanted:
        low += step
        step *= 2
    high = min(low + step, last)
    while low < high:
        middle = (low + high) // 2
        if passage[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _keep(scores: NDArray[np.float64], passages: NDArray[np.int64], size: int, score: float, number: int) -> int:
    """Put a passage into a heap whose root is the worst: the lowest score, of equal ones the last passage."""
    k = len(scores)
    if size < k:
        at = size
        size += 1
        while at > 0:
            up = (at - 1) // 2
            if scores[up] < score or (scores[up] == score and passages[up] > number):
                break
            scores[at], passages[at] = scores[up], passages[up]
            at = up
        scores[at], passages[at] = score, number
        return size
    if score < scores[0] or (score == scores[0] and number > passages[0]):
        return size
    at = 0
    while 2 * at + 1 < k:
        down = 2 * at + 1
        other = down + 1
        if other < k and (
            scores[other] < scores[down] or (scores[other] == scores[down] and passages[other] > passages[down])
        ):
            down = other
        if score < scores[down] or (score == scores[down] and number > passages[down]):
            break
        scores[at], passages[at] = scores[down], passages[down]
        at = down
    scores[at], passages[at] = score, number
    return size


@njit(cache=True, nogil=True)
def _score(
    number: int,
    known: float,
    essential: int,
    need: float,
    rest: NDArray[np.float64],
    place: NDArray[np.int64],
    end: NDArray[np.int64],
    passage: NDArray[np.int32],
    count: NDArray[np.uint16],
    length: int,
    idf: NDArray[np.float64],
    often: NDArray[np.int64],
    said: NDArray[np.int64],
    k1: float,
    b: float,
    mean: float,
    parts: NDArray[np.float64],
) -> float:
    """Return a passage's score, summed word by word as the question says them; -1 once it cannot reach ``need``.

    ``known`` is what the first ``essential`` words add; ``rest[t]`` what the words from ``t`` on can add together.
    """
    for t in range(essential, len(idf)):
        if (known + rest[t]) * SLACK < need:
            return -1.0
        at = _search(passage, place[t], end[t], number)
        parts[t] = 0.0
        if at < end[t] and passage[at] == number:
            parts[t] = _part(idf[t], np.float64(count[at]), length, k1, b, mean)
            known += often[t] * parts[t]
    if known * SLACK < need:
        return -1.0
    for t in range(essential):
        at = _search(passage, place[t], end[t], number)
        parts[t] = 0.0
        if at < end[t] and passage[at] == number:
            parts[t] = _part(idf[t], np.float64(count[at]), length, k1, b, mean)
    total = 0.0
    for t in said:
        total += parts[t]
    return total


@njit(cache=True, nogil=True)
def best_passages(
    first: NDArray[np.int64],
    end: NDArray[np.int64],
    passage: NDArray[np.int32],
    count: NDArray[np.uint16],
    length: NDArray[np.int32],
    mask: NDArray[np.bool_],
    idf: NDArray[np.float64],
    often: NDArray[np.int64],
    bound: NDArray[np.float64],
    said: NDArray[np.int64],
    k: int,
    k1: float,
    b: float,
    mean: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the ``k`` best passages with scores above 0, in no order.

    Parameters
    ----------
    first, end
        int64, (m,): where the postings of each distinct word begin and end, greatest ``bound`` first.
    passage, count, length
        The index's arrays.
    mask
        bool, (n_passages,): what may be found; of length 0 where everything may.
    idf, often, bound
        (m,): each word's idf, how often the question says it, and the most that all this can add, never below 0.
    said
        int64: the words of the question in order, as places in the above.
    k, k1, b, mean
        How many; BM25's parameters; mean length of a passage.

    Returns
    -------
    passages : int64
    scores : float64
    """
    m = len(first)
    place = first.copy()  # how far each list is behind us
    start = np.empty(m, dtype=np.int64)
    rest = np.zeros(m + 1)
    for t in range(m - 1, -1, -1):
        rest[t] = rest[t + 1] + bound[t]
    essential = m
    while essential > 0 and rest[essential - 1] == 0.0:
        essential -= 1
    sums, met = np.full(WINDOW, -1.0), np.empty(WINDOW, dtype=np.int64)  # -1: not met yet
    parts = np.empty(m)
    scores, passages, size = np.empty(k), np.empty(k, dtype=np.int64), 0
    while essential > 0:
        window = np.int64(len(length))
        for t in range(essential):
            if place[t] < end[t]:
                window = min(window, np.int64(passage[place[t]]))
        if window == len(length):
            break
        beyond, n_met = window + WINDOW, 0
        for t in range(m):
            start[t] = place[t]
        for t in range(essential):
            j = place[t]
            while j < end[t] and passage[j] < beyond:
                number = passage[j]
                if len(mask) == 0 or mask[number]:
                    at = number - window
                    if sums[at] < 0.0:
                        sums[at] = 0.0
                        met[n_met] = at
                        n_met += 1
                    sums[at] += often[t] * _part(idf[t], np.float64(count[j]), length[number], k1, b, mean)
                j += 1
            place[t] = j
        for i in range(n_met):
            at = met[i]
            known, number = sums[at], window + at
            sums[at] = -1.0
            need = scores[0] if size == k else 0.0
            if (known + rest[essential]) * SLACK < need:
                continue
            score = _score(
                number, known, essential, need, rest, start, end, passage, count,
                length[number], idf, often, said, k1, b, mean, parts,
            )  # fmt: skip
            if score > 0.0:
                size = _keep(scores, passages, size, score, number)
        if size == k:
            while essential > 0 and rest[essential - 1] * SLACK < scores[0]:
                essential -= 1
        for t in range(essential, m):
            place[t] = _search(passage, place[t], end[t], beyond)
    return passages[:size], scores[:size]
