"""The torch embedder: one model read by three programs gives one vector."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from hipporag_like.errors import ModelError
from hipporag_like.models.minilm import MiniLM
from hipporag_like.models.weights import find_weights

pytest.importorskip("torch", reason="the extra `local` is not installed")
from hipporag_like.models import local  # noqa: E402
from hipporag_like.models.local import LocalEmbedder  # noqa: E402

TEXTS = ["Who wrote it?", "", "The Rhône rises in the Alps and reaches the sea near Arles.", "stone " * 200]
LONG = " ".join(f"Clause {n} speaks of river {n * 7} and of town {n * 13}." for n in range(90))


@pytest.fixture(scope="module")
def weights() -> Path:
    try:
        return find_weights()
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def bare(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model without what sentence-transformers looks for."""
    folder = tmp_path_factory.mktemp("bare")
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"):
        shutil.copyfile(weights / name, folder / name)
    return folder


def test_sentence_transformers_and_numpy_agree(weights: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="the extra `local` is not installed")
    np.testing.assert_allclose(
        LocalEmbedder(weights).embed(TEXTS), MiniLM(dtype="float32").embed(TEXTS), atol=1e-5
    )


def test_transformers_and_numpy_agree(bare: Path) -> None:
    np.testing.assert_allclose(
        LocalEmbedder(bare).embed(TEXTS), MiniLM(dtype="float32").embed(TEXTS), atol=1e-5
    )


def test_windows_hold_every_word_and_fit(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = LocalEmbedder(bare)
    seen: list[str] = []
    real = embedder._encode

    def watching(windows: list[tuple[int, str]], prompt: str) -> np.ndarray:
        seen.extend(text for _, text in windows)
        return real(windows, prompt)

    monkeypatch.setattr(embedder, "_encode", watching)
    embedder.embed([LONG])
    assert len(seen) > 1
    assert all(len(embedder._offsets(text)) + 2 <= embedder._encoder.window for text in seen)
    assert set(LONG.split()) <= {word for text in seen for word in text.split()}


def test_bfloat16_is_near(bare: Path) -> None:
    halved, whole = LocalEmbedder(bare, dtype="bfloat16"), LocalEmbedder(bare)
    assert (halved.embed(TEXTS) * whole.embed(TEXTS)).sum(1).min() > 0.999
    assert halved.fingerprint != whole.fingerprint


def test_a_model_without_room_for_text_is_refused(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_window", lambda *_: 10)
    with pytest.raises(ModelError, match="under 16 word pieces"):
        LocalEmbedder(bare)


def test_an_unreachable_hub_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def offline(*_: object, **__: object) -> str:
        raise ConnectionError("no route to host\nsecond line")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    with pytest.raises(ModelError, match="no route to host") as caught:
        LocalEmbedder("owner/model")
    assert "\n" not in str(caught.value)
