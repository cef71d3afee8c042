"""What deleted documents leave behind in the journal, found and removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hipporag_like.indexing.affected import holding
from hipporag_like.indexing.index import Index, Segment
from hipporag_like.indexing.texts import (
    lexical_tokens,
    passage_text,
    relation_text,
    sentence_text,
    triple_text,
)
from hipporag_like.indexing.words import words_of
from hipporag_like.models.llm_extractor import paid_key
from hipporag_like.models.protocols import Extractor
from hipporag_like.store.journal import Journal
from hipporag_like.store.snapshot import open_snapshot
from hipporag_like.text import content_hash, entity_key
from hipporag_like.types import Passage


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


@dataclass(frozen=True, slots=True)
class Gone:
    """What documents that are gone left in the journal, as far as their segment tells.

    Attributes
    ----------
    passages
        Their passages.
    texts
        What was embedded for their facts and entities, now or before others came.
    """

    passages: tuple[Passage, ...]
    texts: tuple[str, ...]


def gone_from(segment: Segment, passages: Sequence[int]) -> Gone:
    """Return what is to be deleted with some passages of a segment."""
    texts = []
    starts, entities = segment.array("passage_facts"), set()
    for number in passages:
        for fact in range(int(starts[number]), int(starts[number + 1])):
            texts.append(_fact_text(segment, fact))
            entities.update(segment.fact_entities.row(fact)[0].tolist())
    if segment.is_light:
        texts = words_of(passage_text(segment.passage(number)) for number in passages)
    else:
        texts += segment.entity_names.take(sorted(entities))
        texts += _spellings(segment, passages)
    return Gone(tuple(segment.passage(number) for number in passages), tuple(texts))


def _spellings(segment: Segment, passages: Sequence[int]) -> list[str]:
    """Return every spelling of a name in some passages; an entity may have been shown by it once."""
    starts, codes = segment.array("spelled_indptr"), segment.array("spelled_form")
    rows = {code >> 1 for n in passages for code in codes[starts[n] : starts[n + 1]].tolist()}
    return segment.strings("form").take(sorted(rows))


def prune_gone(folder: Path, journal: Journal, extractor: Extractor, gone: Sequence[Gone]) -> tuple[int, int]:
    """Delete what is left of documents that are gone, unless others hold the same; returns as :func:`prune`.

    What costs time is looking at texts that share all their words with one that is gone, not the size of the index.
    What has function words only cannot be looked for, says nothing, and stays.
    """
    with open_snapshot(folder) as snapshot:
        segments = list(Index(snapshot).segments.values())
        keys: list[str] = []
        hashes: list[str] = []
        for part in gone:
            for passage in part.passages:
                # An extractor may not look at the title, so that one of the same text under another title counts.
                said = lexical_tokens(passage.text)
                wanted = said or lexical_tokens(passage_text(passage))
                same = [p for segment in segments for p in _like(segment, wanted)]
                own = {paid_key(passage)} if wanted else set()
                own |= {extractor.key(passage)} if said else set()
                keys += own.difference(*({extractor.key(p), paid_key(p)} for p in same))
            texts = {content_hash(text): text for text in (*map(passage_text, part.passages), *part.texts)}
            embedded = sorted(journal.embedded(list(texts)))  # few spellings are
            hashes += [key for key in embedded if not _is_live(segments, texts[key])]
        return journal.forget(list(dict.fromkeys(keys)), list(dict.fromkeys(hashes)))


def _like(segment: Segment, words: Sequence[str]) -> list[Passage]:
    """Return the passages that hold all of some words."""
    return [segment.passage(row) for row in holding(segment, words).tolist()]


def _is_live(segments: Sequence[Segment], text: str) -> bool:
    """Return whether a segment still embeds a text: as a word, the name of an entity, a fact or a passage."""
    key, wanted = entity_key(text), lexical_tokens(text)
    if not wanted:
        return True
    for segment in segments:
        if segment.is_light and segment.terms.find(text) >= 0:
            return True
        entity = -1 if segment.is_light else segment.entity_keys.find(key)
        if entity >= 0 and segment.entity_names[entity] == text:
            return True
        starts = segment.array("passage_facts")
        for row in holding(segment, wanted).tolist():
            facts = range(0) if segment.is_light else range(int(starts[row]), int(starts[row + 1]))
            if passage_text(segment.passage(row)) == text:
                return True
            if any(_fact_text(segment, fact) == text for fact in facts):
                return True
    return False


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
        yield from map(content_hash, _fact_texts(segment))


def _fact_texts(segment: Segment) -> Iterator[str]:
    """Yield what is embedded for facts: each of them, or all words that may stand in one."""
    if segment.is_light:
        yield from words_of(())
        yield from segment.strings("term")
        return
    for number in range(segment.n_facts):
        yield _fact_text(segment, number)


def _fact_text(segment: Segment, number: int) -> str:
    title = segment.title(int(segment.array("fact_passage")[number]))
    written = sentence_text if segment.triple(number) is None else triple_text
    return written(title, segment.fact_text(number))
