"""Extractor ``openie:FILE``: entities and triples computed elsewhere, by an LLM or by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from hipporag_like.models.located import holds, places, spoken
from hipporag_like.models.openie_file import Row, Rows, read_openie
from hipporag_like.sentences import sentence_spans
from hipporag_like.text import content_hash, squeeze
from hipporag_like.types import Extraction, Passage, Triple


class OpenIEExtractor:
    """Extractor ``openie:FILE``.

    JSON lines ``{"_id", "entities", "triples"}``, found by document id, or the JSON file that OSU's HippoRAG
    writes, found by the passage's text. Where a document was cut into several passages, an entity or triple
    goes to the passages whose text holds it (of a triple: its subject or object), else to the document's
    first passage.

    Parameters
    ----------
    file
        The results.

    Attributes
    ----------
    dropped
        What the file held that could not be used: ``rows``, ``entities``, ``triples``.

    Raises
    ------
    InputError
        The file cannot be read, or is in neither format.
    """

    def __init__(self, file: Path | str) -> None:
        self._file = Path(file)
        self._rows: Rows = read_openie(self._file)
        self.dropped = dict(self._rows.dropped)

    @property
    def fingerprint(self) -> str:
        """The content of the file."""
        return f"openie:1:{self._rows.digest}"

    def key(self, passage: Passage) -> str:
        """Return the hash of the passage's document id, place, title and text."""
        return content_hash(passage.document_id, str(passage.start), passage.title, passage.text)

    def extract(self, passages: Sequence[Passage]) -> Iterator[Extraction]:
        """Yield one extraction a passage, in order; a passage that the file lacks is an error."""
        rows = [self._row(passage) for passage in passages]
        texts = [spoken(passage.text) for passage in passages]
        held = self._held(passages, rows, texts)
        for passage, row, text in zip(passages, rows, texts, strict=True):
            if row is None:
                yield Extraction(error=f"no row for document {passage.document_id!r} in {self._file}")
                continue
            elsewhere = held[passage.document_id] if _is_first(passage) else None
            yield _extraction(passage, row, text, elsewhere)

    def _row(self, passage: Passage) -> Row | None:
        row = self._rows.by_id.get(passage.document_id)
        if row is not None or not self._rows.by_text:
            return row
        for text in (passage.text, f"{passage.title}\n{passage.text}"):
            if (row := self._rows.by_text.get(squeeze(text))) is not None:
                return row
        return self._rows.containing(passage.text)

    def _held(
        self, passages: Sequence[Passage], rows: Sequence[Row | None], texts: Sequence[str]
    ) -> dict[str, set[Triple | str]]:
        """Return by document what its passages hold, among the passages asked for together."""
        held: dict[str, set[Triple | str]] = {}
        for passage, row, text in zip(passages, rows, texts, strict=True):
            found = held.setdefault(passage.document_id, set())
            if row is not None:
                found.update(t for t in row.triples if _holds_triple(text, t))
                found.update(e for e in row.entities if holds(text, e))
        return held


def _is_first(passage: Passage) -> bool:
    return passage.id == f"{passage.document_id}#0" or passage.start == 0


def _holds_triple(text: str, triple: Triple) -> bool:
    return holds(text, triple.subject) or holds(text, triple.object)


def _extraction(passage: Passage, row: Row, text: str, held: set[Triple | str] | None) -> Extraction:
    """Return a passage's part of its document's row; ``held``, for the first, is what any passage holds."""
    triples = tuple(t for t in row.triples if _holds_triple(text, t) or (held is not None and t not in held))
    located = [e for e in row.entities if holds(text, e)]
    missing = [e for e in row.entities if held is not None and e not in held]
    return Extraction(
        sentences=tuple(sentence_spans(passage.text)),
        mentions=tuple(places(passage.text, located)),
        names=tuple(missing),
        triples=triples,
    )
