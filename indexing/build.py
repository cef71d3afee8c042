"""The recipe: documents -> journal -> extractions -> vectors -> arrays -> published snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from hipporag_like.config import Config
from hipporag_like.errors import IndexCorruptError, IndexNotFoundError, IndexOutdatedError
from hipporag_like.indexing.assemble import assemble
from hipporag_like.indexing.beside import beside
from hipporag_like.indexing.census import Census
from hipporag_like.indexing.change import Change, compare
from hipporag_like.indexing.collecting import paused
from hipporag_like.indexing.corpus import empty
from hipporag_like.indexing.embed import CachedEmbedding
from hipporag_like.indexing.extract import extract_missing
from hipporag_like.indexing.index import Index, Segment
from hipporag_like.indexing.ingest import Ingested, chunk_fingerprint, ingest, recut
from hipporag_like.indexing.live import Gone, gone_from, prune, prune_gone
from hipporag_like.indexing.notes import (
    is_untidy,
    note_config,
    note_made_with,
    note_tidy,
    note_untidy,
    open_journal,
)
from hipporag_like.indexing.phrases import Phrases, collect_phrases
from hipporag_like.indexing.renew import Source, renew
from hipporag_like.indexing.state import census_arrays, corpus_of, stamps
from hipporag_like.indexing.vectors import Blocks
from hipporag_like.models.protocols import Embedder, Extractor
from hipporag_like.progress import Track
from hipporag_like.store.codec import canonical_json
from hipporag_like.store.connection import corrupt
from hipporag_like.store.journal import Journal
from hipporag_like.store.lock import WriterLock
from hipporag_like.store.snapshot import Snapshot, SnapshotWriter, open_snapshot, remove_old_snapshots
from hipporag_like.text import content_hash
from hipporag_like.types import Document, Extraction, Failure, IndexReport, Passage, Usage

# Changes whenever the same journal would give other arrays.
ASSEMBLY = 3
# Passages of an index up to which all texts are looked at when some are deleted: half a second.
LOOK_AT_ALL = 2000


@dataclass(frozen=True, slots=True)
class Models:
    """What indexing calls; ``embedder`` is only called when a vector is missing.

    ``prompts`` are the hashes of the prompts by name, ``usage`` says what models cost so far, by stage; both
    empty where no language model is called.
    """

    extractor: Extractor
    embedder: Callable[[], Embedder]
    fingerprint: str
    dim: int
    prompts: Mapping[str, str] = field(default_factory=dict)
    usage: Callable[[], Mapping[str, Usage]] = dict


@dataclass(slots=True)
class _Run:
    """What one run adds up as it goes."""

    seconds: dict[str, float] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    # Of these, the passages to extract again next time, with their namespaces.
    failed: list[tuple[str, Failure]] = field(default_factory=list)
    extracted: int = 0
    embedded: int = 0
    anew: bool = False  # whether nothing is taken over from the snapshot before, which may be damaged
    gone: list[Gone] = field(default_factory=list)
    all_known: bool = True  # whether ``gone`` names all that is gone
    passages: int = 0

    def known_gone(self) -> list[Gone] | None:
        """Return what documents that are gone left; None where it takes no longer, or is needed, to look at all."""
        return self.gone if self.all_known and self.passages > LOOK_AT_ALL else None

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to a stage; each second counts once, for the innermost stage."""
        start, before = time.perf_counter(), sum(self.seconds.values())
        try:
            yield
        finally:
            inside = sum(self.seconds.values()) - before
            own = time.perf_counter() - start - inside
            self.seconds[stage] = self.seconds.get(stage, 0.0) + own


def index_documents(
    folder: Path,
    documents: Iterable[Document | str],
    config: Config,
    models: Models,
    track: Track,
    failures: Sequence[Failure] = (),
) -> IndexReport:
    """Bring an index up to date with documents and publish it.

    Parameters
    ----------
    folder
        The index; made where it is missing.
    documents
        New, changed or unchanged ones; those of the index that are not among them stay.
    config, models
        How to index.
    track
        Told about progress.
    failures
        What could not even be loaded; goes into the report.

    Raises
    ------
    IndexLockedError
        Another writer is at work.
    StoreError
        The folder cannot be written.
    """
    run = _Run(failures=list(failures))
    with WriterLock(folder), open_journal(folder) as journal:
        note_config(journal, config)
        run.all_known = not is_untidy(journal)
        before = journal.revision()
        with run.timed("documents"):
            found = ingest(journal, documents, config.chunk, track)
            touched = None if _stale(folder, before, config, models) else found.touched
            if touched is None:
                recut(journal, config.chunk, track)
        run.failures += found.failures
        report = _publish(folder, journal, config, models, track, run, touched, found)
        if is_untidy(journal):
            _forget(folder, journal, models, run.known_gone())
        return report


def delete_documents(
    folder: Path,
    keys: Sequence[tuple[str, str]],
    config: Config,
    models: Models,
    track: Track,
    failures: Sequence[Failure] = (),
) -> IndexReport:
    """Delete documents by (namespace, id), with all that was made of them, and publish.

    Raises
    ------
    IndexLockedError
        Another writer is at work.
    """
    run = _Run(failures=list(failures))
    with WriterLock(folder), open_journal(folder) as journal:
        before = journal.revision()
        run.all_known = not is_untidy(journal)
        if keys:
            note_untidy(journal)
        deleted = journal.delete_documents(keys)
        touched = None if _stale(folder, before, config, models) else frozenset(ns for ns, _ in keys)
        if touched is None:
            recut(journal, config.chunk, track)
        nothing = Ingested(0, 0, 0, frozenset(), ())
        report = _publish(folder, journal, config, models, track, run, touched, nothing, deleted)
        if is_untidy(journal):
            _forget(folder, journal, models, run.known_gone())
        return report


def republish(folder: Path, journal: Journal, config: Config, models: Models, track: Track) -> IndexReport:
    """Make every array again from the journal and publish; to be called while holding the ``WriterLock``.

    Parameters
    ----------
    folder
        The index.
    journal
        Its journal, open for writing.
    config, models
        How it was indexed; models are only called for what the journal lacks.
    track
        Told about progress.
    """
    nothing = Ingested(0, 0, 0, frozenset(), ())
    return _publish(folder, journal, config, models, track, _Run(anew=True), None, nothing)


def _forget(folder: Path, journal: Journal, models: Models, gone: Sequence[Gone] | None) -> None:
    """Remove what is left of texts that were deleted or replaced: what was made of them, and the snapshots before.

    ``gone`` is what is known of them; None where all texts have to be looked at.
    """
    if gone is None:
        prune(folder, journal, models.extractor)
    else:
        prune_gone(folder, journal, models.extractor, gone)
    remove_old_snapshots(folder)
    journal.compact()
    note_tidy(journal)


def fingerprint_of(config: Config, models: Models) -> str:
    """Return what identifies everything but the documents that the arrays depend on."""
    shape = {
        "graph": asdict(config.graph),
        "lexical": asdict(config.lexical),
        "extract": asdict(config.extract),
        "preset": config.embed.preset,
    }
    parts = (models.extractor.fingerprint, models.fingerprint, chunk_fingerprint(config.chunk))
    return content_hash(str(ASSEMBLY), canonical_json(shape, "the options"), *parts)


def _current(folder: Path) -> Snapshot | None:
    """Return the published snapshot; None where it is missing, damaged or old: the journal makes it anew."""
    try:
        return open_snapshot(folder)
    except (IndexNotFoundError, IndexCorruptError, IndexOutdatedError):
        return None


def _same_way(snapshot: Snapshot, config: Config, models: Models) -> bool:
    """Return whether a snapshot was made in the way asked for, and nothing failed then."""
    same = snapshot.manifest["fingerprint"] == fingerprint_of(config, models)
    return same and not snapshot.manifest["failed"]


def _stale(folder: Path, revision: int, config: Config, models: Models) -> bool:
    """Return whether the snapshot lags behind the journal, or was made in another way."""
    snapshot = _current(folder)
    if snapshot is None:
        return True
    with snapshot:
        return not _same_way(snapshot, config, models) or snapshot.manifest["revision"] != revision


def _publish(
    folder: Path,
    journal: Journal,
    config: Config,
    models: Models,
    track: Track,
    run: _Run,
    touched: frozenset[str] | None,
    found: Ingested,
    deleted: int = 0,
) -> IndexReport:
    """Write the changed segments, reuse the others, publish; ``touched`` None means all changed."""
    old = None if run.anew else _current(folder)
    try:
        if old is not None and touched is not None and not touched:
            return _report(run, found, deleted, old.number, old.manifest, models.usage())
        fields: dict[str, Any] = {
            "config": config.to_dict(),
            "fingerprint": fingerprint_of(config, models),
            "embedder": models.fingerprint,
            "dim": models.dim,
            "extractor": models.extractor.fingerprint,
            "prompts": dict(models.prompts),
            "journal": journal.identity(),
        }
        note_made_with(journal, fields)
        kept: Mapping[str, Any] = {} if old is None else old.manifest["namespaces"]
        held = None if old is None or not _same_way(old, config, models) else Index(old)
        sizes: dict[str, dict[str, int]] = {}
        with SnapshotWriter(folder) as writer:
            for namespace in sorted(journal.namespaces()):
                if old is not None and touched is not None and namespace not in touched:
                    writer.reuse(namespace, old)
                    sizes[namespace] = dict(kept[namespace])
                    continue
                segment = None if held is None else held.segments.get(namespace)
                sizes[namespace] = _segment(journal, namespace, segment, writer, config, models, track, run)
            run.passages = sum(size["passages"] for size in sizes.values())
            run.all_known &= set(kept) <= set(sizes)  # of a namespace that is gone nothing is noted
            # A triple may be in other words than its passage, so that its words do not lead to it.
            run.all_known &= not any(size["triples"] for size in (*kept.values(), *sizes.values()))
            failed = [[f.source, f.reason, namespace] for namespace, f in run.failed]
            fields |= {"namespaces": sizes, "revision": journal.revision(), "failed": failed}
            with run.timed("publish"):
                number = writer.publish(fields)
        return _report(run, found, deleted, number, fields, models.usage())
    finally:
        if old is not None:
            old.close()


def _segment(
    journal: Journal,
    namespace: str,
    segment: Segment | None,
    writer: SnapshotWriter,
    config: Config,
    models: Models,
    track: Track,
    run: _Run,
) -> dict[str, int]:
    """Write one namespace, from its segment before where there is one."""

    def extract(ids: Sequence[str] | None) -> None:
        with run.timed("extract"):
            texts, again = (_passages(journal, namespace, ids) for _ in range(2))
            extracted = extract_missing(journal, models.extractor, texts, again, track)
        run.failures += extracted.failures
        run.failed += [(namespace, failure) for failure in extracted.failures]
        run.extracted += extracted.fresh

    with run.timed("graph"), paused(), beside() as begin:
        # Read and sorted by SQLite, while what is compared with it is read here.
        listing = begin(partial(journal.listing, namespace))
        known = [] if segment is None else stamps(segment)
        change = compare(listing(), known)
        if not change.in_order:
            raise corrupt(journal.path, f"the documents of {namespace!r} are out of order")
    extract(None if segment is None else change.new)
    source = Source(journal, namespace, models.extractor, extract)
    cache = CachedEmbedding(journal, models.embedder, models.fingerprint, models.dim, track)

    def embed(texts: Sequence[str]) -> Any:
        with run.timed("embed"):
            return cache(texts)

    with run.timed("graph"):
        held = empty if segment is None else partial(corpus_of, segment)
        renewed = renew(source, segment, held, change, config)
        _note_gone(run, segment, change)
        phrases = phrases_of(source, renewed.census)
        counts, arrays = assemble(renewed.corpus, renewed.before, phrases, config, embed)
        for name, array in chain(arrays, census_arrays(renewed.census)):
            if isinstance(array, Blocks):
                writer.write_blocks(
                    namespace, name, array.dtype, array.shape, array.rows, beside=array.beside
                )
            else:
                writer.write(namespace, name, array)
    run.embedded += cache.embedded
    return asdict(counts)


def _note_gone(run: _Run, segment: Segment | None, change: Change) -> None:
    """Write down what the documents that are gone left; a segment that is made anew does not know."""
    if segment is None:
        run.all_known = False
    elif len(change.gone):
        owner = segment.array("passage_document")
        first, last = np.searchsorted(owner, change.gone), np.searchsorted(owner, change.gone, side="right")
        rows = [row for a, b in zip(first.tolist(), last.tolist(), strict=True) for row in range(a, b)]
        run.gone.append(gone_from(segment, rows))


def _passages(journal: Journal, namespace: str, ids: Sequence[str] | None) -> Iterator[Passage]:
    for document in journal.unordered(namespace) if ids is None else journal.stored(namespace, ids):
        yield from document.passages


def phrases_of(source: Source, census: Census) -> Phrases:
    """Return the phrases of a namespace's triples; nothing is read where there are none."""
    if not census.triples:
        return collect_phrases([])
    triples = (Extraction(triples=e.triples) for batch in source.batches() for e in batch.extractions)
    return collect_phrases(list(triples))


def _report(
    run: _Run,
    found: Ingested,
    deleted: int,
    number: int,
    manifest: Mapping[str, Any],
    usage: Mapping[str, Usage],
) -> IndexReport:
    sizes = list(manifest["namespaces"].values())
    return IndexReport(
        added=found.added,
        updated=found.updated,
        unchanged=found.unchanged,
        deleted=deleted,
        passages=sum(s["passages"] for s in sizes),
        entities=sum(s["entities"] for s in sizes),
        facts=sum(s["facts"] for s in sizes),
        embedded=run.embedded,
        extracted=run.extracted,
        snapshot=number,
        failures=tuple(run.failures),
        seconds={stage: round(value, 3) for stage, value in run.seconds.items()},
        usage=dict(usage),
    )
