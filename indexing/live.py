"""What deleted documents leave behind in the journal, found and removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hipporag_like.indexing.index import Index, Segment
from hipporag_like.indexing.texts import passage_text, relation_text, sentence_text, triple_text
from hipporag_like.indexing.words import words_of
from hipporag_like.models.llm_extractor import paid_key
from hipporag_like.models.protocols import Extractor
from hipporag_like.store.journal import Journal
from hipporag_like.store.snapshot import open_snapshot
from hipporag_like.text import content_hash


def prune(folder: Path, journal: Journal, extractor: Extractor) -> tuple[int, int]:
    """Delete extractions, answers and vectors of texts that the published snapshot no longer holds.

    What a language model was paid for is kept as long as its passage is, whichever extractor is in force now.

    Returns
    -------
    tuple of int
        Extractions and vectors deleted.
    """
    passages = (p for namespace in journal.namespaces() for p in journal.passages(namespace))
    keys = {key for p in passages for key in (extractor.key(p), paid_key(p))}
    with open_snapshot(folder) as snapshot:
        return journal.prune(keys, set(_live_hashes(Index(snapshot))))


def _live_hashes(index: Index) -> Iterator[str]:
    """Yield the hash of every text that was embedded for the snapshot."""
    for segment in index.segments.values():
        yield from map(content_hash, () if segment.is_light else segment.entity_names)
        for text in segment.phrase_texts:
            yield content_hash(text)
        for number in range(len(segment.relation_texts)):
            yield content_hash(relation_text(segment.relation(number)))
        for number in range(segment.n_passages):
            yield content_hash(passage_text(segment.passage(number)))
        texts = _fact_texts(segment)
        yield from map(content_hash, words_of(texts) if segment.is_light else texts)


def _fact_texts(segment: Segment) -> Iterator[str]:
    """Yield what stands for each fact; see ``indexing.assemble.fact_texts``."""
    owners = segment.array("fact_passage")
    for number in range(segment.n_facts):
        text = segment.fact_text(number)
        title = segment.title(int(owners[number]))
        yield (sentence_text if segment.triple(number) is None else triple_text)(title, text)
