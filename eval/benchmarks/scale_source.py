"""What a measurement of scale runs on: an index folder with made-up passages, or with those of a data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hipporag_like.eval.questions import Question
    from hipporag_like.models.protocols import Embedder
    from hipporag_like.types import Document


@dataclass(frozen=True)
class Source:
    """An index and where its passages and questions come from.

    Attributes
    ----------
    index
        Folder.
    passages
        Of the made-up corpus; 0 where there is a data set.
    dataset
        Folder or file of a data set; empty for a made-up corpus.
    """

    index: str
    passages: int = 0
    dataset: str = ""

    def arguments(self) -> dict[str, Any]:
        """Return what makes the same source in another process."""
        return {"index": self.index, "passages": self.passages, "dataset": self.dataset}

    def embedder(self) -> Embedder:
        """Return the embedder: random directions for made-up words, the default model for real ones."""
        if self.dataset:
            from hipporag_like.config import EmbedConfig
            from hipporag_like.models.embedders import load_embedder

            return load_embedder(EmbedConfig())
        from hipporag_like.eval.benchmarks.synthetic_vectors import SyntheticEmbedder

        return SyntheticEmbedder()

    def questions(self) -> list[Question]:
        """Return the questions."""
        if self.dataset:
            from hipporag_like.eval.datasets import load_dataset

            return list(load_dataset(Path(self.dataset)).questions)
        from hipporag_like.eval.benchmarks.synthetic import Corpus

        return Corpus(self.passages).asked()

    def documents(self) -> list[Document]:
        """Return the documents of the data set that have a text."""
        from hipporag_like.eval.datasets import load_dataset

        return [document for document in load_dataset(Path(self.dataset)).documents if document.text.strip()]

    def new_documents(self, count: int) -> list[Document]:
        """Return documents that the index does not hold: of another seed, or the last of the data set.

        The caller deletes the latter first.
        """
        if self.dataset:
            return self.documents()[-count:]
        from dataclasses import replace

        from hipporag_like.eval.benchmarks.synthetic import Corpus

        made = Corpus(count, seed=1, questions=0).documents()
        return [replace(document, id=f"new{number}") for number, document in enumerate(made)]
