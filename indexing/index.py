"""An index opened for reading: memory-mapped arrays behind names. Nothing is loaded until it is asked for.

One segment a namespace; segments share nothing. A segment's arrays are written by
``hipporag_like.indexing.assemble`` and read here; the two files are the whole array format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.rows import Rows, bits_for
from hipporag_like.indexing.stored import StoredRows
from hipporag_like.store.snapshot import Snapshot
from hipporag_like.store.tables import KeyTable, StringTable
from hipporag_like.types import Fact, Passage, Triple


class Segment:
    """The part of a snapshot that holds one namespace.

    Parameters
    ----------
    snapshot
        An open snapshot.
    namespace
        One of its groups.
    """

    def __init__(self, snapshot: Snapshot, namespace: str) -> None:
        self._snapshot = snapshot
        self._arrays: dict[str, NDArray[Any]] = {}
        self._strings: dict[str, StringTable] = {}
        self.namespace = namespace

    def array(self, name: str) -> NDArray[Any]:
        """Return one array, memory-mapped; a query asks for some hundred."""
        known = self._arrays.get(name)
        if known is None:
            known = self._arrays[name] = self._snapshot.array(self.namespace, name)
        return known

    def stored(self, name: str) -> StoredRows:
        """Return the rows of one array, of which few are wanted at a time."""
        return StoredRows(self.array(name), *self._snapshot.file_of(self.namespace, name))

    def has(self, name: str) -> bool:
        """Return whether there is an array ``name``."""
        return self._snapshot.has(self.namespace, name)

    @property
    def is_light(self) -> bool:
        """Whether facts have codes and entities no vectors; see ``EmbedConfig.preset``."""
        return self.has("fact_signs")

    def strings(self, name: str) -> StringTable:
        """Return one table of texts."""
        known = self._strings.get(name)
        if known is None:
            known = StringTable(self.array(f"{name}_text"), self.array(f"{name}_offset"))
            self._strings[name] = known
        return known

    def keys(self, name: str) -> KeyTable:
        """Return one look-up table from text to row."""
        return KeyTable(self.array(f"{name}_hash"), self.array(f"{name}_row"), self.strings(name))

    def rows(self, name: str) -> Rows:
        """Return one sparse matrix."""
        indptr, values = self.array(f"{name}_indptr"), self.array(f"{name}_weight")
        if self.has(f"{name}_edge"):
            return Rows(indptr, self.array(f"{name}_edge"), values, bits_for(len(values)))
        return Rows(indptr, self.array(f"{name}_index"), values)

    @property
    def n_passages(self) -> int:
        """Number of passages."""
        return len(self.array("passage_document"))

    @property
    def n_entities(self) -> int:
        """Number of entities."""
        return len(self.array("entity_passages"))

    @property
    def n_facts(self) -> int:
        """Number of facts."""
        return len(self.array("fact_passage"))

    @cached_property
    def n_titled(self) -> int:
        """Number of passages whose title names an entity."""
        return int((np.diff(self.array("title_passage"), prepend=-1) > 0).sum())

    @cached_property
    def entity_keys(self) -> KeyTable:
        """Entity key to entity number."""
        return self.keys("entity_key")

    @cached_property
    def entity_key_strings(self) -> StringTable:
        """Canonical key of each entity."""
        return self.strings("entity_key")

    @cached_property
    def entity_names(self) -> StringTable:
        """Display name of each entity."""
        return self.strings("entity_name")

    @cached_property
    def passage_texts(self) -> StringTable:
        """Text of each passage."""
        return self.strings("passage")

    @cached_property
    def passage_ids(self) -> StringTable:
        """Id of each passage."""
        return self.strings("passage_id")

    @property
    def has_phrases(self) -> bool:
        """Whether the index has triples, and so the graph of hipporag and hipporag2."""
        return self.has("phrase_vectors")

    @cached_property
    def phrase_texts(self) -> StringTable:
        """Phrases of the triples; none where there are no triples."""
        return self.strings("phrase") if self.has_phrases else _no_texts()

    @cached_property
    def relation_texts(self) -> StringTable:
        """Distinct triples of phrases, as JSON; none where there are no triples."""
        return self.strings("relation") if self.has_phrases else _no_texts()

    @cached_property
    def passage_relations(self) -> Rows:
        """Passage to the distinct triples it states; weights count how often."""
        return self.rows("passage_relations")

    def relation(self, number: int) -> tuple[str, str, str]:
        """Return one distinct triple of phrases."""
        subject, relation, target = json.loads(self.relation_texts[number])
        return subject, relation, target

    @cached_property
    def terms(self) -> KeyTable:
        """Word to row of the postings."""
        return self.keys("term")

    @cached_property
    def entity_facts(self) -> Rows:
        """Entity to its facts."""
        return self.rows("entity_facts")

    @cached_property
    def fact_entities(self) -> Rows:
        """Fact to its entities."""
        return self.rows("fact_entities")

    @cached_property
    def synonyms(self) -> Rows:
        """Entity to entities that are one with it."""
        return self.rows("synonyms")

    @cached_property
    def _triples(self) -> StringTable:
        return self.strings("triple")

    def title(self, passage: int) -> str:
        """Return the title of a passage's document."""
        return self.strings("document_title")[int(self.array("passage_document")[passage])]

    def passage(self, number: int) -> Passage:
        """Return one passage with all its fields."""
        document = int(self.array("passage_document")[number])
        return Passage(
            id=self.passage_ids[number],
            document_id=self.strings("document_id")[document],
            text=self.passage_texts[number],
            start=int(self.array("passage_start")[number]),
            end=int(self.array("passage_end")[number]),
            title=self.strings("document_title")[document],
            metadata=json.loads(self.strings("document_metadata")[document]),
            namespace=self.namespace,
        )

    def fact_text(self, number: int) -> str:
        """Return the text of one fact: its sentence, or its triple in words."""
        start, end = int(self.array("fact_start")[number]), int(self.array("fact_end")[number])
        if start >= 0:
            return self.passage_texts[int(self.array("fact_passage")[number])][start:end]
        triple = self.triple(number)
        return "" if triple is None else triple.text

    def triple(self, number: int) -> Triple | None:
        """Return the triple of one fact; None where the fact is a sentence."""
        owners = self.array("triple_fact")
        at = int(
            np.searchsorted(owners, owners.dtype.type(number))
        )  # of another type, all would be converted
        if at == len(owners) or int(owners[at]) != number:
            return None
        return Triple(*json.loads(self._triples[at]))

    def fact(self, number: int) -> Fact:
        """Return one fact with its entities' names."""
        entities, _ = self.fact_entities.row(number)
        return Fact(
            id=number,
            text=self.fact_text(number),
            passage_id=self.passage_ids[int(self.array("fact_passage")[number])],
            entities=tuple(self.entity_names.take(entities)),
            triple=self.triple(number),
        )


def _no_texts() -> StringTable:
    return StringTable(np.zeros(0, np.uint8), np.zeros(1, np.int64))


class Index:
    """A whole snapshot: one segment a namespace, and what the snapshot was made with.

    Parameters
    ----------
    snapshot
        An open snapshot; it is closed with the index.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.segments: Mapping[str, Segment] = {name: Segment(snapshot, name) for name in snapshot.groups}

    @property
    def number(self) -> int:
        """The snapshot's number."""
        return self._snapshot.number

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Fingerprints, options, counts and failures, as written by ``indexing.build``."""
        return self._snapshot.manifest

    @property
    def snapshot(self) -> Snapshot:
        """The files behind the index."""
        return self._snapshot

    def close(self) -> None:
        """Let go of the snapshot; arrays handed out stay valid."""
        self._snapshot.close()
