"""The hits of several retrievals as one list.

Their scores mean different things: a step may have fallen back to another method, whose best score may be a
thousand times that of a walk. So each step's best hits are brought to [0, 1], its worst and its best, and a passage
counts as in its best step. Measured on musique_train100 with method ``graph`` and the sub-answers of the data set as
thoughts, the last left out (so those of a good model; recall@5 / @10 in percent, 80.2 / 87.8 for the question alone).
In "mixed" every second step fell back to dense and the others' scores were a thousandth, as a walk's masses are:

=========================================  ============  ============
how steps are put together                 graph         mixed
=========================================  ============  ============
raw scores, max                            90.6 / 93.1   61.6 / 68.1
over the step's best, max                  90.6 / 93.4   82.8 / 89.0
from worst to best of 10 hits, max         92.1 / 95.6   85.3 / 93.0
the same, later steps times 0.9            92.1 / 95.6   86.4 / 93.0
from worst to best of 50 hits, max         90.8 / 94.2   86.3 / 92.2
from worst to best of 10 hits, sum         90.7 / 95.6   84.1 / 93.8
reciprocal ranks 1/(1 + r), sum            89.5 / 95.0   83.2 / 93.8
reciprocal ranks 1/(60 + r), sum           86.5 / 94.1   81.9 / 93.8
=========================================  ============  ============
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hipporag_like.types import Hit, Trace

DEPTH = 10  # hits of a step that count, or as many as are asked for: see the table


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A hit with its score in [0, 1] within its step."""

    score: float
    step: int
    hit: Hit

    @property
    def order(self) -> tuple[float, int, int]:
        return -self.score, self.hit.rank, self.step


def merged(traces: Sequence[Trace], depth: int) -> list[Hit]:
    """Return the hits of several retrievals as one list, best first; see the module's description.

    Parameters
    ----------
    traces
        In the order of the steps, which decides between equals of one rank.
    depth
        Hits of each that count.
    """
    best: dict[tuple[str, str], _Ranked] = {}
    for step, trace in enumerate(traces):
        for ranked in _relative(trace.hits[:depth], step):
            key = ranked.hit.passage.namespace, ranked.hit.passage.id
            if key not in best or ranked.order < best[key].order:
                best[key] = ranked
    ordered = sorted(best.values(), key=lambda ranked: ranked.order)
    return [
        replace(r.hit, rank=rank, score=r.score, signals=_scaled(r.hit, r.score))
        for rank, r in enumerate(ordered, start=1)
    ]


def _relative(hits: Sequence[Hit], step: int) -> Iterator[_Ranked]:
    if not hits:
        return
    scores = [hit.score for hit in hits]
    low, spread = min(scores), max(scores) - min(scores)
    for hit in hits:
        yield _Ranked((hit.score - low) / spread if spread > 0 else 1.0, step, hit)


def _scaled(hit: Hit, score: float) -> dict[str, float]:
    """Return a hit's signals in the same proportions, adding up to ``score``."""
    total = sum(abs(value) for value in hit.signals.values())
    if not total > 0:
        return {name: score / len(hit.signals) for name in hit.signals}
    return {name: score * abs(value) / total for name, value in hit.signals.items()}
