"""Method ``hipporag``: the question's entities to phrases, a walk over phrases, phrases to passages.

Follows Gutiérrez et al. (2024), "HippoRAG: Neurobiologically Inspired Long-Term Memory for Large Language Models",
section 2.3 and 2.4, with the values of its scripts (damping 0.5); what the paper leaves open is as in its code
(branch ``legacy`` of OSU-NLP-Group/HippoRAG).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import HippoConfig
from hipporag_like.retrieval.diffusion import spread
from hipporag_like.retrieval.phrase_graph import PhraseGraph, Shown
from hipporag_like.retrieval.ranked import Ranked, best_of, min_max, similarities
from hipporag_like.types import Seed


def rank(
    graphs: Sequence[PhraseGraph],
    entities: Sequence[str],
    vectors: NDArray[np.float32],
    cosines: Sequence[NDArray[np.float32]],
    config: HippoConfig,
    engine: str,
    shown: Sequence[Shown] | None = None,
) -> Ranked:
    """Return the ranking of all passages; several graphs count as one that has no edges between them.

    Parameters
    ----------
    graphs
        One a namespace.
    entities
        What the question names.
    vectors
        float32, (len(entities), dim), unit rows.
    cosines
        One float32 array a namespace, (n_passages,): passages' similarity to the question.
    config
        Numbers.
    engine
        See ``retrieval.diffusion.spread``.
    shown
        What a filter lets be seen of each namespace: other phrases are not named as seeds; None means all.
    """
    linked = [_nearest(graphs, vector) for vector in vectors]
    found = [(name, node) for name, node in zip(entities, linked, strict=True) if node is not None]
    if not found:
        why = "the question names no entity" if not entities else "there are no phrases to link to"
        return Ranked(min_max(cosines), note=f"{why}; the passages' similarity answered instead")
    # Section 2.3, "query nodes", each the nearest phrase, and 2.4, node specificity: one over its passages.
    weight: dict[tuple[int, int], float] = {}
    names: dict[tuple[int, int], str] = {}
    for name, (part, phrase, _) in found:
        held = int(graphs[part].passages_of[phrase]) if config.specificity else 1
        weight[part, phrase] = 1.0 / held
        names.setdefault((part, phrase), name)
    total = sum(weight.values())
    resets = [np.zeros(graph.n_phrases) for graph in graphs]
    for (part, phrase), value in weight.items():
        resets[part][phrase] = value
    masses = spread([graph.phrases_only for graph in graphs], resets, config.damping, engine)
    # Section 2.3, "retrieval": a passage gathers the mass of the phrases of its facts.
    scores = min_max(
        [_gathered(graph, mass, len(c)) for graph, mass, c in zip(graphs, masses, cosines, strict=True)]
    )
    if config.ensemble and min(cosine for _, (_, _, cosine) in found) <= config.ensemble_threshold:
        # Appendix: where an entity is linked badly, the walk and the dense scores count half each.
        scores = [0.5 * walked + 0.5 * near for walked, near in zip(scores, min_max(cosines), strict=True)]
    seeds = tuple(
        Seed(_name(graphs, shown, part, phrase), value / total, "embedding", names[part, phrase])
        for (part, phrase), value in sorted(weight.items(), key=lambda item: (-item[1], item[0]))
        if shown is None or shown[part].phrases[phrase]
    )
    return Ranked(scores, masses, seeds)


def _name(graphs: Sequence[PhraseGraph], shown: Sequence[Shown] | None, part: int, phrase: int) -> str:
    return graphs[part].names[phrase] if shown is None else shown[part].name(phrase)


def _nearest(graphs: Sequence[PhraseGraph], vector: NDArray[np.float32]) -> tuple[int, int, float] | None:
    best = best_of([similarities(graph.vectors, vector) for graph in graphs], 1)
    return best[0] if best else None


def _gathered(graph: PhraseGraph, mass: NDArray[np.float64], n_passages: int) -> NDArray[np.float64]:
    mentions = graph.mentions
    passage = np.repeat(np.arange(n_passages), np.diff(mentions.indptr))
    weights = mentions.weights * mass[mentions.indices]
    return np.bincount(passage, weights=weights, minlength=n_passages).astype(np.float64)
