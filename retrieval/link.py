"""The question to seeds: entities it names, entities it almost names, and entities of the facts nearest to it.

1. longest n-grams of the question that are entity names;
2. for names not found: the entity spelt nearly so, else the one whose vector is nearest;
3. the facts most similar to the question (HippoRAG 2's query-to-fact linking) seed their entities with a
   small share of the walk's start.

Weights follow node specificity: rare entities count more (HippoRAG, Gutiérrez et al. 2024, section 2.4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval.inside import Inside
from hipporag_like.retrieval.near_facts import nearest_facts
from hipporag_like.retrieval.nearly import Embed, by_meaning, by_spelling
from hipporag_like.text import ARTICLES, STOPWORDS, has_case, is_unspaced, key_of, word_spans
from hipporag_like.types import Seed

MAX_NGRAM = 12
# Measured on three dev sets (docs/decisions/0004): 0.1 of the walk started from facts gains 1
# to 2 points of recall@5 and @10 on MuSiQue and HotpotQA and costs 1 on 2Wiki; 0.2 costs more than it gains.
FACT_SHARE = 0.1
FACTS = 5
FACT_SHARPNESS = 10.0
# A fact this unlike the question says nothing: random English sentences have cosines of -0.1 to 0.2 in the
# default embedder.
MIN_FACT_COSINE = 0.3
# A term mined by statistics is worth this much of a name (see GraphConfig.term_weight).
TERM_SHARE = 0.3
# In a question without capitals a single word names an entity only if it is rare: at most this share.
MAX_SHARE_UNCASED = 0.01

Keep = Callable[[list[str]], list[int]]
Reals = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Linked:
    """Where the walk starts.

    Attributes
    ----------
    entities, mass
        int64 and float64, (n_seeds,), entity numbers ascending; ``mass`` sums to 1, empty where nothing
        was found.
    named
        bool, (n_seeds,): whether the question names the entity, spelt rightly or nearly so.
    seeds
        The same for people, heaviest first; without those that a filter hides.
    """

    entities: NDArray[np.int64]
    mass: NDArray[np.float64]
    named: NDArray[np.bool_]
    seeds: tuple[Seed, ...]


@dataclass(slots=True)
class _Weights:
    """Seed weights being collected, with how each was found."""

    segment: Segment
    weight: dict[int, float] = field(default_factory=dict)
    how: dict[int, tuple[str, str]] = field(default_factory=dict)

    def add(self, entity: int, factor: float, source: str, matched: str) -> None:
        """Add an entity by itself; see :meth:`add_weight`."""
        self.add_weight(entity, factor * specificity(self.segment, entity), source, matched)

    def add_weight(self, entity: int, weight: float, source: str, matched: str) -> None:
        """Add to an entity's weight; the first text that matched it is kept."""
        self.weight[entity] = self.weight.get(entity, 0.0) + weight
        if not self.how.get(entity, ("", ""))[1]:
            self.how[entity] = (source, matched)


def specificity(segment: Segment, entity: int) -> float:
    """Return the seed weight of an entity: idf, damped once more by the square root of its passages.

    ``ln(1 + N/df) / sqrt(df)``: with idf alone recall@10 on MuSiQue is 3 points lower.
    """
    return float(specificities(segment, np.array([entity]))[0])


def specificities(segment: Segment, entities: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the seed weights of entities, float64, (n,); see :func:`specificity`."""
    passages = np.maximum(segment.array("entity_passages")[entities], 1)
    weights = np.log1p(segment.n_passages / passages) / np.sqrt(passages)
    found: NDArray[np.float64] = np.where(
        segment.array("entity_is_term")[entities], weights * TERM_SHARE, weights
    )
    return found


def link(
    segment: Segment,
    question: str,
    vector: NDArray[np.float32],
    embed: Embed,
    keep: Keep | None = None,
    near: NDArray[np.int64] | None = None,
    inside: Inside | None = None,
) -> Linked:
    """Return the seeds of a question.

    Parameters
    ----------
    segment
        The index.
    question
        In words.
    vector
        float32, (dim,): the question's unit vector.
    embed
        One text to its unit vector; called only for names that no spelling matches.
    keep
        Recognition memory (HippoRAG 2, section 3.2): of the texts of the nearest facts to the numbers of
        those worth following; None follows all.
    near
        int64, ascending: passages like the question. Where all facts are too many to be compared with it
        (``retrieval.near_facts``), theirs are; None compares all in any case.
    inside
        What a filter lets be seen: ``keep`` is asked about nothing else, and nothing else is named.
    """
    named = _Weights(segment)
    missing = _ngrams(segment, question, named)
    for name in missing:
        _nearly(segment, name, embed, named)
    by_fact = _Weights(segment)
    inside = inside or Inside(segment)
    found = nearest_facts(segment, vector, FACTS, near, inside if keep is not None else None)
    _facts(by_fact, found, keep, inside)
    return _combine(inside, named, by_fact)


def _ngrams(segment: Segment, question: str, named: _Weights) -> list[str]:
    """Add the entities whose names stand in the question; return the names that were not found."""
    spans = word_spans(question)
    tokens = [token for token, _, _ in spans]
    capital = [question[start].isupper() for _, start, _ in spans]
    rows = _rows_of_ngrams(segment, tokens)
    terms, passages = segment.array("entity_is_term"), segment.array("entity_passages")
    rare = max(5.0, MAX_SHARE_UNCASED * segment.n_passages)
    loose = not any(big and token not in STOPWORDS for token, big in zip(tokens, capital, strict=True))
    covered = [False] * len(tokens)
    at = 0
    while at < len(tokens):
        for n in range(min(MAX_NGRAM, len(tokens) - at), 0, -1):
            row = rows.get((at, n), -1)
            if row < 0:
                continue
            last = at + n - 1
            plain = not capital[last] and _is_plain_word(tokens[at : last + 1])
            if plain and not terms[row] and not (loose and passages[row] <= rare):
                continue
            named.add(row, 1.0, "ngram", question[spans[at][1] : spans[at + n - 1][2]])
            covered[at : at + n] = [True] * n
            at += n - 1
            break
        at += 1
    return _capital_runs(question, spans, capital, covered)


def _is_plain_word(gram: list[str]) -> bool:
    """Return whether an n-gram is one word that would be written with a capital if it were a name.

    An article before it makes no name of it: "an orange" is as little Orange as "orange" is.
    """
    word = gram[-1]
    alone = len(gram) == 1 or (len(gram) == 2 and gram[0] in ARTICLES)
    return alone and has_case(word) and not (word[0].isdigit() or is_unspaced(word))


def _rows_of_ngrams(segment: Segment, tokens: list[str]) -> dict[tuple[int, int], int]:
    """Return the entity of each n-gram (start, length) that is an entity key."""
    keys, places = [], []
    for at in range(len(tokens)):
        for n in range(1, min(MAX_NGRAM, len(tokens) - at) + 1):
            if n == 1 and tokens[at] in STOPWORDS:
                continue
            keys.append(key_of(tokens[at : at + n]))
            places.append((at, n))
    found = segment.entity_keys.find_many(keys).tolist() if keys else []
    return {place: row for place, row in zip(places, found, strict=True) if row >= 0}


def _capital_runs(
    question: str, spans: list[tuple[str, int, int]], capital: list[bool], covered: list[bool]
) -> list[str]:
    """Return runs of capitalised words that no entity covers; a lone first word is no name."""
    runs: list[tuple[int, int]] = []
    for i, (token, _, _) in enumerate(spans):
        if covered[i] or not capital[i] or token in STOPWORDS:
            continue
        if runs and runs[-1][1] == i:
            runs[-1] = (runs[-1][0], i + 1)
        else:
            runs.append((i, i + 1))
    return [question[spans[a][1] : spans[b - 1][2]] for a, b in runs if (a, b) != (0, 1)]


def _nearly(segment: Segment, name: str, embed: Embed, named: _Weights) -> None:
    """Add the entity that is spelt nearly like ``name``, else the one nearest in meaning."""
    key = key_of([token for token, _, _ in word_spans(name)])
    row, ratio = by_spelling(segment, key)
    if row >= 0:
        named.add(row, ratio, "fuzzy", name)
        return
    row, cosine = by_meaning(segment, name, embed)
    if row >= 0:
        named.add(row, cosine, "embedding", name)


def _facts(
    by_fact: _Weights, found: tuple[NDArray[np.int64], Reals], keep: Keep | None, inside: Inside
) -> None:
    segment, (rows, cosines) = by_fact.segment, found
    good = cosines >= MIN_FACT_COSINE
    rows, cosines = rows[good], cosines[good]
    if keep is not None and len(rows):
        kept = keep([segment.fact_text(row) for row in rows.tolist()])
        rows, cosines = rows[kept], cosines[kept]
    if len(rows) == 0:
        return
    share = np.exp(FACT_SHARPNESS * (cosines - cosines[0]))
    texts = [
        segment.fact_text(row) if shown else ""
        for row, shown in zip(rows.tolist(), inside.facts(rows).tolist(), strict=True)
    ]
    for place, entity, edge, rare in entities_of(segment, rows, share / share.sum()):
        by_fact.add_weight(entity, edge * rare, "fact", texts[place])


def entities_of(
    segment: Segment, facts: NDArray[np.integer], share: Reals
) -> list[tuple[int, int, float, float]]:
    """Return, for each entity of each fact: the fact's place, the entity, its edge by the fact's share, its weight.

    Parameters
    ----------
    facts, share
        int64, and float32 or float64, (n,).
    """
    rows = [segment.fact_entities.row(fact) for fact in facts.tolist()]
    place = np.repeat(np.arange(len(rows)), [len(entities) for entities, _ in rows])
    entities = np.concatenate([entities for entities, _ in rows])
    edges = share.astype(np.float64)[place] * np.concatenate([weights for _, weights in rows])
    columns = place, entities, edges, specificities(segment, entities)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _combine(inside: Inside, named: _Weights, by_fact: _Weights) -> Linked:
    """Return the mixture of named and fact seeds; each kind alone where the other found nothing."""
    total_named, total_fact = sum(named.weight.values()), sum(by_fact.weight.values())
    share = 0.0 if total_fact == 0 else (1.0 if total_named == 0 else FACT_SHARE)
    mass: dict[int, float] = {}
    for weights, total, part in ((named, total_named, 1 - share), (by_fact, total_fact, share)):
        for entity, weight in weights.weight.items():
            if part > 0:
                mass[entity] = mass.get(entity, 0.0) + part * weight / total
    entities = sorted(mass)
    how = {**by_fact.how, **named.how}
    numbers = np.array(entities, dtype=np.int64)
    seeds = [
        Seed(inside.name(e), mass[e], how[e][0], how[e][1])  # type: ignore[arg-type]
        for e in sorted(numbers[inside.entities(numbers)].tolist(), key=lambda e: (-mass[e], e))
    ]
    return Linked(
        entities=numbers,
        mass=np.array([mass[e] for e in entities]),
        named=np.array([how[e][0] in ("ngram", "fuzzy") for e in entities], dtype=bool),
        seeds=tuple(seeds),
    )
