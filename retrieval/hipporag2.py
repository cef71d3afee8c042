"""Method ``hipporag2``: question to facts, facts to phrases, a walk over phrases and passages.

Follows Gutiérrez et al. (2025), "From RAG to Memory: Non-Parametric Continual Learning for Large Language Models",
section 3, with the defaults of its appendix; what the paper leaves open is as in its code (OSU-NLP-Group/HippoRAG at
c617143). Where the code has a fault, the algorithm is kept and the fault is not: one fact in all, equal scores and
fewer than five facts are ordinary here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import HippoConfig
from hipporag_like.retrieval.diffusion import spread
from hipporag_like.retrieval.phrase_graph import PhraseGraph, Shown
from hipporag_like.retrieval.ranked import Linked, Ranked, best_of, min_max, similarities
from hipporag_like.types import Seed

# Of the candidates to the numbers of those worth following.
Keep = Callable[[Sequence[Linked]], Sequence[int]]


def rank(
    graphs: Sequence[PhraseGraph],
    vector: NDArray[np.float32],
    cosines: Sequence[NDArray[np.float32]],
    config: HippoConfig,
    keep: Keep | None,
    engine: str,
    shown: Sequence[Shown] | None = None,
) -> Ranked:
    """Return the ranking of all passages; several graphs count as one that has no edges between them.

    Parameters
    ----------
    graphs
        One a namespace.
    vector
        float32, (dim,), unit length: the question.
    cosines
        One float32 array a namespace, (n_passages,): passages' similarity to the question.
    config
        Numbers.
    keep
        Recognition memory (section 3.2); None where facts are not filtered.
    engine
        See ``retrieval.diffusion.spread``.
    shown
        What a filter lets be seen of each namespace: ``keep`` is asked about nothing else, and nothing else is
        named; None means all.
    """
    # Section 3.2, "query to triple": facts by similarity, scaled over all of them.
    similarity = [similarities(graph.fact_vectors, vector) for graph in graphs]
    scaled = min_max(similarity)
    if shown is not None and keep is not None:
        scaled = [np.where(own.facts, part, -np.inf) for own, part in zip(shown, scaled, strict=True)]
    facts = [
        Linked(part, number, score, float(similarity[part][number]))
        for part, number, score in best_of(scaled, config.linking_top_k)
        if score > -np.inf
    ]
    if keep is not None and facts:
        facts = [facts[i] for i in keep(facts)]
    dense = min_max(cosines)
    if not facts:
        return Ranked(dense, note="no fact bears on the question; the passages' similarity answered instead")
    weights = _phrase_weights(graphs, facts, config)
    # Section 3.3, "seed nodes": the phrases of the facts and, lightly, every passage.
    resets = [
        np.concatenate([np.zeros(graph.n_phrases), config.passage_weight * near])
        for graph, near in zip(graphs, dense, strict=True)
    ]
    for part, phrase, weight in weights:
        resets[part][phrase] = weight
    total = float(sum(reset.sum() for reset in resets))
    if total <= 0.0:
        return Ranked(dense, note="the facts found weigh nothing; the passages' similarity answered instead")
    spread_out = spread([graph.whole for graph in graphs], resets, config.damping, engine)
    sizes = [graph.n_phrases for graph in graphs]
    seeds = tuple(
        Seed(
            graphs[part].names[phrase] if shown is None else shown[part].name(phrase), weight / total, "fact"
        )
        for part, phrase, weight in weights
        if weight > 0 and (shown is None or shown[part].phrases[phrase])
    )
    told = tuple(fact for fact in facts if shown is None or shown[fact.part].facts[fact.number])
    return Ranked(
        [mass[size:] for mass, size in zip(spread_out, sizes, strict=True)],
        [mass[:size] for mass, size in zip(spread_out, sizes, strict=True)],
        seeds,
        told,
    )


def _phrase_weights(
    graphs: Sequence[PhraseGraph], facts: Sequence[Linked], config: HippoConfig
) -> list[tuple[int, int, float]]:
    """Return (part, phrase, weight) of the phrases kept, heaviest first.

    A phrase weighs the mean score of its facts over the passages that hold it; a fact counts once for a phrase.
    """
    total: dict[tuple[int, int], float] = {}
    times: dict[tuple[int, int], int] = {}
    for fact in facts:
        graph = graphs[fact.part]
        phrases, _ = graph.fact_phrases.row(fact.number)
        for phrase in phrases.tolist():
            held = int(graph.passages_of[phrase]) if config.specificity else 1
            node = (fact.part, phrase)
            total[node] = total.get(node, 0.0) + fact.score / held
            times[node] = times.get(node, 0) + 1
    weights = [(part, phrase, weight / times[part, phrase]) for (part, phrase), weight in total.items()]
    weights.sort(key=lambda item: (-item[2], item[0], item[1]))
    return weights[: config.linking_top_k]
