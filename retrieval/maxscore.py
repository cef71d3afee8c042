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
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled

# Passages taken together: their sums, 8 bytes each, stay in the first cache with room for the postings.
WINDOW = 4096
# Bounds are summed in another order than scores; float32 rounds each part by less than 1e-7 of it.
SLACK = 1.0 + 1e-6
# A list is searched for single passages where it has more than so many postings for each; else it is read through.
SEARCHED = 16


@compiled
def peak(
    passage: NDArray[np.int32],
    count: NDArray[np.uint16],
    length: NDArray[np.int32],
    norm: NDArray[np.float64],
) -> float:
    """Return the largest ``count / (count + norm)`` of one word's postings."""
    most = 0.0
    for j in range(len(passage)):
        times = np.float64(count[j])
        most = max(most, times / (times + norm[length[passage[j]]]))
    return most


@compiled
def search(
    passage: NDArray[np.int32] | NDArray[np.int64], first: int, last: int, wanted: int | np.int64
) -> int:
    """Return the first place, ``first`` to ``last``, of ``wanted`` or more: steps that double, then halve."""
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


@compiled
def _keep(
    scores: NDArray[np.float64], passages: NDArray[np.int64], size: int, score: float, number: int
) -> int:
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
            scores[other] < scores[down]
            or (scores[other] == scores[down] and passages[other] > passages[down])
        ):
            down = other
        if score < scores[down] or (score == scores[down] and number > passages[down]):
            break
        scores[at], passages[at] = scores[down], passages[down]
        at = down
    scores[at], passages[at] = score, number
    return size


@compiled
def best_passages(  # noqa: C901
    first: NDArray[np.int64],
    end: NDArray[np.int64],
    passage: NDArray[np.int32],
    count: NDArray[np.uint16],
    length: NDArray[np.int32],
    norm: NDArray[np.float64],
    mask: NDArray[np.bool_],
    idf: NDArray[np.float64],
    often: NDArray[np.int64],
    bound: NDArray[np.float64],
    said: NDArray[np.int64],
    k: int,
    k1: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the ``k`` best passages with scores above 0, in no order.

    Parameters
    ----------
    first, end
        int64, (m,): where the postings of each distinct word begin and end, greatest ``bound`` first.
    passage, count, length
        The index's arrays.
    norm
        float64, (longest + 1,): BM25's norm of a passage, by its length.
    mask
        bool, (n_passages,): what may be found; of length 0 where everything may.
    idf, often, bound
        (m,): each word's idf, how often the question says it, and the most that all this can add, never below 0.
    said
        int64: the words of the question in order, as places in the above.
    k, k1
        How many, at least 1; BM25's parameter.

    Returns
    -------
    passages : int64
    scores : float64
    """
    m, factor = len(first), k1 + 1
    place = first.copy()  # how far each list is behind us
    start = np.empty(m, dtype=np.int64)
    rest = np.zeros(m + 1)
    for t in range(m - 1, -1, -1):
        rest[t] = rest[t + 1] + bound[t]
    essential = m
    while essential > 0 and rest[essential - 1] == 0.0:
        essential -= 1
    sums, live = np.full(WINDOW, -1.0), np.empty(WINDOW, dtype=np.int64)  # -1: not met, or out
    parts = np.empty(m)
    scores, passages, size = np.empty(k), np.empty(k, dtype=np.int64), 0
    while essential > 0:
        window = np.int64(len(length))
        for t in range(essential):
            if place[t] < end[t]:
                window = min(window, np.int64(passage[place[t]]))
        if window == len(length):
            break
        beyond, n = window + WINDOW, 0
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
                        live[n] = at
                        n += 1
                    times = np.float64(count[j])
                    sums[at] += often[t] * (idf[t] * times * factor / (times + norm[length[number]]))
                j += 1
            place[t] = j
        need = scores[0] if size == k else 0.0
        n = _still(sums, live, n, rest[essential], need)
        for t in range(essential, m):
            stop = search(passage, place[t], end[t], beyond)
            if n > 0 and bound[t] > 0.0:
                if SEARCHED * n < stop - place[t]:
                    for i in range(n):
                        j = search(passage, place[t], stop, window + live[i])
                        if j < stop and passage[j] == window + live[i]:
                            times = np.float64(count[j])
                            added = idf[t] * times * factor / (times + norm[length[passage[j]]])
                            sums[live[i]] += often[t] * added
                else:
                    for j in range(place[t], stop):
                        if sums[passage[j] - window] >= 0.0:
                            times = np.float64(count[j])
                            added = idf[t] * times * factor / (times + norm[length[passage[j]]])
                            sums[passage[j] - window] += often[t] * added
                n = _still(sums, live, n, rest[t + 1], need)
            place[t] = stop
        for i in range(n):
            number = window + live[i]
            sums[live[i]] = -1.0
            for t in range(m):
                j = search(passage, start[t], place[t], number)
                parts[t] = 0.0
                if j < place[t] and passage[j] == number:
                    times = np.float64(count[j])
                    parts[t] = np.float32(idf[t] * times * factor / (times + norm[length[number]]))
            total = 0.0
            for t in said:
                total += parts[t]
            if total > 0.0:
                size = _keep(scores, passages, size, total, number)
        if size == k:
            while essential > 0 and rest[essential - 1] * SLACK < scores[0]:
                essential -= 1
    return passages[:size], scores[:size]


@compiled
def _still(sums: NDArray[np.float64], live: NDArray[np.int64], n: int, more: float, need: float) -> int:
    """Keep, at the front of ``live``, the passages that reach ``need`` with ``more``; return how many."""
    kept = 0
    for i in range(n):
        at = live[i]
        if (sums[at] + more) * SLACK < need:
            sums[at] = -1.0
        else:
            live[kept] = at
            kept += 1
    return kept
