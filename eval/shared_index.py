"""The index of a data set, made once and shared by all systems, and what making it took."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hipporag_like.errors import IndexCorruptError, IndexNotFoundError, UsageError
from hipporag_like.eval.folders import read_object, write_object
from hipporag_like.eval.machine import peak_mb, start_of_peak
from hipporag_like.eval.questions import Dataset
from hipporag_like.eval.usage import total
from hipporag_like.progress import Track, silent
from hipporag_like.rag import HippoRAG
from hipporag_like.types import Document

FORMAT = 1
_SHOWN = (
    "documents",
    "passages",
    "entities",
    "facts",
    "mentions",
    "synonyms",
    "triples",
    "models",
    "failures",
)


def prepare_index(
    rag: HippoRAG, dataset: Dataset, note: Path, key: str, code: str, progress: Track = silent
) -> tuple[dict[str, Any], bool]:
    """Make the index of a data set, or go on with the one that is there; return its numbers.

    Parameters
    ----------
    note
        Where the numbers are kept: an index that is up to date cannot tell what making it took.
    key
        Of the documents and options that determine the index.
    code
        Of the code; other code looks through the index again, and mends what is of an older format.

    Returns
    -------
    (numbers, made)
        ``rag.stats()`` without options and names; ``build_seconds`` and ``peak_rss_mb``, the highest resident
        memory while it was made, both ``None`` for an index that was there already, as a whole or in part;
        ``bytes`` on disk; ``usage`` by stage; ``documents_without_text``, which cannot be indexed, so they count
        as never found. ``made`` tells whether anything had to be done.

    Raises
    ------
    UsageError
        The index holds documents that are not in the data set.
    StoreError, ModelError
        As ``HippoRAG.index``.
    """
    documents = [document for document in dataset.documents if document.text.strip()]
    there = _documents_there(rag.path)
    if there:
        _require_own(there, documents, rag.path, dataset.name)
    kept = read_object(note) or {}
    if kept.get("key") != key or kept.get("index") != _identity(rag):
        kept = {}
    if kept.get("code") == code:
        return dict(kept["numbers"]), False
    start_of_peak()
    start = time.perf_counter()
    report = rag.index(documents, track=progress)
    seconds = time.perf_counter() - start
    changed = bool(report.added or report.updated)
    numbers = _numbers(rag)
    made_whole = bool(report.added) and not there
    numbers["build_seconds"] = round(seconds, 3) if made_whole else None
    numbers["peak_rss_mb"] = peak_mb() if made_whole else None
    numbers["usage"] = total([report.usage])
    numbers["documents_without_text"] = len(dataset.documents) - len(documents)
    if kept and not changed:  # newer code found nothing to do: what making the index took stands
        numbers |= {name: kept["numbers"][name] for name in ("build_seconds", "peak_rss_mb", "usage")}
    value = {"format": FORMAT, "key": key, "code": code, "index": _identity(rag), "numbers": numbers}
    write_object(note, value, indent=1)
    return numbers, changed


def _numbers(rag: HippoRAG) -> dict[str, Any]:
    stats = rag.stats()
    shown = {name: stats[name] for name in _SHOWN}
    return {**shown, "bytes": stats["bytes"]["journal"] + stats["bytes"]["snapshot"]}


def _identity(rag: HippoRAG) -> Mapping[str, Any] | None:
    """Return what tells one index from another at the same place; ``None`` where there is none to open."""
    try:
        stats = rag.stats()
    except (IndexNotFoundError, IndexCorruptError):
        return None
    same = {name: stats[name] for name in ("documents", "passages", "snapshot", "format", "models")}
    return same if stats["up_to_date"] else None


def _documents_there(folder: Path) -> set[tuple[str, str]]:
    """Return namespace and id of the documents that an index holds already."""
    from hipporag_like.store.journal import Journal

    try:
        with Journal.open_readonly(folder) as journal:
            names = journal.namespaces()
            return {(name, document.id) for name in names for document in journal.documents(name)}
    except IndexNotFoundError:
        return set()


def _require_own(there: set[tuple[str, str]], documents: Sequence[Document], folder: Path, name: str) -> None:
    """Documents of another corpus would be found in the place of the right ones."""
    foreign = there - {(document.namespace, document.id) for document in documents}
    if foreign:
        raise UsageError(
            f"the index {folder} holds {len(foreign):,} documents that are not in {name}, first "
            f"{min(foreign)[1]!r}; use another folder for the indexes"
        )
