"""Fit the default reader's weights again: ``python -m hipporag_like.eval.benchmarks.fit_reader DATASET...``.

Prints JSON: ``WEIGHTS`` and ``CALIBRATION`` in the order of the constants of ``models/reader_score.py``, and how
the fitted weights do on the questions they were fitted on. With ``--halves``, also how weights fitted on the even
questions do on the odd ones, and the other way round; with ``--left-out``, how each set does by weights fitted on
the others. Nothing is written; the reader goes on using its constants.

Only questions that ask for a span take part. Without ``--index`` the documents are indexed into a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from scipy.special import expit

from hipporag_like.errors import HippoRAGLikeError
from hipporag_like.eval.benchmarks.fit_reader_rows import (
    Judged,
    Plan,
    Sheet,
    Weights,
    fit_confidence,
    fit_spans,
    judge_all,
    pick,
    read_sheets,
)
from hipporag_like.eval.benchmarks.reader import roc_area
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.models.extractive import MIN_CONFIDENCE
from hipporag_like.models.reader_features import FEATURES
from hipporag_like.models.reader_score import CALIBRATION
from hipporag_like.rag import HippoRAG

NO_FOREIGN = Path("-")  # in place of a foreign set
FOREIGN_QUESTIONS = 100  # of each foreign set, the first ones


def span_scores(sheets: Sequence[Sheet], weights: Weights) -> dict[str, dict[str, float]]:
    """Return mean exact match and F1 in percent by data set, and the F1 of the best candidates there are."""
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for sheet in sheets:
        if sheet.foreign:
            continue
        best = pick(sheet, weights)
        row = (0.0, 0.0, 0.0)
        if best is not None:
            at = sheet.found.index(best.candidate)
            row = (float(sheet.em[at]), float(sheet.f1[at]), float(sheet.f1.max()))
        rows.setdefault(sheet.dataset, []).append(row)
    return {
        name: {"questions": len(part), **dict(zip(("em", "f1", "best_f1"), _percents(part), strict=True))}
        for name, part in rows.items()
    }


def confidence_scores(rows: Sequence[Judged], calibration: Weights) -> dict[str, float | None]:
    """Return areas under the ROC curve, and percent of questions left without an answer."""
    sure = [float(expit(np.dot(row.values, calibration))) for row in rows]
    own = [(s, row.right) for s, row in zip(sure, rows, strict=True) if not row.foreign]
    foreign = [s for s, row in zip(sure, rows, strict=True) if row.foreign]
    return {
        "roc_area": roc_area([s for s, _ in own], [right for _, right in own]),
        "roc_area_with_foreign": roc_area(sure, [row.right for row in rows]),
        "not_found_percent": _unsure([s for s, _ in own]),
        "right_lost_percent": _unsure([s for s, right in own if right]),
        "foreign_not_found_percent": _unsure(foreign),
    }


def fitted(sheets: Sequence[Sheet]) -> dict[str, object]:
    """Return the constants fitted on all sheets, and how they do on the same ones."""
    weights = np.round(fit_spans(sheets), 2)  # as the reader has them; the confidence is fitted behind these
    rows = judge_all(sheets, weights)
    calibration = np.round(fit_confidence(rows), 2)
    return {
        "WEIGHTS": dict(zip(FEATURES, weights.tolist(), strict=True)),
        "CALIBRATION": dict(zip(CALIBRATION, calibration.tolist(), strict=True)),
        "on_the_same_questions": {
            "spans": span_scores(sheets, weights),
            "confidence": confidence_scores(rows, calibration),
        },
    }


def held_out(sheets: Sequence[Sheet]) -> dict[str, object]:
    """Return the scores of weights on the half that they were not fitted on.

    ``confidence`` holds out both fits. ``confidence_behind_all_spans`` chooses spans by weights fitted on all
    questions and holds out the calibration only.
    """
    halves = {"even": [s for s in sheets if s.number % 2 == 0], "odd": [s for s in sheets if s.number % 2]}
    everything = np.round(fit_spans(sheets), 2)
    scores: dict[str, object] = {}
    for tested, other in (("odd", "even"), ("even", "odd")):
        weights = fit_spans(halves[other])
        scores[f"fitted on {other}, tested on {tested}"] = {
            "spans": span_scores(halves[tested], weights),
            "confidence": _across(halves[other], halves[tested], weights),
            "confidence_behind_all_spans": _across(halves[other], halves[tested], everything),
        }
    return scores


def left_out(sheets: Sequence[Sheet]) -> dict[str, object]:
    """Return for each data set the scores of weights fitted on the other sets only."""
    scores: dict[str, object] = {}
    for name in dict.fromkeys(s.dataset for s in sheets):
        own = [s for s in sheets if s.dataset == name]
        others = [s for s in sheets if s.dataset != name]
        weights = fit_spans(others)
        scores[name] = {
            "spans": span_scores(own, weights)[name],
            "confidence": _across(others, own, weights),
        }
    return scores


def _across(learned: Sequence[Sheet], tested: Sequence[Sheet], weights: Weights) -> dict[str, float | None]:
    return confidence_scores(judge_all(tested, weights), fit_confidence(judge_all(learned, weights)))


def _percents(rows: Sequence[tuple[float, ...]]) -> list[float]:
    return [round(100 * float(x), 1) for x in np.mean(rows, axis=0)]


def _unsure(sure: Sequence[float]) -> float | None:
    return round(100 * sum(s < MIN_CONFIDENCE for s in sure) / len(sure), 1) if sure else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datasets", type=Path, nargs="+", metavar="DATASET")
    parser.add_argument(
        "--index", type=Path, nargs="+", help="index folder of each set's documents; made where absent"
    )
    parser.add_argument(
        "--foreign", type=Path, nargs="+", help="for each set one whose questions it cannot answer, or -"
    )
    parser.add_argument("--weights", type=float, nargs="+", help="how much a question of each set counts; 1")
    parser.add_argument("--thin", type=int, nargs="+", help="every n-th question fits the confidence; 1")
    parser.add_argument("--passages", type=int, default=8, help="passages read; 8")
    parser.add_argument("--left-out", action="store_true", help="test each set by weights of the others")
    parser.add_argument("--halves", action="store_true", help="test on the half not fitted on as well")
    return parser


def _checked(parser: argparse.ArgumentParser, options: argparse.Namespace) -> argparse.Namespace:
    for name in ("index", "foreign", "weights", "thin"):
        given = getattr(options, name)
        if given is not None and len(given) != len(options.datasets):
            parser.error(f"--{name} takes one value a data set, {len(options.datasets)}, got {len(given)}")
    if options.passages < 1 or min(options.thin or [1]) < 1 or min(options.weights or [1.0]) <= 0:
        parser.error("--passages and --thin start at 1, and --weights are above 0")
    return options


def _read(options: argparse.Namespace, number: int) -> list[Sheet]:
    """Return the sheets of one data set, those of its foreign questions behind its own."""
    dataset = load_dataset(options.datasets[number])
    weight = options.weights[number] if options.weights else 1.0
    thin = options.thin[number] if options.thin else 1
    with ExitStack() as stack:
        folder = (
            options.index[number]
            if options.index
            else Path(stack.enter_context(tempfile.TemporaryDirectory()))
        )
        rag = stack.enter_context(HippoRAG(folder))
        rag.index(dataset.documents)
        sheets = read_sheets(
            rag, dataset.questions, Plan(dataset.name, options.passages, weight=weight, thin=thin)
        )
        if options.foreign and options.foreign[number] != NO_FOREIGN:
            others = load_dataset(options.foreign[number]).questions[:FOREIGN_QUESTIONS]
            sheets += read_sheets(rag, others, Plan(dataset.name, options.passages, foreign=True))
    return sheets


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, fit, print JSON."""
    parser = _parser()
    options = _checked(parser, parser.parse_args(arguments))
    try:
        sheets = [sheet for number in range(len(options.datasets)) for sheet in _read(options, number)]
        result: dict[str, object] = {"passages_read": options.passages, **fitted(sheets)}
        if options.left_out:
            result["left_out"] = left_out(sheets)
        if options.halves:
            result["halves"] = held_out(sheets)
    except HippoRAGLikeError as error:
        parser.error(str(error))
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
