"""From the parts of a search to scored passages: signals, fixed weights, and the learned signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval.clues import clues
from hipporag_like.retrieval.features import Asked, Opinion, Sheet
from hipporag_like.retrieval.fuse import (
    HYBRID_WEIGHTS,
    WEIGHTS,
    Signal,
    fuse,
    incoming_signal,
    mass_signal,
    ranked_signal,
)
from hipporag_like.retrieval.gather import Candidates, Part
from hipporag_like.retrieval.learned import (
    CANDIDATES,
    WEIGHT,
    model,
    needs_windows,
    reasons,
    signal_of,
    table_of,
)
from hipporag_like.retrieval.link import Linked
from hipporag_like.retrieval.query import PATHS_SHOWN, Options, Query
from hipporag_like.retrieval.topk import top_k, top_set
from hipporag_like.retrieval.trust import names_in, plain_share, rarity, titled
from hipporag_like.retrieval.windows import windows
from hipporag_like.text import STOPWORDS, words

METHOD_WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "graph": WEIGHTS,
    "hybrid": HYBRID_WEIGHTS,
    "dense": {"dense": 1.0},
    "bm25": {"bm25": 1.0},
}


@dataclass(frozen=True, slots=True)
class Ranking:
    """All candidates of all namespaces.

    Attributes
    ----------
    passages
        int64, (n,), ascending; numbers run on from one namespace to the next.
    offsets
        int64, (n_parts + 1,): where each namespace's numbers start.
    names
        Of the signals.
    shares
        float64, (n, len(names)): a passage's score is its row's sum.
    weights
        float64, (len(names),): of each signal; its share is its value in [0, 1] times its weight.
    plain
        The share of dense and BM25 beyond their ordinary part; see ``retrieval.trust``.
    reasons
        By row, what the learned signal rests on, for the best ``PATHS_SHOWN``.
    """

    passages: NDArray[np.int64]
    offsets: NDArray[np.int64]
    names: tuple[str, ...]
    shares: NDArray[np.float64]
    weights: NDArray[np.float64]
    plain: float
    reasons: Mapping[int, Mapping[str, float]] = field(default_factory=dict)


def rank(parts: Sequence[Part], query: Query, method: str, options: Options) -> Ranking:
    """Return the candidates of all parts with each signal's share of their scores.

    Parameters
    ----------
    parts
        What each namespace has to say.
    query, options
        The question.
    method
        May differ from the one that the question asks for.
    """
    graph = method == "graph"
    plain = plain_share(*_linked(parts)) if graph else 0.0
    weights = {
        name: (1.0 - plain) * weight + plain * HYBRID_WEIGHTS.get(name, 0.0)
        for name, weight in METHOD_WEIGHTS[method].items()
    }
    offsets = np.cumsum([0] + [part.segment.n_passages for part in parts])
    signals = {name: _signal(name, parts, offsets) for name in weights}
    if method in ("dense", "bm25"):
        # A method of one signal shows its own scores, not relative ones.
        signals = {method: Signal(*_joined(parts, offsets, method))}
    passages, shares = fuse(signals, weights)
    heights = np.array([weights[name] for name in signals])
    ranking = Ranking(passages, offsets, tuple(signals), shares, heights, plain)
    if not graph or options.search.fusion == "weights" or len(passages) == 0:
        return ranking
    return _with_learned(ranking, parts, query, options)


def judged(ranking: Ranking) -> NDArray[np.int64]:
    """Return the rows of a ranking that the learned signal judges, ascending.

    As many however many hits are asked for: what is judged is judged against the others, so more of them would
    change the scores of all. The rest has a learned signal of 0 and follows in the order of the fixed weights.
    """
    return top_set(ranking.shares.sum(axis=1), CANDIDATES)


def sheet_of(
    ranking: Ranking,
    rows: NDArray[np.int64],
    parts: Sequence[Part],
    query: Query,
    options: Options,
    pieces: Sequence[str],
) -> Sheet:
    """Return what is known of some rows of a ranking by fixed weights.

    Parameters
    ----------
    ranking, parts, query, options
        See :func:`rank`; the question has a vector.
    rows
        int64, ascending.
    pieces
        Windows of the question, embedded here; none for trees without such columns.
    """
    vectors = _vectors(query, pieces, options)
    bounds = np.searchsorted(ranking.passages[rows], ranking.offsets)
    found = []
    for part, offset, first, last in zip(parts, ranking.offsets, bounds, bounds[1:], strict=False):
        if part.walked is not None:
            numbers = ranking.passages[rows[first:last]] - offset
            walks = (part.walked.first, part.walked.second)
            known = (part.segment, query.text, vectors, part.walked.linked, walks, numbers, options.lexical)
            found.append(clues(*known))
    values = {
        name: share / weight
        for name, share, weight in zip(ranking.names, ranking.shares[rows].T, ranking.weights, strict=True)
    }
    score = ranking.shares[rows].sum(axis=1)
    opinion = Opinion(score, values["dense"], values["bm25"], values["incoming"])
    return Sheet(found, opinion, _asked(parts, query, ranking.plain))


def _with_learned(ranking: Ranking, parts: Sequence[Part], query: Query, options: Options) -> Ranking:
    """Return the ranking with the learned signal as one more column."""
    rows = judged(ranking)
    trees = model(options.search.fusion)
    pieces = windows(query.text) if needs_windows(trees) else []
    table = table_of(trees, sheet_of(ranking, rows, parts, query, options, pieces))
    column = np.zeros(len(ranking.passages))
    column[rows] = signal_of(trees.score(table))
    shares = np.empty((len(column), len(ranking.names) + 1))
    np.multiply(ranking.shares, 1.0 - WEIGHT, out=shares[:, :-1])
    np.multiply(column, WEIGHT, out=shares[:, -1])
    weights = np.append((1.0 - WEIGHT) * ranking.weights, WEIGHT)
    best = top_k(shares[rows].sum(axis=1), min(query.k, PATHS_SHOWN)).tolist()
    why = dict(zip(rows[best].tolist(), reasons(trees, table, best), strict=True))
    return replace(ranking, names=(*ranking.names, "learned"), shares=shares, weights=weights, reasons=why)


def _vectors(query: Query, pieces: Sequence[str], options: Options) -> NDArray[np.float32]:
    """Return the question's vector, then those of its windows."""
    question = np.asarray(query.vector, dtype=np.float32)[None, :]
    return np.vstack([question, options.embed(pieces)]) if pieces else question


def _asked(parts: Sequence[Part], query: Query, plain: float) -> Asked:
    segments, linked = _linked(parts)
    names = max(len(names_in(s, found)) for s, found in zip(segments, linked, strict=True) if found)
    content = sum(token not in STOPWORDS for token in words(query.text))
    return Asked(rarity(segments, linked), names, titled(segments), content, plain)


def _linked(parts: Sequence[Part]) -> tuple[list[Segment], list[Linked | None]]:
    """Return the namespaces, and what the question was linked to in each."""
    return [p.segment for p in parts], [p.walked.linked if p.walked else None for p in parts]


def _joined(parts: Sequence[Part], offsets: NDArray[np.int64], name: str) -> Candidates:
    lists = [
        (part.raw[name], offset) for part, offset in zip(parts, offsets, strict=False) if name in part.raw
    ]
    if not lists:
        return np.zeros(0, np.int64), np.zeros(0)
    passages = np.concatenate([passages + offset for (passages, _), offset in lists])
    return passages, np.concatenate([values for (_, values), _ in lists])


def _signal(name: str, parts: Sequence[Part], offsets: NDArray[np.int64]) -> Signal:
    passages, values = _joined(parts, offsets, name)
    if name in ("graph", "onward"):
        return mass_signal(passages, values)
    return incoming_signal(passages, values) if name == "incoming" else ranked_signal(passages, values)
