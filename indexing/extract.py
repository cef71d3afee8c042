"""Extractions through the journal: each passage's content is extracted once, failures are tried again."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice

from hipporag_like.models.protocols import Extractor
from hipporag_like.progress import Track
from hipporag_like.sentences import sentence_spans
from hipporag_like.store.connection import corrupt
from hipporag_like.store.journal import Journal
from hipporag_like.types import Extraction, Failure, Passage

COMMIT_EVERY = 512  # passages between two commits: half a second of the rules
COMMIT_SECONDS = 2.0  # between two commits of an extractor that takes its time; a commit costs one fsync
# Passages handed to an extractor in one call, and so in memory at a time: one that works on several at once runs dry
# so seldom that it does not matter.
AT_ONCE = 1 << 14


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was extracted now.

    Attributes
    ----------
    failures
        The passages that failed, and why.
    fresh
        How many were extracted now rather than read from the journal.
    """

    failures: list[Failure]
    fresh: int


def extract_missing(
    journal: Journal,
    extractor: Extractor,
    passages: Iterable[Passage],
    again: Iterable[Passage],
    track: Track,
) -> Extracted:
    """Extract the passages whose extraction the journal lacks, and keep it.

    What was made is kept whatever ends the run: an error, an interruption, at worst a kill.

    Parameters
    ----------
    journal
        Open for writing.
    extractor
        Its fingerprint and ``key`` say which stored extractions hold.
    passages, again
        The same passages twice: they are read once to find what is missing, and once to extract it.
    track
        Told about the passages extracted.
    """
    missing: set[str] = set()
    for part in _parts(passages):
        keys = list(dict.fromkeys(map(extractor.key, part)))
        missing.update(set(keys) - journal.extracted(extractor.fingerprint, keys))
    fresh, failures = len(missing), []
    if missing:
        with track("extract", fresh) as advance:
            for part in _parts(again):
                wanted = {key: p for p in part if (key := extractor.key(p)) in missing}
                missing.difference_update(wanted)
                with closing(_made(journal, extractor, wanted)) as made:
                    for key, extraction in made:
                        if extraction.error is not None:
                            failures.append(Failure(wanted[key].id, extraction.error))
                        advance(1)
    return Extracted(failures, fresh)


def kept_extractions(journal: Journal, extractor: Extractor, passages: Sequence[Passage]) -> list[Extraction]:
    """Return the extraction of every passage.

    That of one that failed holds the passage's sentences, so that the passage can still be found by its text.

    Raises
    ------
    IndexCorruptError
        The journal has lost one: of every passage it holds that it was extracted, or failed.
    """
    keys = [extractor.key(passage) for passage in passages]
    known = journal.extractions(extractor.fingerprint, list(dict.fromkeys(keys)))
    lacking = sorted(set(keys) - known.keys())
    lost = set(lacking) - journal.extracted(extractor.fingerprint, lacking, "failed")
    if lost:
        raise corrupt(journal.path, f"it lost the extractions of {len(lost)} passages")
    return [
        known[key] if key in known else Extraction(sentences=tuple(sentence_spans(passage.text)))
        for key, passage in zip(keys, passages, strict=True)
    ]


def _parts(passages: Iterable[Passage]) -> Iterator[list[Passage]]:
    it = iter(passages)
    while part := list(islice(it, AT_ONCE)):
        yield part


def _made(
    journal: Journal, extractor: Extractor, missing: Mapping[str, Passage]
) -> Generator[tuple[str, Extraction], None, None]:
    """Yield extractions as they are made, and keep them."""
    waiting: list[tuple[str, Extraction]] = []
    kept_at = time.monotonic()
    found = extractor.extract(list(missing.values())) if missing else iter(())
    with ExitStack() as stack:
        if isinstance(found, Generator):
            stack.callback(found.close)  # lets go of threads and calls at once, not when garbage is collected
        try:
            for key, extraction in zip(missing, found, strict=True):
                waiting.append((key, extraction))
                if len(waiting) >= COMMIT_EVERY or time.monotonic() - kept_at >= COMMIT_SECONDS:
                    full, waiting = waiting, []
                    journal.put_extractions(extractor.fingerprint, full)
                    kept_at = time.monotonic()
                yield key, extraction
        finally:
            journal.put_extractions(extractor.fingerprint, waiting)
