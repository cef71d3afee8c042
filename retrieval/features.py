"""Columns for the learned fusion: each candidate's clues, most of them relative to the question's other candidates.

Nothing here depends on the scale of an embedder's cosines: they are counted in standard deviations of the cosines of
the question's candidates. Masses are logarithms relative to the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.retrieval.clues import Clues
from hipporag_like.retrieval.sets import distinct

Reals = NDArray[np.float64]

NAMES = (
    # log mass of the walks: over the root of the number of facts, summed, of the best fact
    "walk", "walk_sum", "walk_best", "onward", "onward_sum", "onward_best",
    # similarity of the passage, and of its best fact
    "passage", "passage_below", "dense", "bm25", "bm25_rest", "sentence", "sentence_below",
    # the same for the question's windows: best window, first in any window, mean, what the two best passages leave
    "window", "window_below", "window_top", "window_mean", "window_left", "passage_window", "passage_window_top",
    "which_window", "n_windows",
    # facts elsewhere about the subject
    "incoming", "incoming_below", "incoming_signal", "source", "chain", "incoming_from_found", "mentioned_by",
    # subjects that the passage's own facts mention
    "target", "mentions",
    # the subject
    "named", "source_named", "subject_seed", "subject_walk", "subject_onward", "subject_rarity",
    # the fixed weights' opinion
    "score", "rank",
    # the question
    "rarity", "names", "titled", "words", "best_sentence", "plain_share",
)  # fmt: skip
WINDOW_COLUMNS = tuple(name for name in NAMES if "window" in name)
FLOOR = -14.0  # of a log mass; e^-14 of the best is what the walk's tolerance leaves to chance
LOWEST = -4.0  # standard deviations, of what is not there at all
LEAST_SPREAD = 0.02  # of cosines: a few passages that are all alike
# A source's score runs from 0 to 1, and cosines of facts to a question spread by 0.15 in the default embedder.
CHAIN = 0.15
FOUND = 0.5  # of the best score: a source that counts as found
DECIMALS = 6  # what rounding in another order of summation changes is less


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the fixed weights make of the candidates; each float64, (n,).

    Attributes
    ----------
    score, dense, bm25, incoming
        In [0, 1]: the fused score and signals that went into it.
    """

    score: Reals
    dense: Reals
    bm25: Reals
    incoming: Reals


@dataclass(frozen=True, slots=True)
class Asked:
    """The question in numbers.

    Attributes
    ----------
    rarity, titled, plain_share
        See ``retrieval.trust``.
    names
        How many entities it names, terms not counted.
    words
        How many words it has, function words not counted.
    """

    rarity: float
    names: int
    titled: float
    words: int
    plain_share: float


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that is judged of a question's candidates.

    Attributes
    ----------
    parts
        The clues of each namespace; their candidates stand one after the other.
    opinion
        Of all candidates in that order.
    asked
        The question.
    """

    parts: Sequence[Clues]
    opinion: Opinion
    asked: Asked


def features(sheet: Sheet) -> NDArray[np.float32]:
    """Return the columns ``NAMES`` of all candidates, at least one: float32, (n, len(NAMES))."""
    parts, opinion, asked = sheet.parts, sheet.opinion, sheet.asked
    cosines = _Cosines.of(parts)
    columns = {
        **_walks(parts),
        **_plain(parts, opinion, cosines),
        **_windows(cosines, opinion.score),
        **_mentions(parts, opinion, cosines),
        **_subjects(parts),
        "score": opinion.score - opinion.score.max(),
        "rank": (opinion.score[None, :] > opinion.score[:, None]).sum(axis=1),
        "rarity": asked.rarity,
        "names": asked.names,
        "titled": asked.titled,
        "words": asked.words,
        "best_sentence": cosines.sentence[:, 0].max(),
        "plain_share": asked.plain_share,
    }
    table = np.empty((len(opinion.score), len(NAMES)))
    for place, name in enumerate(NAMES):
        table[:, place] = columns[name]
    return np.round(table, DECIMALS).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Cosines:
    """Cosines in standard deviations: float64, (n, v) of passages and best facts; mean and spread of facts, (v,)."""

    passage: Reals
    sentence: Reals
    mean: Reals
    spread: Reals

    @classmethod
    def of(cls, parts: Sequence[Clues]) -> _Cosines:
        count, total, squares = sum(part.moments for part in parts)  # type: ignore[misc]
        mean = total / np.maximum(count, 1)
        spread = np.maximum(np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0.0)), LEAST_SPREAD)
        passage = np.concatenate([part.passage for part in parts])
        own = np.maximum(passage.std(axis=0), LEAST_SPREAD)
        sentence = np.concatenate([part.sentence for part in parts])
        return cls(
            (passage - passage.mean(axis=0)) / own,
            np.maximum((sentence - mean) / spread, LOWEST),
            mean,
            spread,
        )


def _walks(parts: Sequence[Clues]) -> dict[str, Reals]:
    columns = {}
    for name in ("walk", "onward"):
        mass = np.concatenate([getattr(part, name) for part in parts])
        best = np.maximum(mass.max(axis=0), 1e-300)
        logs = np.maximum(np.log(np.maximum(mass / best, 1e-300)), FLOOR)
        for column, kind in enumerate(("", "_sum", "_best")):
            columns[name + kind] = logs[:, column]
    return columns


def _plain(parts: Sequence[Clues], opinion: Opinion, cosines: _Cosines) -> dict[str, Reals]:
    rest = np.concatenate([part.rest for part in parts])
    passage, sentence = cosines.passage[:, 0], cosines.sentence[:, 0]
    return {
        "passage": passage,
        "passage_below": passage - passage.max(),
        "dense": opinion.dense,
        "bm25": opinion.bm25,
        "bm25_rest": rest / max(float(rest.max()), 1e-9),
        "sentence": sentence,
        "sentence_below": sentence - sentence.max(),
    }


def _windows(cosines: _Cosines, score: Reals) -> dict[str, Reals | float]:
    """Return the columns of windows; a question without windows is its own only one."""
    first = 1 if cosines.sentence.shape[1] > 1 else 0
    sentence, passage = cosines.sentence[:, first:], cosines.passage[:, first:]
    best, mean = sentence.max(axis=1), sentence.mean(axis=1)
    two = np.sort(score)[-2:].min()
    left = sentence - sentence[score >= two].max(axis=0)
    return {
        "window": best,
        "window_below": best - best.max(),
        "window_top": (sentence - sentence.max(axis=0)).max(axis=1),
        "window_mean": mean - mean.max(),
        "window_left": left.max(axis=1),
        "passage_window": passage.max(axis=1) - passage.max(),
        "passage_window_top": (passage - passage.max(axis=0)).max(axis=1),
        "which_window": sentence.argmax(axis=1) / max(1, sentence.shape[1] - 1),
        "n_windows": sentence.shape[1],
    }


def _mentions(parts: Sequence[Clues], opinion: Opinion, cosines: _Cosines) -> dict[str, Reals]:
    offsets = np.cumsum([0, *(len(part.passage) for part in parts)])
    candidate = np.concatenate([part.candidate + at for part, at in zip(parts, offsets, strict=False)])
    source = np.concatenate(
        [np.where(part.source < 0, -1, part.source + at) for part, at in zip(parts, offsets, strict=False)]
    )
    cosine = (np.concatenate([part.cosine for part in parts]) - cosines.mean[0]) / cosines.spread[0]
    score = np.where(source >= 0, opinion.score[source], 0.0)
    named = np.concatenate([part.subject[:, 0] for part in parts])
    n = len(opinion.score)
    incoming = _best(cosine, candidate, n, LOWEST)
    chain = _best(score + CHAIN * cosine, candidate, n, CHAIN * LOWEST)
    found = score >= FOUND * opinion.score.max()
    inside = source >= 0
    pairs = distinct(candidate[inside] * n + source[inside])
    return {
        "incoming": incoming,
        "incoming_below": incoming - incoming.max(),
        "incoming_signal": opinion.incoming,
        "source": _best(score, candidate, n, 0.0),
        "chain": chain - chain.max(),
        "incoming_from_found": _best(cosine[found], candidate[found], n, LOWEST),
        "mentioned_by": np.log1p(np.bincount(pairs // n, minlength=n)),
        "target": _best(opinion.score[candidate[inside]], source[inside], n, 0.0),
        "mentions": np.log1p(np.bincount(pairs % n, minlength=n)),
        "named": named,
        "source_named": _best(named[source[inside]], candidate[inside], n, 0.0),
    }


def _subjects(parts: Sequence[Clues]) -> dict[str, Reals]:
    subject = np.concatenate([part.subject for part in parts])
    walk, onward = (np.maximum(np.log(np.maximum(subject[:, i], 1e-300)), FLOOR) for i in (2, 3))
    return {
        "subject_seed": subject[:, 1],
        "subject_walk": walk,
        "subject_onward": onward,
        "subject_rarity": subject[:, 4],
    }


def _best(values: Reals, place: NDArray[np.int64], n: int, lowest: float) -> Reals:
    found = np.full(n, lowest)
    np.maximum.at(found, place, values)
    return found
