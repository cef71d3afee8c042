"""The learned signal: trees over each candidate's clues, fitted on questions with known passages.

``eval/benchmarks/fit_fusion.py`` fits them; their files lie beside this one. LambdaMART: Burges 2010, "From RankNet to
LambdaRank to LambdaMART".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import ModelError
from hipporag_like.models.named_path import named_path
from hipporag_like.retrieval.features import NAMES, WINDOW_COLUMNS, Sheet, features
from hipporag_like.retrieval.trees import Trees, load_trees

# Candidates that are judged, best by the fixed weights; 97 to 100 % of the needed passages are among them.
CANDIDATES = 100
# The trees' sums span 8 to 12 between a question's best and worst candidate.
RANGE = 12.0
# Of the score: the trees' sum counts once and the fixed weights' score, from 0 to 1, twice. Once or five times are
# within 0.3 of the mean recall@5 of sets not fitted on.
WEIGHT = RANGE / (RANGE + 2.0)
REASONS = 4  # columns named for a hit
_OWN = {fusion: Path(__file__).with_name("models") / f"{fusion}.json" for fusion in ("full", "fast")}
_PLACE = {name: place for place, name in enumerate(NAMES)}


def model(fusion: str) -> Trees:
    """Return the trees of a fusion: ``full``, ``fast`` or a file.

    Raises
    ------
    ModelError
        The file is no model, or looks at a column that is not known.
    """
    path = _OWN.get(fusion) or named_path(fusion)
    trees = load_trees(path)
    unknown = sorted(name for name in trees.names if name not in _PLACE)
    if unknown:
        raise ModelError(
            f"{path} looks at {', '.join(unknown)}, which this version does not know; fit it again"
        )
    return trees


def needs_windows(trees: Trees) -> bool:
    """Return whether the question's windows have to be embedded for these trees."""
    return not set(trees.names).isdisjoint(WINDOW_COLUMNS)


def table_of(trees: Trees, sheet: Sheet) -> NDArray[np.float32]:
    """Return the columns that the trees look at, which are among ``features.NAMES``; float32, (n, len(trees.names))."""
    table = features(sheet)
    return table if trees.names == NAMES else table[:, [_PLACE[name] for name in trees.names]]


def signal_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the learned signal, the trees' sums relative to the best: float64, (n,), in [0, 1], 1 for the best."""
    signal: NDArray[np.float64] = np.maximum(0.0, 1.0 + (values - values.max()) / RANGE)
    return signal


def reasons(trees: Trees, table: NDArray[np.float32], rows: Sequence[int]) -> list[dict[str, float]]:
    """Return the columns that say most about candidates, strongest first, in units of the final score.

    What a column says is how far the trees' sum changes when the column has the value of the middle candidate
    instead. Columns work together, so these do not add up to the signal.

    Parameters
    ----------
    trees, table
        See :func:`table_of`.
    rows
        Of the candidates.
    """
    middle = len(table) // 2
    sums, changed = trees.scores_with(table[rows], np.partition(table, middle, axis=0)[middle])
    effects = (sums[:, None] - changed) * WEIGHT / RANGE
    order = np.argsort(-np.abs(effects), axis=1, kind="stable")[:, :REASONS].tolist()
    return [
        {trees.names[place]: effect[place] for place in places if effect[place] != 0.0}
        for places, effect in zip(order, effects.tolist(), strict=True)
    ]
