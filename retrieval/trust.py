"""How far the graph is to be trusted with a question; dense and BM25 scores count for the rest.

The walk knows where to go when the question names something rare, and whom a passage is about when it has a title. A
question of common names, or a corpus of talk without titles, spreads it everywhere, and plain similarity knows better.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval.link import Linked

# Measured on the four dev sets and on chapters, a manual and dialogues (eval/other_text), docs/decisions/0007: on talk
# and untitled text recall@5 rises by 9 to 15 points, on the titled sets it falls by 0 to 1.
NO_NAME = 0.4  # more for dense and BM25 where the question names nothing, less the rarer what it names
NO_TITLES = 0.5  # and where no passage has a title


def plain_share(segments: Sequence[Segment], linked: Sequence[Linked | None]) -> float:
    """Return the share of a score, in [0, 1), that goes to dense and BM25 beyond their ordinary part.

    ``1 - (1 - 0.4 (1 - r^2)) (1 - 0.5 (1 - t))``, where ``r`` is the rarity of the rarest name in the question,
    ``ln(N / df) / ln N``, and ``t`` the share of passages with a title.

    Parameters
    ----------
    segments, linked
        The namespaces, and what the question was linked to in each; None where it was not.
    """
    return 1.0 - (1.0 - NO_NAME * (1.0 - rarity(segments, linked) ** 2)) * (
        1.0 - NO_TITLES * (1.0 - titled(segments))
    )


def rarity(segments: Sequence[Segment], linked: Sequence[Linked | None]) -> float:
    """Return the rarity of the rarest name in the question, from 0, in every passage, to 1, in one."""
    return max((_rarity(s, found) for s, found in zip(segments, linked, strict=True) if found), default=0.0)


def titled(segments: Sequence[Segment]) -> float:
    """Return the share of passages with a title."""
    passages = sum(segment.n_passages for segment in segments)
    return sum(segment.n_titled for segment in segments) / max(passages, 1)


def names_in(segment: Segment, linked: Linked) -> NDArray[np.int64]:
    """Return the entities that the question names, mined terms left out."""
    named = linked.entities[linked.named]
    names: NDArray[np.int64] = named[~segment.array("entity_is_term")[named]]
    return names


def _rarity(segment: Segment, linked: Linked) -> float:
    names = names_in(segment, linked)
    if len(names) == 0 or segment.n_passages < 2:
        return 0.0
    passages = max(int(segment.array("entity_passages")[names].min()), 1)
    rarity = np.log(segment.n_passages / passages) / np.log(segment.n_passages)
    return min(max(float(rarity), 0.0), 1.0)
