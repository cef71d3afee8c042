"""Robustness: the same questions under harder conditions, each against the data set as it is, by a paired test.

The conditions are those of ``eval.conditions``: titles removed, names misspelt, small letters, another order, other
ids; and distractors: the documents of another data set on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hipporag_like.errors import ConfigError
from hipporag_like.eval.conditions import CONDITIONS, with_distractors
from hipporag_like.eval.questions import Dataset, require_gold
from hipporag_like.eval.studies.bench import (
    Bench,
    correct,
    described,
    judged,
    measure,
    paired,
    require_methods,
)
from hipporag_like.indexing.known import KnownVectors
from hipporag_like.rag import HippoRAG

METHODS = ("graph", "hybrid")
DISTRACTORS = "with_distractors"
ALL = (*CONDITIONS, DISTRACTORS)


def robustness(
    dataset: Dataset,
    bench: Bench,
    methods: Sequence[str] = METHODS,
    conditions: Sequence[str] = (),
    distractors: Dataset | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """Return what each condition costs each method.

    Parameters
    ----------
    conditions
        Names out of ``ALL``; empty: all of them.
    distractors
        Whose documents are added; None leaves that condition out, and ``left_out`` says so.
    limit
        Only the first so many questions.

    Returns
    -------
    dict
        ``plain`` (by method) and ``conditions``: for each its ``n_documents``, whether the index was ``reused`` because
        only questions changed, and by method the means and ``against_plain``: the difference to the unchanged data
        set with interval, p-value and p-value corrected for all comparisons in here (Holm).

    Raises
    ------
    InputError, ConfigError, UsageError
        Gold that is missing, an unknown condition or method, or an index that holds other documents.
    """
    chosen = _require_conditions(conditions)
    require_methods(methods)
    require_gold(dataset)
    count = len(judged(dataset, limit))
    base = bench.index(dataset)
    plain = measure(base, dataset, judged(dataset, limit), methods, bench.progress)
    table: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    for name in chosen:
        if name == DISTRACTORS and distractors is None:
            left_out[name] = "no other data set was given whose documents could be added"
            continue
        changed = with_distractors(dataset, distractors) if distractors and name == DISTRACTORS else None
        harder = CONDITIONS[name](dataset) if changed is None else changed
        rag, reused = _index(bench, base, dataset, harder)
        found = measure(rag, harder, judged(harder, count), methods, bench.progress)
        table[name] = {
            "n_documents": len(harder.documents),
            "reused": reused,
            "methods": {
                method: {**kept.plain(), "against_plain": paired(kept.rows, plain[method].rows)}
                for method, kept in found.items()
            },
        }
    correct([row["against_plain"] for entry in table.values() for row in entry["methods"].values()])
    return {
        **described(dataset, judged(dataset, limit)),
        "distractors": None if distractors is None else distractors.name,
        "plain": {method: kept.plain() for method, kept in plain.items()},
        "conditions": table,
        "left_out": left_out,
    }


def _require_conditions(names: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in names if name not in ALL]
    if unknown:
        raise ConfigError(
            f"there is no condition {', '.join(map(repr, unknown))}; there are {', '.join(ALL)}"
        )
    return tuple(dict.fromkeys(names)) or ALL


def _index(bench: Bench, base: HippoRAG, dataset: Dataset, changed: Dataset) -> tuple[HippoRAG, bool]:
    """Return an index of the changed documents; the base's own where none changed.

    Made from nothing otherwise, so that order and ids have their say; but texts that the base has embedded are not
    embedded again.
    """
    if changed.documents == dataset.documents:
        return base, True
    known = KnownVectors(base.path, base.embedder)
    return bench.index(changed, embedder=known), False
