"""Triples to the graph of HippoRAG and HippoRAG 2: phrases, passages, and what ties them together.

The graph of the method ``graph`` is another one (``indexing.graph``). This one follows the two papers and their
code: subjects and objects are phrases in plain form; fact edges count how often two phrases stand in one triple;
synonym edges stand in for a fact edge on the same ordered pair; phrases are tied to the passages that state
them. Hand-made differences from the code: letters of every script survive (theirs keeps ASCII only), a
phrase without any is left out, and an edge is one edge, not a copy a run.

Sources: Gutiérrez et al. (2024), "HippoRAG", section 2.3; Gutiérrez et al. (2025), "From RAG to Memory" (HippoRAG
2), sections 3.1 and 3.2; OSU-NLP-Group/HippoRAG at c617143 for what the papers leave open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.neighbours import nearest_neighbours
from hipporag_like.indexing.rows import Rows, rows_of
from hipporag_like.indexing.texts import plain
from hipporag_like.text import is_unspaced
from hipporag_like.types import Extraction

# Synonyms of a phrase at most; the authors' loop stops once it has more than 100.
MOST_SYNONYMS = 101
# A phrase of so few letters and digits gets no synonyms of its own (the authors' rule); scripts written without
# spaces, which need no more for a name, are exempt.
SHORT = 2


@dataclass(frozen=True, slots=True)
class Phrases:
    """What the triples of a namespace speak of.

    Attributes
    ----------
    texts
        Phrases in plain form, sorted.
    relations
        Distinct triples of plain forms, sorted.
    ends
        int32, (n_relations, 2): subject and object of each, as phrase numbers.
    stated
        int32, (n, 2): (passage, relation) for each triple of each passage, in order.
    """

    texts: list[str]
    relations: list[tuple[str, str, str]]
    ends: NDArray[np.int32]
    stated: NDArray[np.int32]


def collect_phrases(extractions: Sequence[Extraction]) -> Phrases:
    """Return the phrases and relations of a namespace, in an order that does not depend on the passages'.

    Parameters
    ----------
    extractions
        One a passage.
    """
    stated = []
    for passage, extraction in enumerate(extractions):
        for triple in dict.fromkeys(extraction.triples):  # one that a model repeats says nothing more
            relation = (plain(triple.subject), plain(triple.relation), plain(triple.object))
            if relation[0] and relation[2]:
                stated.append((passage, relation))
    relations = sorted({relation for _, relation in stated})
    texts = sorted({end for relation in relations for end in (relation[0], relation[2])})
    number = {text: i for i, text in enumerate(texts)}
    place = {relation: i for i, relation in enumerate(relations)}
    return Phrases(
        texts=texts,
        relations=relations,
        ends=np.array([(number[s], number[o]) for s, _, o in relations], dtype=np.int32).reshape(-1, 2),
        stated=np.array([(p, place[relation]) for p, relation in stated], dtype=np.int32).reshape(-1, 2),
    )


def phrase_mentions(phrases: Phrases, n_passages: int) -> Rows:
    """Return passage to phrases; a weight says in how many distinct triples of the passage the phrase stands."""
    distinct = np.unique(phrases.stated, axis=0)
    subject, target = phrases.ends[distinct[:, 1]].T
    once = subject != target  # a triple from a phrase to itself holds it once
    passage = np.concatenate([distinct[:, 0], distinct[once, 0]])
    phrase = np.concatenate([subject, target[once]])
    return rows_of(passage, phrase, np.ones(len(phrase), np.float32), n_passages)


def phrase_graph(
    phrases: Phrases, mentions: Rows, vectors: NDArray[np.float32], n_passages: int, threshold: float
) -> Rows:
    """Return the undirected graph, phrases first, then passages.

    Parameters
    ----------
    phrases, mentions
        See :class:`Phrases` and :func:`phrase_mentions`.
    vectors
        float32, (n_phrases, dim), unit rows.
    n_passages
        Number of passages.
    threshold
        Least cosine of synonyms.

    Returns
    -------
    Rows
        Symmetric, (n_phrases + n_passages) square. A weight is the sum over both directions of an edge, as
        parallel edges of an undirected graph add up.
    """
    n = len(phrases.texts)
    stated = phrases.ends[phrases.stated[:, 1]]
    facts = np.concatenate([stated, stated[:, ::-1]]).astype(np.int64)
    fact_code, fact_count = np.unique(facts[:, 0] * n + facts[:, 1], return_counts=True)
    code, cosine = _synonyms(phrases, vectors, threshold)
    # Assigned, not added: a synonym edge takes the place of a fact edge on the same ordered pair.
    kept = ~np.isin(fact_code, code)
    ordered = np.concatenate([fact_code[kept], code])
    weight = np.concatenate([fact_count[kept].astype(np.float32), cosine])
    start, end = ordered // max(n, 1), ordered % max(n, 1)
    other = start != end
    start, end, weight = start[other], end[other], weight[other]
    passage = np.repeat(np.arange(n_passages, dtype=np.int64) + n, np.diff(mentions.indptr))
    phrase = mentions.indices.astype(np.int64)
    row = np.concatenate([start, end, passage, phrase])
    column = np.concatenate([end, start, phrase, passage])
    ones = np.ones(2 * len(passage), np.float32)
    return rows_of(
        row.astype(np.int32),
        column.astype(np.int32),
        np.concatenate([weight, weight, ones]),
        n + n_passages,
    )


def _synonyms(
    phrases: Phrases, vectors: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return ordered pairs of synonyms as ``first * n + second``, and their cosines."""
    n = len(phrases.texts)
    if n < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    k = min(MOST_SYNONYMS + 1, n)
    cosine, other = nearest_neighbours(vectors, k)
    first = np.repeat(np.arange(n), k).reshape(n, k)
    long = np.array([_is_long(text) for text in phrases.texts])
    good = (cosine >= threshold) & (cosine > 0) & (other >= 0) & (other != first) & long[:, None]
    code = first[good].astype(np.int64) * n + other[good]
    return code, cosine[good].astype(np.float32)


def _is_long(text: str) -> bool:
    return sum(map(str.isalnum, text)) > SHORT or any(map(is_unspaced, text))
