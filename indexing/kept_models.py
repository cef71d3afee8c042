"""Stand-ins for the models of an index: they give what the journal kept, and call nothing.

With them an index is made again from its journal by anyone, without its weights, keys, files or servers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import ModelError
from hipporag_like.indexing.build import Models
from hipporag_like.models.protocols import Embedder, TextKind
from hipporag_like.store.journal import Journal
from hipporag_like.text import content_hash
from hipporag_like.types import Extraction, Passage

# What extractors name a passage by: its text, its title too, or its place too (models/*.py, ``Extractor.key``).
_SAMPLE = 50  # passages that tell which


class KeptExtractor:
    """An ``Extractor`` that knows what another one found.

    Parameters
    ----------
    journal
        Open.
    fingerprint
        Of the extractor that the index was made with.
    """

    def __init__(self, journal: Journal, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self._failed = journal.failed_extractions(fingerprint)
        self._parts = _key_parts(journal, fingerprint, self._failed)

    def key(self, passage: Passage) -> str:
        """Return the key by which the journal knows the passage's extraction."""
        return content_hash(*_parts(passage)[self._parts])

    def extract(self, passages: Sequence[Passage]) -> Iterator[Extraction]:
        """Yield the failures that were kept; all else is in the journal already.

        Raises
        ------
        ModelError
            A passage was never extracted.
        """
        missing = [passage for passage in passages if self.key(passage) not in self._failed]
        if missing:
            raise ModelError(
                f"the journal lacks the extractions of {len(missing)} passages, among them {missing[0].id!r}, which "
                f"need the extractor {self.fingerprint}; let the index's own models make them with: "
                "hipporag-like repair --models, or HippoRAG(path, extractor=...).repair(models=True)"
            )
        for passage in passages:
            yield Extraction(error=self._failed[self.key(passage)])


class KeptEmbedder:
    """An ``Embedder`` that has nothing to add to the journal's vectors."""

    def __init__(self, fingerprint: str, dim: int) -> None:
        self.fingerprint = fingerprint
        self.dim = dim

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> NDArray[np.float32]:
        """Refuse.

        Raises
        ------
        ModelError
            Always: it is asked for what the journal lacks.
        """
        raise ModelError(
            f"the journal lacks the vectors of {len(texts)} texts or more, which need the embedder "
            f"{self.fingerprint}; let the index's own models make them with: hipporag-like repair --models, "
            "or HippoRAG(path, embedder=...).repair(models=True)"
        )


def kept_models(journal: Journal, made_with: Mapping[str, Any]) -> Models:
    """Return what stands in for the models of an index.

    Parameters
    ----------
    journal
        Open.
    made_with
        ``embedder``, ``dim``, ``extractor`` and ``prompts`` as in the manifest of a snapshot.
    """
    fingerprint, dim = str(made_with["embedder"]), int(made_with["dim"])
    embedder: Embedder = KeptEmbedder(fingerprint, dim)
    return Models(
        extractor=KeptExtractor(journal, str(made_with["extractor"])),
        embedder=lambda: embedder,
        fingerprint=fingerprint,
        dim=dim,
        prompts=dict(made_with.get("prompts", {})),
    )


def _parts(passage: Passage) -> tuple[tuple[str, ...], ...]:
    return (
        (passage.text,),
        (passage.title, passage.text),
        (passage.document_id, str(passage.start), passage.title, passage.text),
    )


def _key_parts(journal: Journal, fingerprint: str, failed: Mapping[str, str]) -> int:
    """Return which of ``_parts`` names the extractions in the journal: the one that finds most of them."""
    passages: list[Passage] = []
    for namespace in journal.namespaces():
        for passage in journal.passages(namespace):
            passages.append(passage)
            if len(passages) >= _SAMPLE:
                break
        if len(passages) >= _SAMPLE:
            break
    found = []
    for number in range(3):
        keys = [content_hash(*_parts(passage)[number]) for passage in passages]
        known = journal.extractions(fingerprint, keys).keys() | failed.keys()
        found.append(sum(key in known for key in keys))
    return found.index(max(found))
