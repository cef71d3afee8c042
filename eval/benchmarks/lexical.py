"""How fast BM25 is: ``python -m hipporag_like.eval.benchmarks.lexical --dataset DATASET``.

Prints JSON: milliseconds a question of the eager postings and of rank-bm25 on the same words, their ratio,
the seconds both take to be built, and the largest difference of any score. ``DATASET`` is anything that
``hipporag-like eval`` takes; the sample that comes with the package if none is given.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import LexicalConfig
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.indexing.lexical import Postings, build_postings
from hipporag_like.indexing.texts import lexical_tokens

Score = Callable[[Sequence[str]], NDArray[np.float64]]
SAMPLE = Path(__file__).parents[1] / "sample"


def eager(postings: Postings, n_passages: int) -> Score:
    """Return the scoring that ``retrieval.lexical`` does on an index, on postings in memory."""
    row_of = {term: row for row, term in enumerate(postings.terms)}

    def score(tokens: Sequence[str]) -> NDArray[np.float64]:
        scores = np.zeros(n_passages)
        for row in (row_of[token] for token in tokens if token in row_of):
            part = slice(int(postings.indptr[row]), int(postings.indptr[row + 1]))
            scores[postings.passage[part]] += postings.score[part]
        return scores

    return score


def measure(place: Path, n_questions: int) -> dict[str, object]:
    """Return times, their ratio and the largest difference."""
    from rank_bm25 import BM25Okapi

    data = load_dataset(place)
    corpus = [lexical_tokens(f"{d.title}\n{d.text}") for d in data.documents]
    questions = [lexical_tokens(q.question) for q in data.questions[:n_questions]]
    config = LexicalConfig()
    started = time.perf_counter()
    mine = eager(build_postings(corpus, config), len(corpus))
    built = time.perf_counter()
    theirs: Score = BM25Okapi(corpus, k1=config.k1, b=config.b, epsilon=config.epsilon).get_scores
    their_built = time.perf_counter()
    times: dict[str, list[float]] = {"eager": [], "rank_bm25": []}
    difference = 0.0
    for question in questions:
        scores, seconds = _timed(mine, question)
        their_scores, their_seconds = _timed(theirs, question)
        times["eager"].append(1000 * seconds)
        times["rank_bm25"].append(1000 * their_seconds)
        difference = max(difference, float(np.abs(scores - their_scores).max()))
    middle = {engine: statistics.median(values) for engine, values in times.items()}
    return {
        "passages": len(corpus),
        "questions": len(questions),
        "milliseconds": {engine: round(value, 4) for engine, value in middle.items()},
        "times_slower_than_eager": round(middle["rank_bm25"] / middle["eager"], 1),
        "seconds_to_build": {
            "eager": round(built - started, 3),
            "rank_bm25": round(their_built - built, 3),
        },
        "largest_difference": difference,
    }


def _timed(score: Score, tokens: Sequence[str]) -> tuple[NDArray[np.float64], float]:
    started = time.perf_counter()
    scores = score(tokens)
    return scores, time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed of BM25.")
    parser.add_argument("--dataset", type=Path, default=SAMPLE, help="a data set's folder or file")
    parser.add_argument("--questions", type=int, default=100, help="how many at most")
    given = parser.parse_args()
    sys.stdout.write(json.dumps(measure(given.dataset, given.questions), indent=2) + "\n")


if __name__ == "__main__":
    main()
