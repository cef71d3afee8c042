"""The first question that a fresh process asks of an index: seconds, and the memory it brings in.

Nothing heavy is imported up here: what opening and asking import is part of the price.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hipporag_like.eval.benchmarks.scale_process import memory_mb

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hipporag_like.models.protocols import TextKind


class Canned:
    """An embedder that knows the vectors of a file, so that no model counts; see ``scale_tasks.warm``."""

    def __init__(self, texts: Sequence[str], vectors: NDArray[np.float32], fingerprint: str) -> None:
        self._place = {text: number for number, text in enumerate(texts)}
        self._vectors = vectors
        self.fingerprint = fingerprint
        self.dim = int(vectors.shape[1])

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> NDArray[np.float32]:
        """Return the vectors of texts that the file holds."""
        found: NDArray[np.float32] = self._vectors[[self._place[text] for text in texts]]
        return found


def first_query(index: str, vectors: str, cold: bool) -> dict[str, Any]:
    """Open an index and ask one question of it by ``graph``.

    Parameters
    ----------
    index
        Folder.
    vectors
        What ``scale_tasks.warm`` kept of the question.
    cold
        Ask the system to forget the index's files first, so that they are read from the disk.
    """
    import json

    import numpy as np

    with np.load(vectors) as kept:
        texts, rows, question = kept["texts"].tolist(), kept["vectors"], str(kept["question"])
    if cold:
        forget_files(Path(index))
    current = (Path(index) / "CURRENT").read_text(encoding="ascii").split()[0]
    manifest = Path(index) / "snapshots" / current / "manifest.json"
    fingerprint = json.loads(manifest.read_bytes())["fields"]["embedder"]
    embedder = Canned(texts, rows, fingerprint)
    before, started = memory_mb(), time.perf_counter()
    from hipporag_like.rag import HippoRAG

    imported = time.perf_counter()
    with HippoRAG(index, embedder=embedder, read_only=True) as rag:
        opened = time.perf_counter()
        hits = rag.retrieve(question, k=5)
        asked = time.perf_counter()
        after = memory_mb()
    return {
        "hits": len(hits),
        "seconds": round(asked - started, 4),
        "seconds_importing": round(imported - started, 4),
        "seconds_opening": round(opened - imported, 4),
        "growth_mb": round(after["all"] - before["all"], 1),
        "growth_own_mb": round(after["own"] - before["own"], 1),
    }


def forget_files(folder: Path) -> None:
    """Ask the system to drop the files of a folder from memory; without effect where it cannot."""
    if not hasattr(os, "posix_fadvise"):
        return
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
