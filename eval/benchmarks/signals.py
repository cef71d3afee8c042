"""What each signal of ``graph`` adds: ``python -m hipporag_like.eval.benchmarks.signals DATASET...``.

Prints JSON. The hits of each question are ranked again without one signal or several, by the shares that each hit
carries, and compared with the whole by the paired test and the paired bootstrap of ``eval.significance``. ``hybrid`` is
there as the method without a graph. ``--condition`` changes the data set first: no titles, small letters, ...
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from hipporag_like.eval.benchmarks.timing import print_json
from hipporag_like.eval.conditions import CONDITIONS
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.questions import Dataset
from hipporag_like.eval.retrieval_metrics import recall_at_k
from hipporag_like.eval.significance import bootstrap_interval, randomisation_test
from hipporag_like.rag import HippoRAG
from hipporag_like.types import Hit

WITHOUT: Mapping[str, tuple[str, ...]] = {
    "graph": (),
    "without onward": ("onward",),
    "without incoming": ("incoming",),
    "without onward and incoming": ("onward", "incoming"),
    "without the first walk": ("graph",),
    "without dense and BM25": ("dense", "bm25"),
}
KS = (2, 5, 10)
HITS = 300  # passages ranked again: all that any signal has much to say about


def measure(
    datasets: Sequence[Path], index_root: Path | None = None, condition: str | None = None
) -> dict[str, Any]:
    """Return recalls in percent by data set and variant, with the difference to ``graph``.

    Parameters
    ----------
    datasets
        See :func:`hipporag_like.eval.datasets.load_dataset`.
    index_root
        Holds an index a data set, made where it is missing; None: temporary ones.
    condition
        A name out of ``eval.conditions.CONDITIONS``; None: as they are.
    """
    report = {}
    with ExitStack() as stack:
        root = index_root or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hipporag-like-")))
        for path in datasets:
            data = load_dataset(path)
            if condition is not None:
                data = CONDITIONS[condition](data)
            rag = HippoRAG(root / data.name)
            rag.index([document for document in data.documents if document.text.strip()])
            report[data.name] = _variants(rag, data)
    return report


def _variants(rag: HippoRAG, data: Dataset) -> dict[str, Any]:
    found = [rag.retrieve(question.question, HITS) for question in data.questions]
    rankings = {name: [_ranked(hits, left_out) for hits in found] for name, left_out in WITHOUT.items()}
    plain = [rag.retrieve(question.question, HITS, method="hybrid") for question in data.questions]
    rankings["hybrid"] = [_ranked(hits, ()) for hits in plain]
    whole = {k: _recalls(data, rankings["graph"], k) for k in KS}
    return {name: _compared(data, ranking, whole) for name, ranking in rankings.items()}


def _ranked(hits: Sequence[Hit], left_out: Collection[str]) -> list[str]:
    scores = [sum(v for name, v in hit.signals.items() if name not in left_out) for hit in hits]
    order = sorted(range(len(hits)), key=lambda i: (-scores[i], i))
    return list(dict.fromkeys(hits[i].passage.document_id for i in order))


def _recalls(data: Dataset, rankings: Sequence[Sequence[str]], k: int) -> list[float]:
    return [
        100 * recall_at_k(ranking, question.supporting, k)
        for question, ranking in zip(data.questions, rankings, strict=True)
        if question.supporting
    ]


def _compared(
    data: Dataset, rankings: Sequence[Sequence[str]], whole: Mapping[int, Sequence[float]]
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for k in KS:
        recalls = _recalls(data, rankings, k)
        row[f"recall@{k}"] = round(sum(recalls) / len(recalls), 1)
    recalls = _recalls(data, rankings, 5)
    low, high = bootstrap_interval(recalls, whole[5])
    row["recall@5 against graph"] = {
        "low": round(low, 1),
        "high": round(high, 1),
        "p": round(randomisation_test(recalls, whole[5]), 4),
    }
    return row


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What each signal of graph adds.")
    parser.add_argument("datasets", type=Path, nargs="+", help="data sets with questions")
    parser.add_argument("--index-root", type=Path, help="a folder of indexes; temporary ones if not given")
    parser.add_argument(
        "--condition", choices=sorted(CONDITIONS), help="change the data set in this way first"
    )
    options = parser.parse_args()
    print_json(partial(measure, options.datasets, options.index_root, options.condition))


if __name__ == "__main__":
    main()
