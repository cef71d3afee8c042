"""A corpus and its census as arrays of a segment, and back: what the next change starts from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.census import Census, Tally
from hipporag_like.indexing.corpus import Corpus
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.packed import Strings, Texts
from hipporag_like.indexing.postings import NO_COUNTS, Lists, Postings
from hipporag_like.indexing.ragged import starts_of
from hipporag_like.indexing.reading import Reading

Arrays = Iterator[tuple[str, NDArray[Any]]]


def census_arrays(census: Census) -> Arrays:
    """Yield the arrays of a census, sorted by text; what is counted nowhere is left out."""
    totals = (census.passages, census.cased, census.sentences, census.triples)
    yield "census_total", np.array(totals, dtype=np.int64)
    for name, tally in (("word", census.words), ("name", census.keys)):
        (offsets, data), counts = tally.table()
        yield f"census_{name}_text", data
        yield f"census_{name}_offset", offsets
        yield f"census_{name}_count", counts.astype(np.int32)


def census_of(segment: Segment) -> Census:
    """Return the census that a segment was made with."""
    passages, cased, sentences, triples = segment.array("census_total").tolist()
    words, keys = (
        Tally.of_table(_strings(segment, f"census_{name}"), segment.array(f"census_{name}_count"))
        for name in ("word", "name")
    )
    return Census(words, keys, passages, cased, sentences, triples)


def corpus_arrays(corpus: Corpus) -> Arrays:
    """Yield the arrays that hold a corpus."""
    texts, reading = corpus.texts, corpus.reading
    yield "passage_document", texts.owner
    yield "passage_start", texts.start
    yield "passage_end", texts.end
    yield "passage_facts", reading.facts
    lengths = np.diff(reading.facts)
    yield "fact_passage", np.repeat(np.arange(texts.n_passages, dtype=np.int32), lengths)
    yield "fact_start", reading.start
    yield "fact_end", reading.end
    yield "mention_indptr", reading.mentions
    yield "mention_entity", reading.key
    yield "mention_count", reading.count
    titles = np.diff(reading.titles)
    yield "title_passage", np.repeat(np.arange(texts.n_passages, dtype=np.int32), titles)
    yield "title_entity", reading.title
    yield "spelled_indptr", reading.spelled
    yield "spelled_form", reading.form
    yield "form_entity", corpus.form_entity
    yield "form_key", corpus.form_key
    yield "form_first", corpus.form_first
    postings = corpus.postings
    yield "posting_indptr", postings.lists.starts
    yield "posting_passage", postings.lists.row
    yield "posting_count", postings.lists.count
    yield "passage_length", postings.length
    tables: dict[str, Strings] = {
        "passage": texts.text,
        "passage_id": texts.passage_id,
        "document_id": texts.document_id,
        "document_title": texts.title,
        "document_metadata": texts.metadata,
        "document_stamp": texts.stamp,
    }
    for name, strings in tables.items():
        yield f"{name}_text", strings[1]
        yield f"{name}_offset", strings[0]


def corpus_of(segment: Segment) -> Corpus:
    """Return the corpus that a segment holds; of triples and of facts' words, which are never carried over, nothing."""
    array = segment.array
    n = segment.n_passages
    nothing = np.zeros(0, np.int32)
    n_documents = len(array("document_id_offset")) - 1
    texts = Texts(
        documents=np.searchsorted(array("passage_document"), np.arange(n_documents + 1)).astype(np.int64),
        document_id=_strings(segment, "document_id"),
        title=_strings(segment, "document_title"),
        metadata=_strings(segment, "document_metadata"),
        stamp=_strings(segment, "document_stamp"),
        start=array("passage_start"),
        end=array("passage_end"),
        text=_strings(segment, "passage"),
        passage_id=_strings(segment, "passage_id"),
    )
    reading = Reading(
        facts=array("passage_facts"),
        start=array("fact_start"),
        end=array("fact_end"),
        mentions=array("mention_indptr"),
        key=array("mention_entity"),
        count=array("mention_count"),
        titles=starts_of(np.bincount(array("title_passage"), minlength=n)) if n else np.zeros(1, np.int64),
        title=array("title_entity"),
        spelled=array("spelled_indptr"),
        form=array("spelled_form"),
        terms=np.zeros(1, np.int64),
        term=nothing,
        frequency=NO_COUNTS,
        bags=np.zeros(1, np.int64),
        bag=nothing,
        triples={},
    )
    return Corpus(
        texts=texts,
        reading=reading,
        keys=_strings(segment, "entity_key"),
        forms=_strings(segment, "form"),
        form_entity=array("form_entity"),
        form_key=array("form_key"),
        form_first=array("form_first"),
        terms=_strings(segment, "term"),
        postings=Postings(
            Lists(array("posting_indptr"), array("posting_passage"), array("posting_count")),
            array("passage_length"),
        ),
    )


def _strings(segment: Segment, name: str) -> Strings:
    return segment.array(f"{name}_offset"), segment.array(f"{name}_text")


def stamps(segment: Segment) -> list[tuple[str, str]]:
    """Return id and stamp of each document, in order."""
    return list(zip(segment.strings("document_id"), segment.strings("document_stamp"), strict=True))
