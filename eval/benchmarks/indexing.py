"""What indexing costs beyond embedding: ``python -m hipporag_like.eval.benchmarks.indexing DATASET``.

Prints JSON: seconds of indexing a data set into a fresh folder, by stage; seconds of embedding the very same
texts (passages, facts, entities) in one call with the same embedder in the same process; and their ratio.
Embedding is what every method with this embedder pays, so the ratio says what the rest costs: 1.25 is the
bar. Loading the embedder, and compiling and importing on first use, are left out of both by indexing a few
documents first.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hipporag_like.config import Config, EmbedConfig
from hipporag_like.errors import InputError
from hipporag_like.eval.benchmarks.timing import Remembering, print_json, ratio, seconds_of
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.models.embedders import load_embedder
from hipporag_like.models.protocols import Embedder
from hipporag_like.rag import HippoRAG
from hipporag_like.types import Document, IndexReport

BAR = 1.25
WARM_UP = 5  # documents


def measure(dataset: Path, limit: int | None = None, model: str = "minilm") -> dict[str, Any]:
    """Return seconds of indexing, of embedding alone, and their ratio.

    Parameters
    ----------
    dataset
        See :func:`hipporag_like.eval.datasets.load_dataset`.
    limit
        Only the first so many documents.
    model
        The embedder.

    Raises
    ------
    InputError
        No data set, or nothing in it to index.
    """
    data = load_dataset(dataset)
    documents = [document for document in data.documents if document.text.strip()][:limit]
    if not documents:
        raise InputError(f"{dataset} has no documents with a text; name another data set or a higher limit")
    config = Config(embed=EmbedConfig(model=model))
    embedder = load_embedder(config.embed)
    _index(documents[:WARM_UP], config, embedder)
    report, seconds, kept = _index(documents, config, embedder)
    alone = seconds_of(lambda: embedder.embed(kept.texts))
    return {
        "dataset": data.name,
        "documents": len(documents),
        "passages": report.passages,
        "entities": report.entities,
        "facts": report.facts,
        "embedder": model,
        "texts_embedded": len(kept.texts),
        "seconds": {"total": round(seconds, 3), **report.seconds, "inside_embedder": round(kept.seconds, 3)},
        "embedding_alone_seconds": round(alone, 3),
        "ratio": ratio(seconds, alone),
        "ratio_inside": ratio(seconds, kept.seconds),
        "bar": BAR,
    }


def _index(
    documents: Sequence[Document], config: Config, embedder: Embedder
) -> tuple[IndexReport, float, Remembering]:
    kept = Remembering(embedder)
    with tempfile.TemporaryDirectory(prefix="hipporag-like-") as folder:
        started = time.perf_counter()
        with HippoRAG(Path(folder) / "index", config=config, embedder=kept) as rag:
            report = rag.index(documents)
        return report, time.perf_counter() - started, kept


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time of indexing against embedding alone.")
    parser.add_argument("dataset", type=Path, help="a data set")
    parser.add_argument("--limit", type=int, help="only the first so many documents")
    parser.add_argument("--embedder", default="minilm", help="minilm, hashing, a path or a hub name")
    options = parser.parse_args()
    print_json(partial(measure, options.dataset, options.limit, options.embedder))


if __name__ == "__main__":
    main()
