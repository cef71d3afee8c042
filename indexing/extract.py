"""Extractions through the journal: each passage's content is extracted once, failures are tried again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hipporag_like.models.protocols import Extractor
from hipporag_like.progress import Track
from hipporag_like.sentences import sentence_spans
from hipporag_like.store.journal import Journal
from hipporag_like.types import Extraction, Failure, Passage

COMMIT_EVERY = 512  # passages between two commits: half a second of the rules


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
        with track("extract", len(missing)) as advance:
            queue = list(missing.items())
            for at in range(0, len(queue), COMMIT_EVERY):
                part = queue[at : at + COMMIT_EVERY]
                done = list(extractor.extract([passage for _, passage in part]))
                fresh = [(key, extraction) for (key, _), extraction in zip(part, done, strict=True)]
                journal.put_extractions(extractor.fingerprint, fresh)
                known.update(fresh)
                advance(len(part))
        failures = [
            Failure(passage.id, known[key].error or "")
            for key, passage in missing.items()
            if known[key].error is not None
        ]
    return Extracted(
        [_usable(known[k], p) for k, p in zip(keys, passages, strict=True)], failures, len(missing)
    )


def _usable(extraction: Extraction, passage: Passage) -> Extraction:
    if extraction.error is None:
        return extraction
    return Extraction(sentences=tuple(sentence_spans(passage.text)), error=extraction.error)
