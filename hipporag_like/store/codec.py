"""Values to what the journal stores and back: canonical JSON, document hashes, compact extractions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hipporag_like.errors import InputError
from hipporag_like.text import content_hash
from hipporag_like.types import Document, Extraction, Mention, MentionKind, Triple

# The place in this tuple is what is stored: only ever append.
_KINDS: tuple[MentionKind, ...] = ("name", "date", "term")
_CODES = {kind: code for code, kind in enumerate(_KINDS)}


def canonical_json(values: Mapping[str, Any], owner: str) -> str:
    """Return ``values`` as JSON text that is equal for equal values.

    Raises
    ------
    InputError
        Something in ``values`` is no JSON value; the message names ``owner``.
    """
    try:
        return json.dumps(
            dict(values), ensure_ascii=False, sort_keys=True, allow_nan=False, separators=(",", ":")
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"the metadata of {owner} cannot be stored ({error}); use only text, finite numbers, true, "
            "false, null, lists and objects with text keys"
        ) from error


def document_metadata(document: Document) -> str:
    """Return the metadata of ``document`` as canonical JSON; see :func:`canonical_json`."""
    return canonical_json(document.metadata, f"document {document.id!r}") if document.metadata else "{}"


def document_hash(document: Document, chunk_fingerprint: str) -> str:
    """Return what tells whether a stored document is up to date: 32 hexadecimal digits.

    Covers title, text, metadata and ``chunk_fingerprint``, so other chunk options chunk again.

    Raises
    ------
    InputError
        The metadata holds something that is no JSON value.
    """
    return content_hash(document.title, document.text, document_metadata(document), chunk_fingerprint)


def sort_key(document: Document) -> str:
    """Return what documents are ordered by: their content, so the order tells nothing of their history."""
    return content_hash(document.title, document.text)


def encode_extraction(extraction: Extraction) -> str:
    """Return a successful extraction as JSON: flat spans, flat mentions, names, flat triples."""
    spans = [offset for span in extraction.sentences for offset in span]
    mentions: list[int] = []
    for mention in extraction.mentions:
        mentions += (mention.start, mention.end, _CODES[mention.kind])
    triples = [part for t in extraction.triples for part in (t.subject, t.relation, t.object)]
    return json.dumps([spans, mentions, extraction.names, triples], ensure_ascii=False, separators=(",", ":"))


def decode_extraction(payload: str) -> Extraction:
    """Return the extraction that :func:`encode_extraction` wrote.

    Raises
    ------
    ValueError
        ``payload`` is nothing that :func:`encode_extraction` writes.
    """
    try:
        spans, mentions, names, triples = json.loads(payload)
        flat, parts = iter(mentions), iter(triples)
        return Extraction(
            sentences=decode_spans(spans),
            mentions=tuple([Mention(a, b, _KINDS[c]) for a, b, c in zip(flat, flat, flat, strict=True)]),
            names=tuple(names),
            triples=tuple([Triple(s, r, o) for s, r, o in zip(parts, parts, parts, strict=True)]),
        )
    except (TypeError, IndexError) as error:
        raise ValueError(f"no stored extraction: {error}") from error


def decode_spans(flat: list[int]) -> tuple[tuple[int, int], ...]:
    """Return ``[start, end, start, end, ...]`` as pairs.

    Raises
    ------
    ValueError
        The number of offsets is odd.
    """
    offsets = iter(flat)
    return tuple(zip(offsets, offsets, strict=True))
