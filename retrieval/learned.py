"""The learned signal: trees over each candidate's clues, fitted on questions with known passages.

``eval/benchmarks/fit_fusion.py`` fits them; their files lie beside this one. LambdaMART: Burges 2010, "From RankNet to
LambdaRank to LambdaMART".
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hipporag_like.retrieval.features import NAMES, WINDOW_COLUMNS, Sheet, features
from hipporag_like.retrieval.trees import Trees, load_trees

# Candidates that are judged, best by the fixed weights; 97 to 100 % of the needed passages are among them.
CANDIDATES = 100
# The trees' sums span 8 to 12 between a question's best and worst candidate.
RANGE = 12.0
# Of the score: the trees' sum counts once and the fixed weights' score, from 0 to 1, twice. Once or five times are
# within 0.3 of the mean recall@5 of sets not fitted on.
WEIGHT = RANGE / (RANGE + 2.0)


def model(fusion: str) -> Trees:
    """Return the trees of a fusion: ``full``, ``fast`` or a file.

    Raises
    ------
    ModelError
        The file is no model.
    """
    own = Path(__file__).with_name("models") / f"{fusion}.json"
    return load_trees(own if fusion in ("full", "fast") else Path(fusion))


def needs_windows(trees: Trees) -> bool:
    """Return whether the question's windows have to be embedded for these trees."""
    return any(name in WINDOW_COLUMNS for name in trees.names)


def learned(trees: Trees, sheet: Sheet) -> NDArray[np.float64]:
    """Return the learned signal of all candidates.

    Parameters
    ----------
    trees
        Whose columns are among ``features.NAMES``.
    sheet
        What is known of them.

    Returns
    -------
    float64, (n,)
        In [0, 1]; 1 for the best.
    """
    table = features(sheet)[:, [NAMES.index(name) for name in trees.names]]
    values = trees.score(table)
    signal: NDArray[np.float64] = np.maximum(0.0, 1.0 + (values - values.max()) / RANGE)
    return signal
