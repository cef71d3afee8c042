"""Models that cost nothing and count what they are asked, and a way to compare whole indexes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hipporag_like.config import Config
from hipporag_like.indexing.assemble import Before, Counts, assemble
from hipporag_like.indexing.census import Census
from hipporag_like.indexing.corpus import empty, join
from hipporag_like.indexing.passes import Batch, census_of_batches, context_of, read_batches
from hipporag_like.indexing.phrases import collect_phrases
from hipporag_like.indexing.ragged import Rows2
from hipporag_like.indexing.surfaces import Surfaces
from hipporag_like.indexing.vectors import Blocks, Embed
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.sentences import sentence_spans
from hipporag_like.store.codec import canonical_json
from hipporag_like.store.snapshot import open_snapshot
from hipporag_like.text import content_hash
from hipporag_like.types import Extraction, Mention, Passage

NAME = re.compile(r"[A-Z]\w+(?: [A-Z]\w+)*")


class CountingEmbedder:
    """The hashing embedder, small; keeps every text it was given."""

    def __init__(self, dim: int = 16, fingerprint: str = "") -> None:
        self._inner = HashingEmbedder(dim)
        self.fingerprint = fingerprint or f"counting:{dim}"
        self.dim = dim
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str], kind: str = "passage") -> NDArray[np.float32]:
        self.texts += texts
        return self._inner.embed(texts)


class CapitalExtractor:
    """Runs of capitalised words; keeps the passages it was given, and fails where ``bad`` is in the text."""

    def __init__(self, bad: str = "\x00", fingerprint: str = "capitals") -> None:
        self.fingerprint = fingerprint
        self.bad = bad
        self.passages: list[str] = []

    def key(self, passage: Passage) -> str:
        return content_hash(passage.text)

    def extract(self, passages: Sequence[Passage]) -> Iterator[Extraction]:
        for passage in passages:
            self.passages.append(passage.text)
            if self.bad in passage.text:
                yield Extraction(error="the model gave up")
                continue
            found = tuple(Mention(m.start(), m.end()) for m in NAME.finditer(passage.text))
            yield Extraction(tuple(sentence_spans(passage.text)), found)


@pytest.fixture(scope="session")
def make_embedder() -> type[CountingEmbedder]:
    return CountingEmbedder


@pytest.fixture(scope="session")
def make_extractor() -> type[CapitalExtractor]:
    return CapitalExtractor


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
def extractor() -> CapitalExtractor:
    return CapitalExtractor()


@pytest.fixture(scope="session")
def arrays_of() -> Callable[[Path], dict[tuple[str, str], bytes]]:
    """Read the files of all arrays of the published snapshot, byte for byte."""

    def read(folder: Path) -> dict[tuple[str, str], bytes]:
        with open_snapshot(folder) as snapshot:
            return {
                (group, name): path.read_bytes()
                for group in snapshot.groups
                for name, (path, _) in snapshot.entries(group).items()
            }

    return read


def _assembled(
    passages: Sequence[Passage],
    extractions: Sequence[Extraction],
    config: Config,
    embed: Embed,
) -> tuple[Counts, Census, dict[str, NDArray[Any]]]:
    """Return sizes, census and arrays of passages in memory; blocks of rows are read in order and put together."""
    heads = [p for i, p in enumerate(passages) if i == 0 or p.document_id != passages[i - 1].document_id]
    metadata = [canonical_json(p.metadata, p.document_id) for p in heads]

    def batches() -> Iterator[Batch]:
        if passages:
            yield Batch(passages, extractions, metadata, [p.document_id for p in heads])

    surfaces = Surfaces()
    census = census_of_batches(batches, surfaces)
    context = context_of(census, batches, config.extract)
    light = config.embed.is_light(len(passages))
    found = read_batches(context, batches, surfaces, config.extract, light)
    corpus, origin = join(empty(), found, Rows2(np.arange(len(heads), dtype=np.int64)))
    counts, arrays = assemble(corpus, Before(None, origin), collect_phrases(extractions), config, embed)
    made = {}
    for name, array in arrays:
        if isinstance(array, Blocks):
            blocks = list(array.rows)
            array = np.concatenate(blocks) if blocks else np.zeros(array.shape, array.dtype)  # noqa: PLW2901
        made[name] = array
    return counts, census, made


@pytest.fixture(scope="session")
def assembled() -> Callable[..., tuple[Counts, Census, dict[str, NDArray[Any]]]]:
    return _assembled


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
