"""A corpus in memory to its entities and facts: both passes at once, for a look at what they find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import ExtractConfig
from hipporag_like.indexing.corpus import Corpus, empty, join
from hipporag_like.indexing.display import display
from hipporag_like.indexing.packed import table
from hipporag_like.indexing.passes import Batch, census_of_batches, context_of, read_batches
from hipporag_like.indexing.ragged import Rows2
from hipporag_like.indexing.surfaces import Surfaces
from hipporag_like.indexing.synonyms import aliases
from hipporag_like.types import Extraction, Passage


@dataclass(frozen=True, slots=True)
class Analysis:
    """Entities and facts of one namespace as values and integer arrays.

    Attributes
    ----------
    names, keys
        Display name and canonical key of each entity, sorted by key.
    fact_passage
        int32, (n_facts,): the passage of each fact; non-decreasing.
    fact_start, fact_end
        int32, (n_facts,): character span in the passage; both -1 for a triple.
    triples
        (subject, relation, object) by fact number, for facts that are triples.
    mention_fact, mention_entity, mention_count
        int32, (n_mentions,): which entity stands in which fact, how often; sorted by fact, then entity.
    title_passage, title_entity
        int32, (n_titles,): the entities that a passage's title names.
    alias
        int64, (n_aliases, 2): pairs of entities that are one by their form ("X (band)" and "X").
    is_term
        bool, (n_entities,): known only as a mined term or a noun phrase; neither a name nor a title.
    """

    names: list[str]
    keys: list[str]
    fact_passage: NDArray[np.int32]
    fact_start: NDArray[np.int32]
    fact_end: NDArray[np.int32]
    triples: dict[int, tuple[str, str, str]]
    mention_fact: NDArray[np.int32]
    mention_entity: NDArray[np.int32]
    mention_count: NDArray[np.int32]
    title_passage: NDArray[np.int32]
    title_entity: NDArray[np.int32]
    alias: NDArray[np.int64]
    is_term: NDArray[np.bool_]


def read_corpus(
    passages: Sequence[Passage], extractions: Sequence[Extraction], config: ExtractConfig
) -> Corpus:
    """Return what a corpus in memory holds; the passages of a document stand together.

    Parameters
    ----------
    passages, extractions
        Aligned.
    config
        Which parts of the second pass run.
    """
    changes = [i == 0 or p.document_id != passages[i - 1].document_id for i, p in enumerate(passages)]
    metadata = ["{}"] * sum(changes)

    def batches() -> Iterator[Batch]:
        if passages:
            yield Batch(passages, extractions, metadata, metadata)

    surfaces = Surfaces()
    census = census_of_batches(batches, surfaces)
    found = read_batches(context_of(census, batches, config), batches, surfaces, config)
    documents = Rows2(np.arange(len(found.texts.documents) - 1, dtype=np.int64))
    return join(empty(), found, documents)[0]


def analyse(
    passages: Sequence[Passage], extractions: Sequence[Extraction], config: ExtractConfig
) -> Analysis:
    """Return the entities and facts of a corpus.

    Parameters
    ----------
    passages, extractions
        Aligned; the result does not depend on their order beyond the numbering of passages.
    config
        Which parts of the second pass run.
    """
    corpus = read_corpus(passages, extractions, config)
    reading, shown = corpus.reading, display(corpus)
    return Analysis(
        names=list(table(shown.names)),
        keys=list(table(corpus.keys)),
        fact_passage=_owners(reading.facts),
        fact_start=reading.start,
        fact_end=reading.end,
        triples=reading.triples,
        mention_fact=_owners(reading.mentions),
        mention_entity=reading.key,
        mention_count=reading.count.astype(np.int32),
        title_passage=_owners(reading.titles),
        title_entity=reading.title,
        alias=aliases(corpus),
        is_term=shown.is_term,
    )


def _owners(starts: NDArray[np.int64]) -> NDArray[np.int32]:
    return np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
