"""Extractions through the journal: each passage's content is extracted once, failures are tried again."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

from hipporag_like.models.protocols import Extractor
from hipporag_like.progress import Track
from hipporag_like.sentences import sentence_spans
from hipporag_like.store.journal import Journal
from hipporag_like.types import Extraction, Failure, Passage

COMMIT_EVERY = 512  # passages between two commits: half a second of the rules
COMMIT_SECONDS = 2.0  # between two commits of an extractor that takes its time; a commit costs one fsync


@dataclass(frozen=True, slots=True)
class Extracted:
    """Extractions aligned with the passages asked for.

    Attributes
    ----------
    extractions
        One a passage. A failed one holds the passage's sentences and its error, so that the passage can
        still be found by its text.
    failures
        The passages that failed, and why.
    fresh
        How many were extracted now rather than read from the journal.
    """

    extractions: list[Extraction]
    failures: list[Failure]
    fresh: int


def extract(journal: Journal, extractor: Extractor, passages: Sequence[Passage], track: Track) -> Extracted:
    """Return the extraction of every passage, making those the journal lacks.

    What was made is kept whatever ends the run: an error, an interruption, at worst a kill.

    Parameters
    ----------
    journal
        Open for writing.
    extractor
        Its fingerprint and ``key`` say which stored extractions hold.
    passages
        Of one namespace.
    track
        Told about the passages extracted.
    """
    keys = [extractor.key(passage) for passage in passages]
    known = journal.extractions(extractor.fingerprint, list(dict.fromkeys(keys)))
    missing = {key: passage for key, passage in zip(keys, passages, strict=True) if key not in known}
    failures = []
    if missing:
        with track("extract", len(missing)) as advance, closing(_made(journal, extractor, missing)) as made:
            for key, extraction in made:
                known[key] = extraction
                advance(1)
        failures = [
            Failure(passage.id, known[key].error or "")
            for key, passage in missing.items()
            if known[key].error is not None
        ]
    return Extracted(
        [_usable(known[k], p) for k, p in zip(keys, passages, strict=True)], failures, len(missing)
    )


def _made(
    journal: Journal, extractor: Extractor, missing: Mapping[str, Passage]
) -> Generator[tuple[str, Extraction], None, None]:
    """Yield extractions as they are made, and keep them."""
    waiting: list[tuple[str, Extraction]] = []
    kept_at = time.monotonic()
    # One call, so that an extractor which works on several passages at once never runs dry in between.
    found = extractor.extract(list(missing.values()))
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


def _usable(extraction: Extraction, passage: Passage) -> Extraction:
    if extraction.error is None:
        return extraction
    return Extraction(sentences=tuple(sentence_spans(passage.text)), error=extraction.error)
