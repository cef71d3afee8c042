"""What an index holds, in numbers: counts, bytes, models, failures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from hipporag_like.indexing.elements import segments_of
from hipporag_like.indexing.index import Index, Segment
from hipporag_like.store.connection import JOURNAL_NAME
from hipporag_like.store.journal import Journal
from hipporag_like.store.snapshot import FORMAT

COUNTS = ("documents", "passages", "entities", "facts", "mentions", "synonyms", "triples")
FAILURES_SHOWN = 20
TOP_ENTITIES = 10

# The first pattern that an array's name starts with decides; the names are those of ``assemble``.
_FAMILIES = (
    ("vectors", re.compile(r"(entity|fact|passage)_(vectors|codes)|near_|fact_(signs|steps)")),
    ("change", re.compile(r"census|spelled|form|mention_|document_stamp")),
    ("lexical", re.compile(r"term|posting|passage_length")),
    ("metadata", re.compile(r"field|document_metadata")),
    ("names", re.compile(r"entity_(name|key)|trigram|triple_")),
    ("graph", re.compile(r"entity|fact|synonyms|passage_facts|title")),
    ("texts", re.compile(r"passage|document")),
)


def stats(index: Index | None, folder: Path, namespace: str | None = None) -> dict[str, Any]:
    """Return what an index holds, as JSON values in a fixed order.

    Parameters
    ----------
    index
        Open for reading; None where nothing was published yet, so that only the journal can tell.
    folder
        The index folder.
    namespace
        Only this one; then nothing is told that depends on the others.

    Returns
    -------
    dict
        Counts over all namespaces (``documents`` to ``triples``); ``snapshot`` and ``format`` numbers;
        ``up_to_date``: whether the snapshot holds all that the journal does, None without a journal;
        ``models``; ``bytes`` by file and array family; ``namespaces`` with counts, bytes and the entities
        with most passages; ``failures`` with their number and the reasons of the first 20; ``config``.
        Of one namespace: its counts, ``format``, ``models``, ``bytes`` of its arrays, ``namespaces`` with it
        alone, its ``failures``, and ``config``.

    Raises
    ------
    IndexNotFoundError
        There is nothing in ``folder``.
    UsageError
        There is no such namespace.
    """
    folder = Path(folder)
    if index is None:
        return _unpublished(folder, namespace)
    manifest, names = index.manifest, [segment.namespace for segment in segments_of(index, namespace)]
    sizes = {name: _families(index, name) for name in names}
    families: Counter[str] = Counter()
    for size in sizes.values():
        families.update(size)
    # How often the index was published, and how large the journal is, is the work of all.
    whole = namespace is None
    failed = [(row[0], row[1]) for row in manifest["failed"] if whole or _is_of(index, names[0], row)]
    return {
        **{key: sum(manifest["namespaces"][name][key] for name in names) for key in COUNTS},
        **({"snapshot": index.number} if whole else {}),
        "format": FORMAT,
        **({"up_to_date": _up_to_date(folder, manifest["revision"])} if whole else {}),
        "models": {key: manifest[key] for key in ("embedder", "dim", "extractor")},
        "bytes": {
            **({"journal": _journal_bytes(folder)} if whole else {}),
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


def _is_of(index: Index, namespace: str, failed: Sequence[str]) -> bool:
    """Return whether a failure is one of a namespace; rows of older versions do not say."""
    if len(failed) > 2:
        return failed[2] == namespace
    return failed[0] in set(index.segments[namespace].passage_ids)


def _unpublished(folder: Path, namespace: str | None) -> dict[str, Any]:
    with Journal.open_readonly(folder) as journal:
        counts = journal.namespaces()
        namespaces = {name: counts[name] for name in counts if namespace in (None, name)}
        return {
            "documents": sum(namespaces.values()),
            "snapshot": None,
            "format": FORMAT,
            "up_to_date": False,
            "bytes": {} if namespace is not None else {"journal": _journal_bytes(folder)},
            "namespaces": {name: {"documents": count} for name, count in namespaces.items()},
        }


def _up_to_date(folder: Path, revision: int) -> bool | None:
    if not (folder / JOURNAL_NAME).is_file():
        return None
    with Journal.open_readonly(folder) as journal:
        return journal.revision() == revision


def _journal_bytes(folder: Path) -> int:
    """Return the size of the journal with its log, which goes at any moment: with the last who uses the journal."""
    size = 0
    for end in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            size += (folder / (JOURNAL_NAME + end)).stat().st_size
    return size


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
