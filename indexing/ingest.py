"""Documents to the journal: what is new or changed is cut into passages and stored, the rest costs a look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from hipporag_like.config import ChunkConfig
from hipporag_like.errors import InputError
from hipporag_like.indexing.chunk import chunk_document
from hipporag_like.indexing.notes import note_untidy
from hipporag_like.progress import Track
from hipporag_like.store.codec import document_hash, document_metadata
from hipporag_like.store.journal import Journal
from hipporag_like.text import content_hash, words
from hipporag_like.types import Document, Failure

COMMIT_EVERY = 1000  # documents between two commits
MAX_NAME = 512  # characters of an id or a namespace
NO_CHARACTER = "which is no character; decode it as UTF-16 first"


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of the documents handed in; ``touched`` are the namespaces that changed."""

    added: int
    updated: int
    unchanged: int
    touched: frozenset[str]
    failures: tuple[Failure, ...]


def chunk_fingerprint(config: ChunkConfig) -> str:
    """Return what identifies how documents are cut."""
    return f"sentences:1:{config.max_tokens}:{config.overlap}"


def ingest(
    journal: Journal, documents: Iterable[Document | str], config: ChunkConfig, track: Track
) -> Ingested:
    """Store documents; of several with one id in one call the last one counts.

    Parameters
    ----------
    journal
        Open for writing.
    documents
        Documents, or plain texts, which get an id from their content.
    config
        How to cut.
    track
        Told about the documents looked at.

    Raises
    ------
    InputError
        Something handed in is neither a document nor a text.
    """
    fingerprint = chunk_fingerprint(config)
    added = updated = unchanged = 0
    touched: set[str] = set()
    failures: list[Failure] = []
    with track("documents", None) as advance:
        for batch in _batches(documents):
            good: dict[tuple[str, str], Document] = {}
            for document in batch:
                reason = _refuse(document)
                if reason:
                    failures.append(Failure(str(document.id) or "(a text without id)", reason))
                else:
                    good[document.namespace, document.id] = document
            known = journal.document_hashes(list(good))
            rows = [d for key, d in good.items() if known.get(key) != document_hash(d, fingerprint)]
            if any((d.namespace, d.id) in known for d in rows):
                note_untidy(journal)
            journal.put_documents([(d, chunk_document(d.text, config)) for d in rows], fingerprint)
            touched.update(d.namespace for d in rows)
            new = sum((d.namespace, d.id) not in known for d in rows)
            added, updated = added + new, updated + len(rows) - new
            unchanged += len(good) - len(rows)
            advance(len(batch))
    return Ingested(added, updated, unchanged, frozenset(touched), tuple(failures))


def checked(documents: Iterable[Document | str]) -> Iterator[tuple[Document, str]]:
    """Yield each document with its id, and why it cannot be indexed; empty where it can.

    Raises
    ------
    InputError
        Something handed in is neither a document nor a text.
    """
    for batch in _batches(documents):
        for document in batch:
            yield document, _refuse(document)


def recut(journal: Journal, config: ChunkConfig, track: Track) -> None:
    """Cut again the stored documents that were cut with other options.

    Parameters
    ----------
    journal
        Open for writing.
    config
        How to cut.
    track
        Told about the documents cut.
    """
    fingerprint = chunk_fingerprint(config)
    for namespace in journal.namespaces():
        known = dict(journal.listing(namespace))
        documents = journal.documents_as_they_lie(namespace)
        stale = [d.id for d in documents if known[d.id] != document_hash(d, fingerprint)]
        if not stale:
            continue
        with track("documents", len(stale)) as advance:
            for at in range(0, len(stale), COMMIT_EVERY):
                part = journal.documents_of(namespace, stale[at : at + COMMIT_EVERY])
                journal.put_documents([(d, chunk_document(d.text, config)) for d in part], fingerprint)
                advance(len(part))


def _batches(documents: Iterable[Document | str]) -> Iterator[list[Document]]:
    if isinstance(documents, (str, Document)):
        raise InputError(
            "index takes a list of documents, got a single one; put it in brackets: index([...])"
        )
    it = iter(documents)
    while batch := list(islice(it, COMMIT_EVERY)):
        yield [_with_id(item) for item in batch]


def _with_id(item: Document | str) -> Document:
    document = Document(text=item) if isinstance(item, str) else item
    if not isinstance(document, Document):
        raise InputError(f"index takes Document values or texts, got {type(item).__name__}")
    if document.id == "" and isinstance(document.text, str) and isinstance(document.title, str):
        return replace(document, id=content_hash(document.title, document.text)[:16])
    return document


def _refuse(document: Document) -> str:
    """Return why a document cannot be indexed; empty where it can."""
    for name, value in (("text", document.text), ("title", document.title)):
        if not isinstance(value, str):
            return f"its {name} must be a text, got {type(value).__name__}"
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return f"its {name} holds half of a surrogate pair, {NO_CHARACTER}"
    for name, value in (("id", document.id), ("namespace", document.namespace)):
        if not isinstance(value, str) or not value or len(value) > MAX_NAME or not value.isprintable():
            return f"its {name} must be 1 to {MAX_NAME} printable characters, got {str(value)[:40]!r}"
    if "\x00" in document.text or "\x00" in document.title:
        return "its text holds NUL bytes, so it is a binary file or wrongly decoded"
    if not words(document.text[:10_000]) and not words(document.text):
        return "it holds no words"
    return _refuse_metadata(document)


def _refuse_metadata(document: Document) -> str:
    if not isinstance(document.metadata, Mapping):
        return f"its metadata must be values by name, got {type(document.metadata).__name__}"
    if not all(isinstance(name, str) for name in document.metadata):
        return "its metadata must have texts as names"
    try:
        document_metadata(document).encode("utf-8")
    except UnicodeEncodeError:
        return f"its metadata holds half of a surrogate pair, {NO_CHARACTER}"
    except InputError as error:
        return str(error)
    return ""
