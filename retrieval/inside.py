"""What a metadata filter lets be seen of a namespace: the passages it allows, their facts, and the entities in these.

The walk itself goes through the whole namespace (docs/decisions/0011): a film of one year leads to its director's
passage of another. What it met on the way outside of the filter is not shown, neither to people nor to models.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.rows import Rows
from hipporag_like.retrieval.mentions import ranges
from hipporag_like.types import Fact

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Inside:
    """The part of a namespace that may be seen.

    Attributes
    ----------
    segment
        The namespace.
    passages
        bool, (n_passages,): those that the filter allows; None where there is no filter.
    """

    segment: Segment
    passages: Mask | None = None

    def facts(self, numbers: NDArray[np.integer]) -> Mask:
        """Return which of some facts stand in a passage that may be seen; bool, (len(numbers),)."""
        if self.passages is None:
            return np.ones(len(numbers), dtype=bool)
        seen: Mask = self.passages[self.segment.array("fact_passage")[numbers]]
        return seen

    def all_facts(self) -> Mask | None:
        """Return which facts of the namespace may be seen, bool, (n_facts,); None where there is no filter."""
        return None if self.passages is None else self.passages[self.segment.array("fact_passage")]

    def entities(self, numbers: NDArray[np.integer]) -> Mask:
        """Return which of some entities a fact that may be seen mentions; bool, (len(numbers),)."""
        if self.passages is None:
            return np.ones(len(numbers), dtype=bool)
        rows = self.segment.entity_facts
        first = rows.indptr[numbers]
        counts = rows.indptr[numbers + 1] - first
        seen = self.facts(rows.edges[ranges(first, counts)] >> rows.bits)
        owner = np.repeat(np.arange(len(numbers)), counts)
        found: Mask = np.bincount(owner[seen], minlength=len(numbers)) > 0
        return found

    def name(self, entity: int) -> str:
        """Return how an entity is shown: by its most frequent spelling in passages that may be seen."""
        segment = self.segment
        if self.passages is None:
            return segment.entity_names[entity]
        facts = segment.entity_facts.row(entity)[0]
        passages = np.unique(segment.array("fact_passage")[facts[self.facts(facts)]])
        starts = segment.array("spelled_indptr")
        first = starts[passages]
        forms = segment.array("spelled_form")[ranges(first, starts[passages + 1] - first)] >> 1
        forms, counts = np.unique(forms[segment.array("form_entity")[forms] == entity], return_counts=True)
        if len(forms) == 0:
            from hipporag_like.indexing.display import spaced

            return spaced(segment.entity_key_strings[entity])
        return segment.strings("form")[int(forms[np.argmax(counts)])]

    def fact(self, number: int) -> Fact:
        """Return one fact, its entities as they may be shown."""
        fact = self.segment.fact(number)
        if self.passages is None:
            return fact
        entities = self.segment.fact_entities.row(number)[0].tolist()
        return replace(fact, entities=tuple(map(self.name, entities)))


def held(rows: Rows, passages: Mask | None, width: int) -> Mask:
    """Return which columns some rows hold; all where no rows are named.

    Parameters
    ----------
    rows
        One row a passage.
    passages
        bool, (n_passages,), or None.
    width
        Number of columns.
    """
    if passages is None:
        return np.ones(width, dtype=bool)
    found = np.zeros(width, dtype=bool)
    found[rows.indices[np.repeat(passages, np.diff(rows.indptr))]] = True
    return found
