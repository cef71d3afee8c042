"""The graph of an index as nodes and edges for other programs: entities, facts, passages and what ties them.

Nodes are named ``NAMESPACE:e0``, ``NAMESPACE:f0``, ``NAMESPACE:p0``: entities, facts and passages by number.
Edges are ``mention`` (entity to fact), ``title`` (entity to the passage whose title it is), ``part`` (fact to
its passage) and ``synonym`` (entity to entity). The walk needs no passages and ties a title straight to the
facts below it; here these ties are taken apart again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import UsageError
from hipporag_like.indexing.index import Index, Segment
from hipporag_like.indexing.rows import Rows

# Name and type of everything a node or an edge may carry; what does not apply to it is left out.
NODE_FIELDS: Mapping[str, type] = {
    "kind": str,  # entity | fact | passage
    "namespace": str,
    "name": str,  # of an entity; the title of a passage
    "text": str,  # of a fact or a passage
    "passages": int,  # that mention an entity
    "passage_id": str,  # of a passage, or of the passage that a fact belongs to
    "document_id": str,  # of a passage
    "subject": str,  # of a fact that is a triple
    "relation": str,
    "object": str,
}
EDGE_FIELDS: Mapping[str, type] = {"kind": str, "weight": float}

Node = tuple[str, dict[str, Any]]
Edge = tuple[str, str, str, float]  # source, target, kind, weight

_CHUNK = 1 << 16  # edges taken from the arrays at once: a few megabytes of Python numbers
# A title entity is never a mere term, so a mention of it weighs at least 1; anything less is rounding.
_LEAST_MENTION = 0.5
_DIGITS = 6  # of a weight; float32 holds 7


def segments_of(index: Index, namespace: str | None) -> list[Segment]:
    """Return the segment of ``namespace``, or all in order of name.

    Raises
    ------
    UsageError
        There is no such namespace.
    """
    if namespace is None:
        return [index.segments[name] for name in sorted(index.segments)]
    if namespace not in index.segments:
        # Their names may be nobody's business who asks for one of them.
        raise UsageError(f"there is no namespace {namespace!r} in the index; stats names those there are")
    return [index.segments[namespace]]


def nodes(segment: Segment) -> Iterator[Node]:
    """Yield entities, facts and passages as (id, fields)."""
    own = segment.namespace
    counts = segment.array("entity_passages").tolist()
    for i, (name, count) in enumerate(zip(segment.entity_names, counts, strict=True)):
        yield f"{own}:e{i}", {"kind": "entity", "namespace": own, "name": name, "passages": count}
    ids = list(segment.passage_ids)
    for i, passage in enumerate(segment.array("fact_passage").tolist()):
        fields = {"kind": "fact", "namespace": own, "text": segment.fact_text(i), "passage_id": ids[passage]}
        triple = segment.triple(i)
        if triple is not None:
            fields |= {"subject": triple.subject, "relation": triple.relation, "object": triple.object}
        yield f"{own}:f{i}", fields
    titles, documents = list(segment.strings("document_title")), list(segment.strings("document_id"))
    owners = segment.array("passage_document").tolist()
    for i, (owner, text) in enumerate(zip(owners, segment.passage_texts, strict=True)):
        fields = {"kind": "passage", "namespace": own, "text": text, "passage_id": ids[i]}
        if titles[owner]:
            fields["name"] = titles[owner]
        yield f"{own}:p{i}", {**fields, "document_id": documents[owner]}


def edges(segment: Segment, title_weight: float) -> Iterator[Edge]:
    """Yield mentions, titles, parts and synonyms.

    Parameters
    ----------
    segment
        The namespace.
    title_weight
        ``graph.title_weight`` of the options that the index was made with.
    """
    own = segment.namespace
    for entity, fact, weight in _mentions(segment, title_weight):
        yield f"{own}:e{entity}", f"{own}:f{fact}", "mention", weight
    titled = segment.array("title_entity").tolist(), segment.array("title_passage").tolist()
    for entity, passage in zip(*titled, strict=True):
        yield f"{own}:e{entity}", f"{own}:p{passage}", "title", float(title_weight)
    for fact, passage in enumerate(segment.array("fact_passage").tolist()):
        yield f"{own}:f{fact}", f"{own}:p{passage}", "part", 1.0
    for entity, other, weight in _synonyms(segment):
        yield f"{own}:e{entity}", f"{own}:e{other}", "synonym", weight


def title_weight_of(index: Index) -> float:
    """Return the weight of a title edge in this index."""
    return float(index.manifest["config"]["graph"]["title_weight"])


def _mentions(segment: Segment, title_weight: float) -> Iterator[tuple[int, int, float]]:
    """Yield entity, fact and weight, without what the title of the fact's passage added to it."""
    rows, owner, n_passages = segment.entity_facts, segment.array("fact_passage"), segment.n_passages
    titles = segment.array("title_entity").astype(np.int64) * n_passages + segment.array("title_passage")
    for start in range(0, len(rows.edges), _CHUNK):
        entity, fact, weight = _part(rows, start)
        titled = np.isin(entity * n_passages + owner[fact], titles)
        weight = weight - title_weight * titled
        keep = ~titled | (weight > _LEAST_MENTION)
        yield from _tuples(entity[keep], fact[keep], weight[keep])


def _synonyms(segment: Segment) -> Iterator[tuple[int, int, float]]:
    """Yield each pair once, the smaller number first."""
    rows = segment.synonyms
    for start in range(0, len(rows.edges), _CHUNK):
        entity, other, weight = _part(rows, start)
        keep = entity < other
        yield from _tuples(entity[keep], other[keep], weight[keep])


def _part(rows: Rows, start: int) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Return row, column and weight of up to ``_CHUNK`` edges."""
    stop = min(start + _CHUNK, len(rows.edges))
    columns, weights = rows.part(start, stop)
    edges = np.arange(start, stop, dtype=rows.indptr.dtype)  # of another type, all starts would be converted
    row = np.searchsorted(rows.indptr, edges, side="right") - 1
    return row.astype(np.int64), columns, weights.astype(np.float64)


def _tuples(
    row: NDArray[np.int64], column: NDArray[np.int32], weight: NDArray[np.float64]
) -> Iterator[tuple[int, int, float]]:
    return zip(row.tolist(), column.tolist(), np.round(weight, _DIGITS).tolist(), strict=True)
