"""A namespace of the journal to a corpus: from the segment before and what has changed, or from the ground up.

What a change costs follows the change: the documents that are new, those that are gone, and those that read
differently because of them. The outcome is the same either way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import Config, ExtractConfig
from hipporag_like.indexing.affected import affected, comparable
from hipporag_like.indexing.assemble import Before
from hipporag_like.indexing.census import Census, count
from hipporag_like.indexing.change import Change
from hipporag_like.indexing.context import Context
from hipporag_like.indexing.corpus import Corpus, Found, Origin, empty, join
from hipporag_like.indexing.extract import kept_extractions
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.passes import Batch, census_of_batches, context_of, read_batches
from hipporag_like.indexing.ragged import Rows2
from hipporag_like.indexing.state import census_of
from hipporag_like.indexing.surfaces import Surfaces
from hipporag_like.indexing.terms import share_of_terms
from hipporag_like.models.protocols import Extractor
from hipporag_like.store.documents import StoredDocument
from hipporag_like.store.journal import Journal
from hipporag_like.types import Extraction, Passage

Wholes = NDArray[np.int64]

# Passages read at a time: their texts, mentions and tokens take some 80 MB. Each time the names of the whole corpus are
# looked through, half a second at a million passages.
BATCH = 8192
# Beyond this share of documents to be read again it is faster to start from the ground up.
MOST_AGAIN = 0.5


@dataclass(frozen=True, slots=True)
class Renewed:
    """A namespace up to date: its corpus, what it is partly taken from, and the counts behind it."""

    corpus: Corpus
    before: Before
    census: Census


@dataclass(frozen=True, slots=True)
class Source:
    """Where documents and what was extracted from them are.

    Attributes
    ----------
    journal, namespace
        What to read.
    extractor
        Whose extractions.
    extract
        Makes those that the journal lacks for documents, by id.
    """

    journal: Journal
    namespace: str
    extractor: Extractor
    extract: Callable[[Sequence[str]], None]

    def batches(self, ids: Sequence[str] | None = None) -> Iterator[Batch]:
        """Yield all documents in order, or those of some ids in the order of the ids."""
        if ids is None:
            yield from self._batched(self.journal.stored(self.namespace))
            return
        for at in range(0, len(ids), BATCH):
            part = ids[at : at + BATCH]
            found = {document.id: document for document in self.journal.stored(self.namespace, part)}
            yield from self._batched(iter([found[i] for i in part]))

    def unordered(self) -> Iterator[Batch]:
        """Yield all documents in the order that is fastest to read."""
        yield from self._batched(self.journal.unordered(self.namespace))

    def _batched(self, documents: Iterator[StoredDocument]) -> Iterator[Batch]:
        waiting: list[StoredDocument] = []
        passages = 0
        for document in documents:
            waiting.append(document)
            passages += len(document.passages)
            if passages >= BATCH:
                yield self._batch(waiting)
                waiting, passages = [], 0
        if waiting:
            yield self._batch(waiting)

    def _batch(self, documents: Sequence[StoredDocument]) -> Batch:
        passages = [passage for document in documents for passage in document.passages]
        extractions = kept_extractions(self.journal, self.extractor, passages)
        return Batch(passages, extractions, [d.metadata for d in documents], [d.stamp for d in documents])

    def kept(self, passages: Sequence[Passage]) -> list[Extraction] | None:
        """Return the extraction of every passage; None where the journal has not all."""
        return kept_extractions(self.journal, self.extractor, passages) if self.has_all(passages) else None

    def has_all(self, passages: Sequence[Passage]) -> bool:
        """Return whether the journal holds the extraction of every passage."""
        keys = list({self.extractor.key(passage) for passage in passages})
        return len(self.journal.extracted(self.extractor.fingerprint, keys)) == len(keys)


def renew(
    source: Source,
    segment: Segment | None,
    held: Callable[[], Corpus],
    change: Change,
    config: Config,
) -> Renewed:
    """Return a namespace up to date.

    Parameters
    ----------
    source
        The journal, which holds the extraction of every passage that is new; of others it may have been lost.
    segment
        The segment before, made in the same way; None where there is none.
    held
        Gives the corpus of the segment.
    change
        How the journal differs from it.
    config
        Which parts of the second pass run, and how facts are embedded.
    """
    if segment is not None and len(change.new) <= MOST_AGAIN * len(change.ids):
        renewed = _updated(source, segment, held(), change, config)
        if renewed is not None:
            return renewed
    if segment is not None:
        source.extract(change.held)
    surfaces = Surfaces()
    census = census_of_batches(source.unordered, surfaces)
    context = context_of(census, source.batches, config.extract)
    light = config.embed.is_light(census.passages)
    found = read_batches(context, source.batches, surfaces, config.extract, light)
    documents = Rows2(np.arange(len(found.texts.documents) - 1, dtype=np.int64))
    corpus, origin = join(empty(), found, documents)
    return Renewed(corpus, Before(None, origin), census)


def _updated(
    source: Source, segment: Segment, held: Corpus, change: Change, config: Config
) -> Renewed | None:
    """Return the namespace made from the segment before; None where that would not be the same or not be worth it."""
    census, surfaces = census_of(segment), Surfaces()
    before = Context(census, gazetteer=config.extract.gazetteer)
    gone = _passages_of(segment, held, change)
    extracted = source.kept(gone)
    if extracted is None:
        return None
    census.add(count(gone, extracted, surfaces), -1)
    for batch in source.batches(change.new):
        census.add(count(batch.passages, batch.extractions, surfaces))
    light = config.embed.is_light(census.passages)
    if light != segment.is_light:
        return None
    now = Context(census, gazetteer=config.extract.gazetteer)
    if not comparable(before, now) or _mines(before, config.extract) or _mines(now, config.extract):
        return None
    again = np.unique(held.texts.owner[affected(before, now, held, segment, source.kept)])
    kept = change.row.copy()
    kept[np.isin(kept, again)] = -1
    ids = [change.ids[i] for i in np.flatnonzero(kept < 0).tolist()]
    if len(ids) > MOST_AGAIN * len(change.ids):
        return None
    source.extract([change.ids[i] for i in np.flatnonzero((kept < 0) & (change.row >= 0)).tolist()])
    found = read_batches(now, _again(source, ids), surfaces, config.extract, light)
    n_held = len(held.texts.documents) - 1
    kept[kept < 0] = n_held + np.arange(len(ids))
    corpus, origin = join(held, found, Rows2(kept))
    twice = np.flatnonzero((change.row >= 0) & (kept >= n_held))
    origin = _embedded(held, found, change.row[twice], kept[twice] - n_held, origin)
    return Renewed(corpus, Before(segment, origin), census)


def _embedded(held: Corpus, found: Found, before: Wholes, now: Wholes, origin: Origin) -> Origin:
    """Return an origin by which documents that were only read again keep the vectors and codes of their texts.

    Where no triples are, every sentence is a fact, so that their facts are those of before; an extraction that was
    lost and made again may have others.

    Parameters
    ----------
    held, found
        The corpus before, and what was read now.
    before, now
        int64: the documents of both that are the same, aligned.
    """
    old, new, nothing = held.reading, found.reading, np.zeros(1, np.int64)
    passages = (
        Rows2(before).inner(held.texts.documents, nothing),
        Rows2(now).inner(found.texts.documents, nothing),
    )
    facts = passages[0].inner(old.facts, nothing), passages[1].inner(new.facts, nothing)
    pairs = (np.diff(old.facts), np.diff(new.facts)), (old.start, new.start), (old.end, new.end)
    rows = passages, facts, facts
    for (was, this), (first, second) in zip(pairs, rows, strict=True):
        if not np.array_equal(was[first.source], this[second.source]):
            return origin
    n_passages, n_facts = held.texts.n_passages, len(old.start)
    return replace(
        origin,
        passages=origin.passages.retaken(n_passages, passages[0].source, passages[1].source),
        facts=origin.facts.retaken(n_facts, facts[0].source, facts[1].source),
    )


def _again(source: Source, ids: Sequence[str]) -> Callable[[], Iterator[Batch]]:
    return lambda: source.batches(ids)


def _mines(context: Context, config: ExtractConfig) -> bool:
    return config.mine_terms and share_of_terms(context.n_names, context.n_sentences) > 0


def _passages_of(segment: Segment, corpus: Corpus, change: Change) -> list[Passage]:
    """Return the passages of documents that are gone."""
    starts = corpus.texts.documents
    return [
        segment.passage(number)
        for row in change.gone.tolist()
        for number in range(int(starts[row]), int(starts[row + 1]))
    ]
