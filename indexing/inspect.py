"""What an index holds, in numbers: counts, bytes, models, failures."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from hipporag_like.indexing.index import Index, Segment
from hipporag_like.store.connection import JOURNAL_NAME
from hipporag_like.store.journal import Journal
from hipporag_like.store.snapshot import FORMAT

COUNTS = ("documents", "passages", "entities", "facts", "mentions", "synonyms", "triples")
FAILURES_SHOWN = 20
TOP_ENTITIES = 10

# The first pattern that an array's name starts with decides; the names are those of ``assemble``.
_FAMILIES = (
    ("vectors", re.compile(r"(entity|fact|passage)_(vectors|codes)|near_|fact_(signs|steps|scales)")),
    ("change", re.compile(r"census|spelled|form|mention_|document_stamp")),
    ("lexical", re.compile(r"term|posting|passage_length")),
    ("metadata", re.compile(r"field|document_metadata")),
    ("names", re.compile(r"entity_(name|key)|trigram|triple_")),
    ("graph", re.compile(r"entity|fact|synonyms|passage_facts|title")),
    ("texts", re.compile(r"passage|document")),
)


def stats(index: Index | None, folder: Path) -> dict[str, Any]:
    """Return what an index holds, as JSON values in a fixed order.

    Parameters
    ----------
    index
        Open for reading; None where nothing was published yet, so that only the journal can tell.
    folder
        The index folder.

    Returns
    -------
    dict
        Counts over all namespaces (``documents`` to ``triples``); ``snapshot`` and ``format`` numbers;
        ``up_to_date``: whether the snapshot holds all that the journal does, None without a journal;
        ``models``; ``bytes`` by file and array family; ``namespaces`` with counts, bytes and the entities
        with most passages; ``failures`` with their number and the reasons of the first 20; ``config``.

    Raises
    ------
    IndexNotFoundError
        There is nothing in ``folder``.
    """
    folder = Path(folder)
    if index is None:
        return _unpublished(folder)
    manifest, names = index.manifest, sorted(index.segments)
    sizes = {name: _families(index, name) for name in names}
    families: Counter[str] = Counter()
    for size in sizes.values():
        families.update(size)
    failed = manifest["failed"]
    return {
        **{key: sum(manifest["namespaces"][name][key] for name in names) for key in COUNTS},
        "snapshot": index.number,
        "format": FORMAT,
        "up_to_date": _up_to_date(folder, manifest["revision"]),
        "models": {key: manifest[key] for key in ("embedder", "dim", "extractor")},
        "bytes": {
            "journal": _journal_bytes(folder),
            "snapshot": sum(families.values()),
            **{family: families[family] for family in _family_names()},
        },
        "namespaces": {
            name: {
                **{key: manifest["namespaces"][name][key] for key in COUNTS},
                "preset": "light" if index.segments[name].is_light else "full",
                "bytes": sum(sizes[name].values()),
                "top_entities": _top_entities(index.segments[name]),
            }
            for name in names
        },
        "failures": {
            "count": len(failed),
            "first": {source: reason for source, reason in sorted(failed)[:FAILURES_SHOWN]},
        },
        "config": manifest["config"],
    }


def _unpublished(folder: Path) -> dict[str, Any]:
    with Journal.open_readonly(folder) as journal:
        namespaces = journal.namespaces()
        return {
            "documents": sum(namespaces.values()),
            "snapshot": None,
            "format": FORMAT,
            "up_to_date": False,
            "bytes": {"journal": _journal_bytes(folder)},
            "namespaces": {name: {"documents": count} for name, count in namespaces.items()},
        }


def _up_to_date(folder: Path, revision: int) -> bool | None:
    if not (folder / JOURNAL_NAME).is_file():
        return None
    with Journal.open_readonly(folder) as journal:
        return journal.revision() == revision


def _journal_bytes(folder: Path) -> int:
    """Return the size of the journal with its log."""
    files = (folder / (JOURNAL_NAME + end) for end in ("", "-wal", "-shm"))
    return sum(file.stat().st_size for file in files if file.is_file())


def _family_names() -> list[str]:
    return [family for family, _ in _FAMILIES] + ["other"]


def _families(index: Index, namespace: str) -> Counter[str]:
    """Return the bytes on disk of each family of arrays."""
    sizes: Counter[str] = Counter()
    for array, (_, entry) in index.snapshot.entries(namespace).items():
        family = next((name for name, pattern in _FAMILIES if pattern.match(array)), "other")
        sizes[family] += entry.nbytes
    return sizes


def _top_entities(segment: Segment) -> dict[str, int]:
    """Return the passages of the entities that have most; of equals the first by key."""
    passages = segment.array("entity_passages")
    best = np.lexsort((np.arange(len(passages)), -passages.astype(np.int64)))[:TOP_ENTITIES]
    return dict(zip(segment.entity_names.take(best), passages[best].tolist(), strict=True))
