"""Loops over a question's candidates and their facts, compiled: in numpy each takes a dozen calls for a few numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled
from hipporag_like.indexing.rows import RowStarts
from hipporag_like.retrieval.maxscore import search

Wholes = NDArray[np.int64]
Numbers = NDArray[np.int32]
Reals = NDArray[np.float64]


@compiled
def said_elsewhere(
    candidates: Wholes,
    subject_of: Wholes,
    subject: Wholes,
    facts: Wholes,
    indptr: RowStarts,
    edges: Numbers,
    bits: int,
    fact_passage: Numbers,
) -> tuple[Wholes, Wholes]:
    """Return the pairs of ``retrieval.mentions.Mentions``, by subject and then by fact.

    Parameters
    ----------
    candidates, facts
        int64: passage numbers, and fact numbers, ascending, that are looked at.
    subject_of, subject
        int64, (m,): the candidates' subjects; see ``retrieval.mentions.Subjects``.
    indptr, edges, bits
        Entity to facts; see ``hipporag_like.indexing.rows.Rows``.
    fact_passage
        The passage of each fact.
    """
    most = 0
    for entity in subject:
        most += min(indptr[entity + 1] - indptr[entity], len(facts))
    candidate, said, n = np.empty(most, np.int64), np.empty(most, np.int64), 0
    for i in range(len(subject)):
        j, last, at = int(indptr[subject[i]]), indptr[subject[i] + 1], 0
        while j < last and at < len(facts):
            fact = np.int64(edges[j]) >> bits
            if facts[at] < fact:
                at = search(facts, at, len(facts), fact)
            elif facts[at] > fact:
                j = search(edges, j, last, facts[at] << bits)
            else:
                if fact_passage[fact] != candidates[subject_of[i]]:
                    candidate[n], said[n] = subject_of[i], at
                    n += 1
                j += 1
                at += 1
    return candidate[:n], said[:n]


@compiled
def masses_of(candidates: Wholes, passage_facts: Wholes, facts: Wholes, mass: Reals) -> Reals:
    """Return the mass of each candidate's facts, summed and of the best one: float64, (n, 2).

    ``facts``, ascending, and ``mass`` are what a walk reached; ``passage_facts`` is where each passage's facts start.
    """
    found = np.zeros((len(candidates), 2))
    for i in range(len(candidates)):
        at = np.searchsorted(facts, passage_facts[candidates[i]])
        while at < len(facts) and facts[at] < passage_facts[candidates[i] + 1]:
            found[i, 0] += mass[at]
            found[i, 1] = max(found[i, 1], mass[at])
            at += 1
    return found


@compiled
def mass_by_passage(facts: Wholes, mass: Reals, fact_passage: Numbers) -> tuple[Wholes, Reals]:
    """Return the passages of facts, both ascending, and the mass of each one's facts."""
    passages, total, n = np.empty(len(facts), np.int64), np.empty(len(facts)), 0
    for i in range(len(facts)):
        passage = fact_passage[facts[i]]
        if n == 0 or passages[n - 1] != passage:
            passages[n], total[n] = passage, 0.0
            n += 1
        total[n - 1] += mass[i]
    return passages[:n], total[:n]


@compiled
def bm25_of(
    wanted: Wholes,
    first: Wholes,
    last: Wholes,
    passage: Numbers,
    count: NDArray[np.uint16],
    length: Numbers,
    norm: Reals,
    idf: Reals,
    k1: float,
) -> Reals:
    """Return the BM25 scores of wanted passages: float64, (n,).

    Parameters
    ----------
    wanted
        int64, (n,); fastest where they ascend.
    first, last, idf
        Of each word said, in its order: where its postings begin and end, and its idf.
    passage, count, length, norm, k1
        See ``retrieval.maxscore.best_passages``.
    """
    scores = np.zeros(len(wanted))
    for t in range(len(first)):
        at = first[t]
        for i in range(len(wanted)):
            if i > 0 and wanted[i] < wanted[i - 1]:
                at = first[t]
            at = search(passage, at, last[t], wanted[i])
            if at < last[t] and passage[at] == wanted[i]:
                times = np.float64(count[at])
                scores[i] += np.float32(idf[t] * times * (k1 + 1) / (times + norm[length[wanted[i]]]))
    return scores
