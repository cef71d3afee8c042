"""What one query costs in the way that HippoRAG 2's own code works, on the same passages.

Written from a description of that code, to be measured in the same run as ours where the original cannot be
installed: one undirected igraph over phrases and passages; for each query the scores of all facts, a Python loop over
all passages that looks each of them up twice, one over all nodes, prpack over the whole graph, and a list of all
passages' ranks. Its language model filter is left out, and so are synonym edges, which made-up names have none of: both
make it faster than the original. Gutiérrez et al. (2025), "From RAG to Memory", section 3.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import HippoConfig
from hipporag_like.eval.benchmarks.synthetic import Corpus
from hipporag_like.eval.benchmarks.synthetic_vectors import SyntheticEmbedder
from hipporag_like.eval.benchmarks.timing import spread
from hipporag_like.text import content_hash
from hipporag_like.types import Document, Extraction

TOP = 10


@dataclass
class Standin:
    """An index as that code keeps it: a graph in memory, and everything else in dictionaries of keys.

    Attributes
    ----------
    graph
        igraph, undirected, weighted; vertices are phrases, then passages.
    vertex_of
        Vertex by key.
    rows
        Passage text by key.
    passages_of
        Keys of the passages that hold a phrase, by the phrase's key.
    facts, fact_ends
        float32 unit rows, and the keys of each fact's two phrases.
    passage_keys, passage_vectors, passage_vertices
        Aligned.
    """

    graph: Any
    vertex_of: dict[str, int]
    rows: dict[str, dict[str, str]]
    passages_of: dict[str, set[str]]
    facts: NDArray[np.float32]
    fact_ends: list[tuple[str, str]]
    passage_keys: list[str]
    passage_vectors: NDArray[np.float32]
    passage_vertices: list[int]


def measure(passages: int, limit: int = 10) -> dict[str, Any]:
    """Return the seconds of a query by part, and the recall of the planted gold.

    Parameters
    ----------
    passages
        Size of the made-up corpus.
    limit
        Questions, from the first.
    """
    corpus, embedder = Corpus(passages), SyntheticEmbedder()
    index = build(corpus, embedder)
    questions = corpus.asked()[:limit]
    vectors = embedder.embed([question.question for question in questions], "query")
    parts: dict[str, list[float]] = {}
    shares = []
    for counted in (False, True):
        for question, vector in zip(questions, vectors, strict=True):
            seconds: dict[str, float] = {}
            found = query(index, vector, seconds)
            if counted:
                for part, value in seconds.items():
                    parts.setdefault(part, []).append(value)
                shares.append(len(set(found[:5]) & set(question.supporting)) / len(question.supporting))
    total = [sum(values) for values in zip(*parts.values(), strict=True)]
    return {
        "questions": len(questions),
        "nodes": index.graph.vcount(),
        "edges": index.graph.ecount(),
        "seconds": spread(total),
        "parts": {part: spread(values) for part, values in parts.items()},
        "recall@5": round(100 * float(np.mean(shares)), 1),
    }


def build(corpus: Corpus, embedder: SyntheticEmbedder) -> Standin:
    """Return the graph: phrases named one after the other in a sentence make a fact, as triples would."""
    import igraph

    documents: list[Document] = []
    passages_of: dict[str, set[str]] = {}
    between: dict[tuple[str, str], float] = {}
    fact_texts: list[str] = []
    fact_ends: list[tuple[str, str]] = []
    for batch in corpus.batches():
        for document, extraction in zip(batch.documents, batch.extractions, strict=True):
            key = f"chunk-{document.id}"
            documents.append(document)
            for pair, sentence in _facts(document, extraction):
                fact_ends.append(pair)
                fact_texts.append(sentence)
                between[pair] = between.get(pair, 0.0) + 1.0
                for phrase in pair:
                    passages_of.setdefault(phrase, set()).add(key)
    vertices = [*passages_of, *(f"chunk-{document.id}" for document in documents)]
    vertex_of = {key: number for number, key in enumerate(vertices)}
    edges = [(vertex_of[a], vertex_of[b]) for a, b in between]
    holds = [(vertex_of[key], vertex_of[phrase]) for phrase, keys in passages_of.items() for key in keys]
    graph = igraph.Graph(n=len(vertices), edges=edges + holds, directed=False)
    graph.es["weight"] = [*between.values(), *[1.0] * len(holds)]
    keys = vertices[len(passages_of) :]
    return Standin(
        graph=graph,
        vertex_of=vertex_of,
        rows={key: {"content": document.text} for key, document in zip(keys, documents, strict=True)},
        passages_of=passages_of,
        facts=embedder.embed(fact_texts),
        fact_ends=fact_ends,
        passage_keys=keys,
        passage_vectors=embedder.embed([f"{document.title}\n{document.text}" for document in documents]),
        passage_vertices=[vertex_of[key] for key in keys],
    )


def _facts(document: Document, extraction: Extraction) -> list[tuple[tuple[str, str], str]]:
    found = []
    for begin, end in extraction.sentences:
        inside = [
            "entity-" + content_hash(document.text[mention.start : mention.end].lower())
            for mention in extraction.mentions
            if begin <= mention.start and mention.end <= end
        ]
        sentence = f"{document.title}: {document.text[begin:end]}"
        found += [((a, b), sentence) for a, b in pairwise(inside) if a != b]
    return found


def query(index: Standin, vector: NDArray[np.float32], seconds: dict[str, float]) -> list[str]:
    """Return the ids of the best passages; ``seconds`` is told what each part took."""
    config = HippoConfig()
    clock = time.perf_counter()

    def lap(part: str) -> None:
        nonlocal clock
        seconds[part] = time.perf_counter() - clock
        clock = time.perf_counter()

    facts = _scaled(index.facts @ vector)
    best = np.argsort(facts)[-config.linking_top_k :][::-1].tolist()
    lap("facts")
    weights = _phrase_weights(index, facts, best, config.linking_top_k)
    lap("loop over phrases")
    dense = _scaled(index.passage_vectors @ vector)
    order = np.argsort(dense)[::-1]
    lap("dense")
    reset = weights
    scores: dict[str, float] = {}
    for place, value in zip(order.tolist(), _scaled(dense[order]).tolist(), strict=True):
        key = index.passage_keys[place]
        reset[index.vertex_of[key]] = value * config.passage_weight
        scores[index.rows[key]["content"]] = value * config.passage_weight
    total = sum(reset)
    reset = np.array([value / total if value > 0 else 0.0 for value in reset])
    lap("loop over passages")
    ranks = index.graph.personalized_pagerank(
        damping=config.damping,
        directed=False,
        weights="weight",
        reset=reset.tolist(),
        implementation="prpack",
    )
    lap("prpack")
    mass = np.array([ranks[vertex] for vertex in index.passage_vertices])
    found = np.argsort(mass)[::-1][:TOP].tolist()
    lap("reading the ranks")
    return [index.passage_keys[place].removeprefix("chunk-") for place in found]


def _phrase_weights(
    index: Standin, facts: NDArray[np.float32], best: Sequence[int], most: int
) -> NDArray[np.float64]:
    """Return each node's share of the start: the phrases of the best facts, rare ones more, the best few only."""
    weights = np.zeros(index.graph.vcount())
    times = np.zeros(index.graph.vcount())
    for number in best:
        for phrase in index.fact_ends[number]:
            vertex = index.vertex_of[phrase]
            weights[vertex] += float(facts[number]) / len(index.passages_of[phrase])
            times[vertex] += 1
    weights = np.divide(weights, times, out=weights, where=times > 0)
    kept = set(np.argsort(weights)[-most:].tolist())
    for key, vertex in index.vertex_of.items():
        if weights[vertex] and (vertex not in kept or not key.startswith("entity-")):
            weights[vertex] = 0.0
    return weights


def _scaled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = values.min(), values.max()
    scaled: NDArray[np.float32] = (values - low) / (high - low) if high > low else np.ones_like(values)
    return scaled
