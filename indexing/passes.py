"""Documents of the journal to what is read in them, a batch at a time, so that memory does not grow with the texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from hipporag_like.config import ExtractConfig
from hipporag_like.indexing.census import Census, count
from hipporag_like.indexing.collecting import lasting
from hipporag_like.indexing.context import Context
from hipporag_like.indexing.corpus import Found, empty
from hipporag_like.indexing.gazetteer import Gazetteer
from hipporag_like.indexing.names import Names
from hipporag_like.indexing.packed import pack_texts, stack_texts
from hipporag_like.indexing.ragged import stacked
from hipporag_like.indexing.reading import Reader, Reading
from hipporag_like.indexing.surfaces import Surfaces
from hipporag_like.indexing.terms import mine_terms, share_of_terms
from hipporag_like.indexing.vocabulary import read_tokens
from hipporag_like.types import Extraction, Passage

STARTS = ("facts", "mentions", "titles", "spelled", "terms", "bags")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some documents.

    Attributes
    ----------
    passages, extractions
        Aligned; those of a document stand together.
    metadata, stamps
        Of each document: JSON, and its hash in the journal.
    """

    passages: Sequence[Passage]
    extractions: Sequence[Extraction]
    metadata: Sequence[str]
    stamps: Sequence[str]


Batches = Callable[[], Iterator[Batch]]  # the same each time it is called


def census_of_batches(batches: Batches, surfaces: Surfaces) -> Census:
    """Return the counts of all batches."""
    census = Census()
    with lasting() as settle:
        for batch in batches():
            census.add(count(batch.passages, batch.extractions, surfaces))
            settle()
    return census


def context_of(census: Census, batches: Batches, config: ExtractConfig) -> Context:
    """Return what follows from a census, with the terms that are mined where names are few.

    Parameters
    ----------
    census
        Of all batches.
    batches
        Of the whole corpus; only read where terms are mined.
    config
        Which parts of the second pass run.
    """
    context = Context(census, gazetteer=config.gazetteer)
    if not config.mine_terms or share_of_terms(context.n_names, census.sentences) <= 0:
        return context
    passages: list[Passage] = []
    extractions: list[Extraction] = []
    for batch in batches():
        passages += batch.passages
        extractions += [Extraction(sentences=e.sentences) for e in batch.extractions]
    tokens = read_tokens(passages, extractions)
    terms = [" ".join(tokens.words[w] for w in gram) for gram in mine_terms(tokens, context.n_names)]
    return Context(census, terms, config.gazetteer)


def read_batches(
    context: Context, batches: Batches, surfaces: Surfaces, config: ExtractConfig, bags: bool = False
) -> Found:
    """Return what all batches hold; ``bags`` asks for the words of each fact."""
    reader = Reader(Names(context, surfaces), Gazetteer(context), config.gazetteer, bags)
    readings, texts = [], []
    with lasting() as settle:
        settle()
        for batch in batches():
            readings.append(reader.read(batch.passages, batch.extractions))
            texts.append(pack_texts(batch.passages, batch.metadata, batch.stamps))
            settle()
    return Found(
        texts=stack_texts(texts),
        reading=_stacked_readings(readings),
        keys=reader.names.keys.texts,
        forms=reader.names.forms.texts,
        terms=reader.terms.texts,
    )


def _stacked_readings(parts: Sequence[Reading]) -> Reading:
    """Return the readings of passages that follow each other as one."""
    if not parts:
        return empty().reading
    triples: dict[int, tuple[str, str, str]] = {}
    before = 0
    for part in parts:
        triples.update((before + fact, triple) for fact, triple in part.triples.items())
        before += len(part.start)
    joined: dict[str, Any] = {
        f.name: stacked([getattr(p, f.name) for p in parts], f.name in STARTS)
        for f in fields(Reading)
        if f.name != "triples"
    }
    return Reading(**joined, triples=triples)
