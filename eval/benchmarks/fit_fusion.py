"""Fit the learned fusion: ``python -m hipporag_like.eval.benchmarks.fit_fusion DATASET... --out retrieval/models``.

Needs the extra ``fit`` (LightGBM). Every data set takes part in several ways (``fit_fusion_rows.FITTED_ON``). Prints
JSON: how trees do that were fitted without the set they are tested on, under no condition of it. With ``--out`` the
trees of all sets are written, one file for each fusion. LightGBM runs on one thread with a fixed seed, so that the
same rows give the same trees.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import Config
from hipporag_like.errors import MissingExtraError
from hipporag_like.eval.benchmarks.fit_fusion_rows import Judged, Rows, rows_of
from hipporag_like.eval.benchmarks.timing import print_json
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.retrieval_metrics import recall_at_k
from hipporag_like.models.embedders import load_embedder
from hipporag_like.retrieval.features import NAMES, WINDOW_COLUMNS
from hipporag_like.retrieval.learned import WEIGHT, signal_of
from hipporag_like.retrieval.trees import Trees, joined, save_trees, write_sums

KS = (2, 5, 10)
# Each within 0.3 of mean recall@5 of its neighbours, tested without the set tested on (docs/method.md): 15 or 31
# leaves, 200 or 400 trees, 50 or 200 rows a leaf. Each question counts alike, whatever set it is from.
OPTIONS: Mapping[str, Any] = {
    "objective": "lambdarank",
    "lambdarank_truncation_level": 10,
    "num_leaves": 31,
    "learning_rate": 0.05,
    "min_data_in_leaf": 50,
    "lambda_l2": 5.0,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "seed": 1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
TREES = 200
LEAF_DECIMALS = 6
FUSIONS = {"full": NAMES, "fast": tuple(name for name in NAMES if name not in WINDOW_COLUMNS)}


def fit(rows: Sequence[Rows], names: Sequence[str], trees: int = TREES) -> Trees:
    """Return trees fitted on all questions of ``rows``, over the columns ``names``.

    Raises
    ------
    MissingExtraError
        LightGBM is not installed.
    """
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtraError("fitting the fusion", "fit") from error
    questions = [question for part in rows for question in part.questions]
    columns = [NAMES.index(name) for name in names]
    data = lightgbm.Dataset(
        np.concatenate([question.table[:, columns] for question in questions]),
        np.concatenate([question.needed for question in questions]).astype(np.int32),
        group=[len(question.needed) for question in questions],
    )
    model = lightgbm.train(dict(OPTIONS), data, trees)
    return joined(names, [_tree(tree["tree_structure"], names) for tree in model.dump_model()["tree_info"]])


def _tree(structure: Mapping[str, Any], names: Sequence[str]) -> Trees:
    """Return one tree of LightGBM's; parents come before their children."""
    feature, threshold, left, right, leaf = [], [], [], [], []  # type: ignore[var-annotated]

    def add(node: Mapping[str, Any]) -> int:
        if "leaf_value" in node:
            leaf.append(round(float(node["leaf_value"]), LEAF_DECIMALS))
            return -len(leaf)
        at = len(feature)
        for values in (feature, threshold, left, right):
            values.append(0)
        feature[at], threshold[at] = int(node["split_feature"]), float(node["threshold"])
        left[at], right[at] = add(node["left_child"]), add(node["right_child"])
        return at

    root = add(structure)
    whole = [np.array(values, dtype=np.int32) for values in ([root], feature, left, right)]
    return Trees(
        tuple(names), whole[0], whole[1], np.array(threshold, np.float64), whole[2], whole[3], np.array(leaf)
    )


def fused(question: Judged, trees: Trees) -> NDArray[np.float64]:
    """Return the candidates' scores as the search has them."""
    columns = [NAMES.index(name) for name in trees.names]
    signal = signal_of(trees.score(question.table[:, columns]))
    scores: NDArray[np.float64] = (1.0 - WEIGHT) * question.score + WEIGHT * signal
    return scores


def ranked(question: Judged, scores: NDArray[np.float64]) -> list[str]:
    """Return the documents, best first, each at its best candidate."""
    order = np.argsort(-scores, kind="stable").tolist()
    return list(dict.fromkeys(question.documents[place] for place in order))


def recalls(part: Rows, scores: Sequence[NDArray[np.float64]]) -> dict[int, list[float]]:
    """Return the recall of each question in percent, by k."""
    rankings = [ranked(question, score) for question, score in zip(part.questions, scores, strict=True)]
    return {
        k: [_recall(question, ranking, k) for question, ranking in zip(part.questions, rankings, strict=True)]
        for k in KS
    }


def _recall(question: Judged, ranking: Sequence[str], k: int) -> float:
    needed = {d for d, wanted in zip(question.documents, question.needed, strict=True) if wanted}
    if not needed:
        return 0.0
    return 100.0 * recall_at_k(ranking, needed, k) * len(needed) / question.n_needed


def without(rows: Sequence[Rows], base: str) -> list[Rows]:
    """Return the rows of every other data set."""
    return [part for part in rows if part.base != base]


def held_out(rows: Sequence[Rows], fusions: Mapping[str, Sequence[str]] = FUSIONS) -> dict[str, Any]:
    """Return mean recalls of each data set and condition, with trees fitted on the other sets."""
    report: dict[str, Any] = {}
    for base in dict.fromkeys(part.base for part in rows):
        models = {fusion: fit(without(rows, base), names) for fusion, names in fusions.items()}
        for part in (part for part in rows if part.base == base):
            scored = {
                "hybrid": [question.plain for question in part.questions],
                "weights": [question.score for question in part.questions],
                **{name: [fused(q, trees) for q in part.questions] for name, trees in models.items()},
            }
            report[part.name] = {name: _means(recalls(part, scores)) for name, scores in scored.items()}
    return report


def _means(found: Mapping[int, Sequence[float]]) -> dict[str, float]:
    return {f"recall@{k}": round(float(np.mean(values)), 2) for k, values in found.items()}


def measure(
    datasets: Sequence[Path], root: Path | None, out: Path | None, held: Path | None
) -> dict[str, Any]:
    """Fit, report and write; see the module."""
    embedder = load_embedder(Config().embed)
    with ExitStack() as stack:
        folder = root or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hipporag-like-")))
        rows = rows_of([load_dataset(path) for path in datasets], folder, embedder, tell=tell)
    report = held_out(rows)
    if out is not None:
        for fusion, names in FUSIONS.items():
            _save(fit(rows, names), out, f"{fusion}.json")
        write_sums(out)
    if held is not None:
        for base in dict.fromkeys(part.base for part in rows):
            _save(fit(without(rows, base), NAMES), held, f"{base}.json")
    return report


def _save(trees: Trees, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_trees(trees, folder / name)


def tell(line: str) -> None:
    """Say on stderr how far the work is."""
    sys.stderr.write(line + "\n")


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description="Fit the learned fusion.")
    parser.add_argument("datasets", type=Path, nargs="+", help="data sets with supporting documents")
    parser.add_argument("--index-root", type=Path, help="a folder of indexes; temporary ones if not given")
    parser.add_argument("--out", type=Path, help="write the fitted trees into this folder")
    parser.add_argument(
        "--held-out", type=Path, help="write the trees fitted without each set into this folder"
    )
    options = parser.parse_args()
    print_json(partial(measure, options.datasets, options.index_root, options.out, options.held_out))


if __name__ == "__main__":
    main()
