"""Nothing is embedded twice, and what an embedder gives is checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hipporag_like.errors import ModelError
from hipporag_like.indexing import embed as embedding
from hipporag_like.indexing.embed import CachedEmbedding
from hipporag_like.progress import silent
from hipporag_like.store.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "index") as opened:
        yield opened


def cached(journal: Journal, embedder: Any, fingerprint: str = "f", dim: int = 16) -> CachedEmbedding:
    return CachedEmbedding(journal, lambda: embedder, fingerprint, dim, silent)


def test_rows_are_aligned_with_texts(journal: Journal, embedder: Any, make_embedder: Any):
    texts = ["b b b", "a", "", "b b b", "a longer text", "a"]
    expected = make_embedder().embed(texts)
    cache = cached(journal, embedder)
    for _ in range(2):
        vectors = cache(texts)
        assert vectors.dtype == np.float32
        assert np.array_equal(vectors, expected)
    assert sorted(embedder.texts) == sorted(set(texts))
    assert cache.embedded == 4


def test_what_the_journal_holds_is_not_embedded(journal: Journal, embedder: Any, make_embedder: Any):
    cached(journal, embedder)(["a", "b"])

    def never() -> Any:
        raise AssertionError("no model was needed")

    again = CachedEmbedding(journal, never, "f", 16, silent)
    assert np.array_equal(again(["b", "a"]), make_embedder().embed(["b", "a"]))
    assert again([]).shape == (0, 16)
    assert again.embedded == 0


def test_another_model_embeds_anew(journal: Journal, embedder: Any, make_embedder: Any):
    cached(journal, embedder)(["a"])
    other = make_embedder(32)
    assert cached(journal, other, "g", 32)(["a"]).shape == (1, 32)
    assert other.texts == ["a"]


def test_long_texts_come_first_and_batches_are_kept_as_they_finish(
    journal: Journal, embedder: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(embedding, "COMMIT_EVERY", 2)
    steps: list[int] = []

    class Track:
        def __call__(self, label: str, total: int | None) -> Any:
            assert (label, total) == ("embed", 5)
            return self

        def __enter__(self) -> Any:
            return steps.append

        def __exit__(self, *error: object) -> None: ...

    CachedEmbedding(journal, lambda: embedder, "f", 16, Track())(["a", "bbb", "cc", "dddd", "eeeee"])
    assert embedder.texts == ["eeeee", "dddd", "bbb", "cc", "a"]
    assert steps == [2, 2, 1]


def test_an_error_keeps_the_batches_before(journal: Journal, embedder: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedding, "COMMIT_EVERY", 2)

    class Fails:
        def embed(self, texts: Sequence[str], kind: str = "passage") -> np.ndarray:
            if "a" in texts:
                raise MemoryError
            return embedder.embed(texts)

    with pytest.raises(MemoryError):
        cached(journal, Fails())(["a", "bbb", "cc"])
    embedder.texts.clear()
    cached(journal, embedder)(["a", "bbb", "cc"])
    assert embedder.texts == ["a"]


def unit(n: int, dim: int) -> np.ndarray:
    return np.full((n, dim), dim**-0.5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda n: unit(n, 15), r"shape \(2, 15\) where \(2, 16\)"),
        (lambda n: unit(n + 1, 16), r"shape \(3, 16\) where \(2, 16\)"),
        (lambda n: unit(n, 16)[0], r"shape \(16,\)"),
        (lambda n: unit(n, 16) * 2, "not of length 1"),
        (lambda n: unit(n, 16) * 0, "not of length 1"),
        (lambda n: unit(n, 16) * np.nan, "not finite"),
    ],
)
def test_bad_vectors_are_refused_and_not_kept(journal: Journal, embedder: Any, make: Any, message: str):
    class Bad:
        def embed(self, texts: Sequence[str], kind: str = "passage") -> np.ndarray:
            return make(len(texts))

    with pytest.raises(ModelError, match=message):
        cached(journal, Bad())(["a", "b"])
    cached(journal, embedder)(["a", "b"])
    assert sorted(embedder.texts) == ["a", "b"]


def test_doubles_become_floats(journal: Journal):
    class Doubles:
        def embed(self, texts: Sequence[str], kind: str = "passage") -> np.ndarray:
            return unit(len(texts), 16).astype(np.float64)

    assert cached(journal, Doubles())(["a"]).dtype == np.float32
