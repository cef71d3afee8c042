"""How well and how fast the default reader answers: ``python -m hipporag_like.eval.benchmarks.reader DATASET``.

Prints JSON: exact match and F1 in percent, overall and by type of question; whether confidence tells right from
wrong (area under the ROC curve, mean of each); how many answerable questions and, with ``--foreign``, questions of
another data set, get no answer; and the reader's seconds a question, embedding of sentences included.
Without ``--index`` the documents are indexed into a temporary folder first.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hipporag_like.eval.answer_metrics import exact_match, token_f1
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.questions import Question
from hipporag_like.rag import HippoRAG

RIGHT = 0.5  # F1 from which an answer counts as right where confidence is judged


@dataclass(frozen=True, slots=True)
class Read:
    """One question read; scores in [0, 1]."""

    type: str
    em: float
    f1: float
    found: bool
    confidence: float
    seconds: float


def read_all(rag: HippoRAG, questions: Sequence[Question], k: int) -> list[Read]:
    """Return what the reader made of each question; retrieval is not timed."""
    rows = []
    for question in questions:
        trace = rag.explain(question.question, k)
        started = time.perf_counter()
        answer = rag.reader.read(question.question, trace)
        seconds = time.perf_counter() - started
        em = exact_match(answer.text or "", question.answers)
        f1 = token_f1(answer.text or "", question.answers)
        rows.append(Read(question.type, em, f1, answer.found, answer.confidence, seconds))
    return rows


def roc_area(scores: Sequence[float], right: Sequence[bool]) -> float | None:
    """Return the chance that a right answer scores above a wrong one, ties half; None without both kinds."""
    good = np.array([s for s, r in zip(scores, right, strict=True) if r])
    bad = np.array([s for s, r in zip(scores, right, strict=True) if not r])
    if not len(good) or not len(bad):
        return None
    wins = (good[:, None] > bad[None]).mean() + 0.5 * (good[:, None] == bad[None]).mean()
    return round(float(wins), 3)


def summary(rows: Sequence[Read]) -> dict[str, object]:
    """Return the table's numbers for one data set."""
    right = [row.f1 >= RIGHT for row in rows]
    confidence = [row.confidence for row in rows]
    seconds = [row.seconds for row in rows]
    types = {"all": list(rows)}
    for row in rows:
        types.setdefault(row.type or "untyped", []).append(row)
    return {
        "types": {
            name: {
                "questions": len(part),
                "em": _percent([row.em for row in part]),
                "f1": _percent([row.f1 for row in part]),
            }
            for name, part in types.items()
        },
        "not_found_percent": _percent([float(not row.found) for row in rows]),
        "confidence_roc_area": roc_area(confidence, right),
        "confidence_right": _mean([c for c, r in zip(confidence, right, strict=True) if r]),
        "confidence_wrong": _mean([c for c, r in zip(confidence, right, strict=True) if not r]),
        "seconds_median": round(float(np.median(seconds)), 4),
        "seconds_p95": round(float(np.percentile(seconds, 95)), 4),
    }


def _percent(values: Sequence[float]) -> float:
    return round(100 * sum(values) / len(values), 1)


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 3) if values else None


def main() -> None:
    """Parse the command line, measure, print JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", type=Path)
    parser.add_argument(
        "--index", type=Path, help="index folder of the data set's documents; made where absent"
    )
    parser.add_argument("--foreign", type=Path, help="data set whose questions the documents cannot answer")
    parser.add_argument("--limit", type=int, help="questions of each data set")
    parser.add_argument("-k", type=int, default=None, help="passages read; the configuration's by default")
    options = parser.parse_args()
    dataset = load_dataset(options.dataset)
    with ExitStack() as stack:
        folder = options.index or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rag = stack.enter_context(HippoRAG(folder))
        rag.index(dataset.documents)
        k = options.k or rag.config.read.passages
        result = {"passages_read": k, **summary(read_all(rag, _judged(dataset.questions, options.limit), k))}
        if options.foreign is not None:
            foreign = _judged(load_dataset(options.foreign).questions, options.limit)
            rows = read_all(rag, foreign, k)
            result["foreign_not_found_percent"] = _percent([float(not row.found) for row in rows])
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


def _judged(questions: Sequence[Question], limit: int | None) -> list[Question]:
    return [question for question in questions if question.answers][:limit]


if __name__ == "__main__":
    main()
