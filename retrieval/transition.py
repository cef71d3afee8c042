"""The walk's transitions as one matrix, for the reference engines: the whole graph, for each question anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.rows import Rows
from hipporag_like.retrieval.walk import WalkGraph, WalkOptions


def transition(graph: WalkGraph, question: NDArray[np.float32], options: WalkOptions) -> Any:
    """Return the row-stochastic transition matrix of the walk, for the reference engines and tests.

    Returns
    -------
    scipy.sparse.csr_array, (n_entities + n_facts, n_entities + n_facts)
        A row is zero where a node leads nowhere.
    """
    from scipy import sparse

    from hipporag_like.indexing.ragged import fixed
    from hipporag_like.retrieval.likeness import likenesses

    n_entities, n_facts = len(graph.entity_facts.indptr) - 1, len(graph.fact_entities.indptr) - 1
    seen = likenesses(graph.facts.arrays(), fixed(np.arange(n_facts)), graph.facts.asked(question))
    factor = np.exp(options.sharpness * seen)
    ef = _csr(graph.entity_facts, n_facts)
    ef.data *= factor[ef.indices]
    fe, syn = _csr(graph.fact_entities, n_entities), _csr(graph.synonyms, n_entities)
    has_facts, has_synonyms = np.diff(ef.indptr) > 0, np.diff(syn.indptr) > 0
    share = np.where(has_synonyms, np.where(has_facts, options.synonym_share, 1.0), 0.0)
    to_facts = sparse.diags_array(1.0 - share) @ _stochastic(ef)
    to_synonyms = sparse.diags_array(share) @ _stochastic(syn)
    return sparse.csr_array(sparse.block_array([[to_synonyms, to_facts], [_stochastic(fe), None]]))


def _csr(rows: Rows, n_columns: int) -> Any:
    from scipy import sparse

    shape = (len(rows.indptr) - 1, n_columns)
    return sparse.csr_array((rows.weights.astype(np.float64), rows.indices, rows.indptr), shape=shape)


def _stochastic(matrix: Any) -> Any:
    from scipy import sparse

    sums = np.asarray(matrix.sum(axis=1)).ravel()
    return sparse.diags_array(1.0 / np.where(sums > 0, sums, 1.0)) @ matrix


def prpack(
    graph: WalkGraph, question: NDArray[np.float32], options: WalkOptions
) -> Callable[[NDArray[np.int64], NDArray[np.float64]], list[float]]:
    """Return igraph's PRPACK over the walk's transitions, made ready: seeds and mass to the mass of all nodes."""
    import igraph

    matrix = transition(graph, question, options)
    n = matrix.shape[0]
    # PRPACK starts anew from a node without neighbours; here the walk ends there. One more node, which leads
    # to itself only, takes in what ends.
    ends = np.append(np.flatnonzero(np.diff(matrix.indptr) == 0), n)
    matrix = matrix.tocoo()
    edges = np.concatenate(
        [np.stack([matrix.row, matrix.col], axis=1), np.stack([ends, np.full(len(ends), n)], axis=1)]
    )
    weights = np.concatenate([matrix.data, np.ones(len(ends))]).tolist()
    ready = igraph.Graph(n=n + 1, edges=edges, directed=True)
    del matrix, edges

    def solve(seeds: NDArray[np.int64], mass: NDArray[np.float64]) -> list[float]:
        reset = np.zeros(n + 1)
        np.add.at(reset, seeds, mass)
        ranks: list[float] = ready.personalized_pagerank(
            reset=reset.tolist(), damping=options.damping, weights=weights, implementation="prpack"
        )
        return ranks

    return solve
