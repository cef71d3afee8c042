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
from hipporag_like.retrieval.phrase_graph import PhraseGraph
from hipporag_like.retrieval.ranked import Linked, Ranked, best_of, min_max
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
    """
    # Section 3.2, "query to triple": facts by similarity, scaled over all of them.
    similarity = [graph.fact_vectors @ vector for graph in graphs]
    scaled = min_max(similarity)
    facts = [
        Linked(part, number, score, float(similarity[part][number]))
        for part, number, score in best_of(scaled, config.linking_top_k)
    ]
    if keep is not None and facts:
        facts = [facts[i] for i in keep(facts)]
    dense = min_max(cosines)
    if not facts:
        return Ranked(dense, note="no fact bears on the question; the passages' similarity answered instead")
    weights = _phrase_weights(graphs, facts, config)
    # Section 3.3, "seed nodes": the phrases of the facts and, lightly, every passage.
    passages = [config.passage_weight * part for part in dense]
    total = float(sum(part.sum() for part in passages)) + sum(weight for _, _, weight in weights)
    if total <= 0.0:
        return Ranked(dense, note="the facts found weigh nothing; the passages' similarity answered instead")
    masses, scores = [], []
    for part, graph in enumerate(graphs):
        reset = np.concatenate([np.zeros(graph.n_phrases), passages[part]])
        for owner, phrase, weight in weights:
            if owner == part:
                reset[phrase] += weight
        share = float(reset.sum()) / total
        spread_out = spread(graph.whole, reset, config.damping, engine) * share if share > 0 else reset
        masses.append(spread_out[: graph.n_phrases])
        scores.append(spread_out[graph.n_phrases :])
    seeds = tuple(
        Seed(graphs[part].names[phrase], weight / total, "fact") for part, phrase, weight in weights
    )
    return Ranked(scores, masses, seeds, tuple(facts))


def _phrase_weights(
    graphs: Sequence[PhraseGraph], facts: Sequence[Linked], config: HippoConfig
) -> list[tuple[int, int, float]]:
    """Return (part, phrase, weight) of the phrases kept, heaviest first.

    A phrase weighs the mean score of its facts over the passages that hold it.
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
