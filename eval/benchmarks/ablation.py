"""What each part of ``graph`` adds: ``python -m hipporag_like.eval.benchmarks.ablation DATASET... --out FILE``.

Every number is of trees fitted without the data set that they are tested on, under no condition of it; parts are left
out and the trees fitted again. Differences have 95 % paired bootstrap intervals and the paired randomisation test.
Writes one JSON file; ``eval/benchmarks/method_tables.py`` puts its tables into docs/method.md. Needs the extra ``fit``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import Config
from hipporag_like.eval.benchmarks.fit_fusion import FUSIONS, KS, fit, fused, recalls, tell, without
from hipporag_like.eval.benchmarks.fit_fusion_cost import seconds_per_query
from hipporag_like.eval.benchmarks.fit_fusion_rows import Rows, rows_of
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.significance import bootstrap_interval, randomisation_test
from hipporag_like.models.embedders import load_embedder
from hipporag_like.models.threads import cores
from hipporag_like.retrieval.features import NAMES, WINDOW_COLUMNS

Found = Mapping[int, Sequence[float]]
Scores = Sequence[NDArray[np.float64]]

ENOUGH = 100  # questions of a set: with 30 the loss of one part is less than chance
# Groups of columns; their names are what docs/method.md calls the parts.
PARTS: Mapping[str, tuple[str, ...]] = {
    "first walk": ("walk", "walk_sum", "walk_best"),
    "second walk": ("onward", "onward_sum", "onward_best", "subject_onward"),
    "passage similarity": ("passage", "passage_below", "dense"),
    "BM25": ("bm25",),
    "BM25 without the names": ("bm25_rest",),
    "best sentence": ("sentence", "sentence_below", "best_sentence"),
    "windows of the question": WINDOW_COLUMNS,
    "incoming facts": ("incoming", "incoming_below", "incoming_signal", "incoming_from_found"),
    "chains over sources": ("source", "chain", "source_named", "mentioned_by"),
    "subjects mentioned": ("target", "mentions"),
    "the subject itself": ("named", "subject_seed", "subject_walk", "subject_rarity"),
    "the fixed weights' opinion": ("score", "rank"),
    "the question": ("rarity", "names", "titled", "words", "plain_share"),
}


def measure(datasets: Sequence[Path], root: Path) -> dict[str, Any]:
    """Return all numbers; see the module.

    Parameters
    ----------
    datasets
        See :func:`hipporag_like.eval.datasets.load_dataset`.
    root
        Where indexes are kept.
    """
    embedder = load_embedder(Config().embed)
    sets = [load_dataset(path) for path in datasets]
    rows = rows_of(sets, root, embedder, tell=tell)
    # First of all that follows: nothing else runs yet.
    seconds = seconds_per_query(sets[0], root / sets[0].name, embedder)
    held = _held_out(rows)
    return {
        "format": 1,
        "n_questions": {part.base: len(part.questions) for part in rows if not part.condition},
        "systems": {name: _system(part_scores, held["full"]) for name, part_scores in held.items()},
        "parts": _parts(rows, held["full"]),
        "types": _types(rows, held),
        "seconds": seconds,
    }


def _held_out(rows: Sequence[Rows]) -> dict[str, dict[str, Found]]:
    """Return the recalls of each system, by data set and condition."""
    found: dict[str, dict[str, Found]] = {"hybrid": {}, "weights": {}}
    for part in rows:
        found["hybrid"][part.name] = recalls(part, [question.plain for question in part.questions])
        found["weights"][part.name] = recalls(part, [question.score for question in part.questions])
    for fusion, names in FUSIONS.items():
        found[fusion] = _fitted_elsewhere(rows, rows, names)
        tell(f"fusion {fusion}")
    return found


def _fitted_elsewhere(rows: Sequence[Rows], tested: Sequence[Rows], names: Sequence[str]) -> dict[str, Found]:
    found: dict[str, Found] = {}
    bases = list(dict.fromkeys(part.base for part in tested))
    # LightGBM lets go of the interpreter while it fits, on one thread each.
    with ThreadPoolExecutor(cores()) as pool:
        models = list(pool.map(lambda base: fit(without(rows, base), names), bases))
    for base, trees in zip(bases, models, strict=True):
        for part in (part for part in tested if part.base == base):
            found[part.name] = recalls(part, [fused(question, trees) for question in part.questions])
    return found


def _parts(rows: Sequence[Rows], full: Mapping[str, Found]) -> dict[str, Any]:
    """Return what is lost without each part, over the questions of the larger sets as they are."""
    plain = [part for part in rows if not part.condition and len(part.questions) >= ENOUGH]
    table: dict[str, Any] = {}
    for part_name, left_out in PARTS.items():
        names = [name for name in NAMES if name not in left_out]
        found = _fitted_elsewhere(rows, plain, names)
        table[part_name] = {
            "columns": len(left_out),
            **{f"recall@{k}": _against(_pooled(found, plain, k), _pooled(full, plain, k)) for k in KS},
        }
        tell(f"without {part_name}")
    return table


def _pooled(found: Mapping[str, Found], rows: Sequence[Rows], k: int) -> list[float]:
    return [value for part in rows for value in found[part.name][k]]


def _system(found: Mapping[str, Found], full: Mapping[str, Found]) -> dict[str, Any]:
    table = {}
    for name, values in found.items():
        row: dict[str, Any] = {f"recall@{k}": round(float(np.mean(values[k])), 2) for k in KS}
        if values is not full[name]:
            row["recall@5 against full"] = _against(values[5], full[name][5])
        table[name] = row
    return table


def _against(values: Sequence[float], others: Sequence[float]) -> dict[str, float]:
    low, high = bootstrap_interval(values, others)
    return {
        "difference": round(float(np.mean(values) - np.mean(others)), 2),
        "low": round(low, 2),
        "high": round(high, 2),
        "p": round(randomisation_test(values, others), 4),
    }


def _types(rows: Sequence[Rows], held: Mapping[str, Mapping[str, Found]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for part in (part for part in rows if not part.condition):
        kinds = [question.type or "all" for question in part.questions]
        for kind in sorted(set(kinds)):
            at = [i for i, other in enumerate(kinds) if other == kind]
            table[f"{part.base}, {kind}"] = {
                "n": len(at),
                **{
                    system: {
                        f"recall@{k}": round(float(np.mean([found[part.name][k][i] for i in at])), 2)
                        for k in KS
                    }
                    for system, found in held.items()
                },
            }
    return table


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description="What each part of graph adds.")
    parser.add_argument("datasets", type=Path, nargs="+", help="data sets with supporting documents")
    parser.add_argument("--index-root", type=Path, help="a folder of indexes; temporary ones if not given")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    options = parser.parse_args()
    with ExitStack() as stack:
        root = options.index_root or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="hipporag-like-"))
        )
        found = measure(options.datasets, root)
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
