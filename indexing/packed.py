"""Texts, documents and passages as columns: numbers, and bytes end to end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.ragged import Rows2, Starts, stacked, starts_of
from hipporag_like.store.tables import StringTable, pack_strings
from hipporag_like.types import Passage

Strings = tuple[Starts, NDArray[np.uint8]]  # where each text starts, and the bytes of all
NO_STRINGS: Strings = (np.zeros(1, np.int64), np.zeros(0, np.uint8))


def strings_of(texts: Sequence[str]) -> Strings:
    """Return texts as bytes end to end."""
    data, offsets = pack_strings(texts)
    return offsets, data


def table(strings: Strings) -> StringTable:
    """Return texts that are decoded when asked for."""
    return StringTable(strings[1], strings[0])


@dataclass(frozen=True, slots=True)
class Texts:
    """Documents and passages.

    Attributes
    ----------
    documents
        int64, (n_documents + 1,): where each document's passages start.
    document_id, title, metadata, stamp
        Of each document; metadata as JSON, ``stamp`` its hash in the journal.
    start, end
        int64, (n_passages,): character span in the document.
    text, passage_id
        Of each passage.
    """

    documents: Starts
    document_id: Strings
    title: Strings
    metadata: Strings
    stamp: Strings
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    text: Strings
    passage_id: Strings

    @property
    def n_passages(self) -> int:
        """Number of passages."""
        return len(self.start)

    @property
    def owner(self) -> NDArray[np.int32]:
        """int32, (n_passages,): the document of each passage."""
        lengths = np.diff(self.documents)
        return np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)


def no_texts() -> Texts:
    """Return the texts of no documents."""
    start, nothing = np.zeros(1, np.int64), np.zeros(0, np.int64)
    no = NO_STRINGS
    return Texts(start, no, no, no, no, nothing, nothing, no, no)


def pack_texts(passages: Sequence[Passage], metadata: Sequence[str], stamps: Sequence[str]) -> Texts:
    """Return passages as columns.

    Parameters
    ----------
    passages
        Those of a document stand together.
    metadata, stamps
        Of each document, in order.
    """
    firsts = [i for i, p in enumerate(passages) if i == 0 or p.document_id != passages[i - 1].document_id]
    heads = [passages[i] for i in firsts]
    return Texts(
        documents=np.array([*firsts, len(passages)], dtype=np.int64),
        document_id=strings_of([p.document_id for p in heads]),
        title=strings_of([p.title for p in heads]),
        metadata=strings_of(metadata),
        stamp=strings_of(stamps),
        start=np.array([p.start for p in passages], dtype=np.int64),
        end=np.array([p.end for p in passages], dtype=np.int64),
        text=strings_of([p.text for p in passages]),
        passage_id=strings_of([p.id for p in passages]),
    )


def merged(old: Texts, new: Texts, documents: Rows2, passages: Rows2) -> Texts:
    """Return chosen rows of two corpora's texts; see :class:`hipporag_like.indexing.ragged.Rows2`."""
    return Texts(
        documents=starts_of(documents.lengths(old.documents, new.documents)),
        document_id=documents.ragged(old.document_id, new.document_id),
        title=documents.ragged(old.title, new.title),
        metadata=documents.ragged(old.metadata, new.metadata),
        stamp=documents.ragged(old.stamp, new.stamp),
        start=passages.flat(old.start, new.start),
        end=passages.flat(old.end, new.end),
        text=passages.ragged(old.text, new.text),
        passage_id=passages.ragged(old.passage_id, new.passage_id),
    )


def stack_texts(parts: Sequence[Texts]) -> Texts:
    """Return the texts of documents that follow each other as one."""
    if not parts:
        return no_texts()
    joined: dict[str, Any] = {}
    for f in fields(Texts):
        values = [getattr(p, f.name) for p in parts]
        if isinstance(values[0], tuple):
            starts = stacked([v[0] for v in values], True)
            joined[f.name] = (starts, np.concatenate([v[1] for v in values]))
        else:
            joined[f.name] = stacked(values, f.name == "documents")
    return Texts(**joined)
