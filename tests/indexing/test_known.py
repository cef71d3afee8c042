"""What the index embedded is not embedded again to read an answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from hipporag_like import Document, HippoRAG
from hipporag_like.indexing.known import KnownVectors
from hipporag_like.models.hashing import HashingEmbedder

TEXTS = [
    Document("Mara Voss was born in Hithe. She sailed the Heron.", "mara", "Mara Voss"),
    Document("Tobin Voss built the Heron at Hithe Yard.", "tobin", "Tobin Voss"),
]


class Recorder(HashingEmbedder):
    """Notes every text that is embedded."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str]] = []

    def embed(self, texts: Sequence[str], kind: str = "passage") -> np.ndarray:
        self.seen += [(kind, text) for text in texts]
        return super().embed(texts, kind)


@pytest.fixture
def indexed(tmp_path: Path) -> tuple[HippoRAG, Recorder]:
    recorder = Recorder()
    rag = HippoRAG(tmp_path / "index", embedder=recorder)
    rag.index(TEXTS)
    recorder.seen.clear()
    return rag, recorder


def test_reading_embeds_the_question_and_no_indexed_sentence(indexed: tuple[HippoRAG, Recorder]) -> None:
    rag, recorder = indexed
    answer = rag.ask("Where was Mara Voss born?")
    assert answer.text == "Hithe"
    sentences = {
        "Mara Voss: Mara Voss was born in Hithe.",
        "Tobin Voss: Tobin Voss built the Heron at Hithe Yard.",
    }
    assert sentences.isdisjoint(text for kind, text in recorder.seen if kind == "passage")


def test_known_and_unknown_texts_keep_their_places(indexed: tuple[HippoRAG, Recorder]) -> None:
    rag, recorder = indexed
    texts = ["never seen", "Mara Voss: Mara Voss was born in Hithe.", "nor this"]
    got = KnownVectors(rag.path, recorder).embed(texts)
    assert [text for _, text in recorder.seen] == ["never seen", "nor this"]
    np.testing.assert_array_equal(got, HashingEmbedder().embed(texts))


def test_without_a_journal_all_is_embedded(indexed: tuple[HippoRAG, Recorder]) -> None:
    rag, recorder = indexed
    for file in rag.path.glob("journal.db*"):
        file.unlink()
    texts = ["Mara Voss: Mara Voss was born in Hithe."]
    np.testing.assert_array_equal(
        KnownVectors(rag.path, recorder).embed(texts), HashingEmbedder().embed(texts)
    )
    assert recorder.seen == [("passage", texts[0])]
