"""How fast BM25 is: ``python -m hipporag_like.eval.benchmarks.lexical --passages 10000 1000000``.

Prints JSON, for each size: milliseconds a question (the middle one and the 95th of a hundred) for the best 101
passages, of three engines on the same postings and in the same run, and how many times slower the others are.

``pruned``
    What an index does: words that cannot matter are only looked up (``retrieval.maxscore``).
``all_scores``
    All postings of the question's words, scored when the index was built, are added to an array of all passages, of
    which the best are taken. Above 100,000 postings are made by the compiled sort, and these scores as well.
``rank_bm25``
    The package, up to ``--reference`` passages: it keeps a dictionary a passage.

Words follow Zipf's law with Mandelbrot's shift: a word of rank r is drawn in proportion to 1 / (r + 20), from 500,000,
31 to 93 draws a passage, which gives 60 distinct words on average; the first is in a quarter of all
passages, the hundredth in 5 %,
as words are on the development sets (2Wiki: 36 % and 4 %). A question has 6 to 10 words: half of them words of one
passage, half by rank, evenly on a logarithmic scale from 1 to 2000. ``--dataset`` measures a data set instead.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import LexicalConfig
from hipporag_like.eval.benchmarks.timing import print_json, seconds_of
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.lexical import Postings, build_postings, postings_of
from hipporag_like.indexing.texts import lexical_tokens
from hipporag_like.retrieval.lexical import bm25_at, bm25_top
from hipporag_like.retrieval.topk import top_k
from hipporag_like.store.tables import pack_keys, pack_strings

VOCABULARY, SHIFT, DRAWS = 500_000, 20, 62
BEST = 101  # what a query takes of BM25 (retrieval.fuse.DEPTH + 1)
_BLOCK = 20_000
Engine = Callable[[str], Any]


class _Arrays:
    """Postings as the snapshot of a segment."""

    def __init__(self, postings: Postings) -> None:
        text, offset = pack_strings(postings.terms)
        hashes, rows = pack_keys(postings.terms)
        self._arrays: dict[str, NDArray[Any]] = {
            "passage_document": postings.length,
            "passage_length": postings.length,
            "posting_indptr": postings.indptr,
            "posting_passage": postings.passage,
            "posting_count": postings.count,
            "term_text": text,
            "term_offset": offset,
            "term_hash": hashes,
            "term_row": rows,
        }

    def array(self, group: str, name: str) -> NDArray[Any]:
        """Return one array."""
        return self._arrays[name]


def segment_of(postings: Postings) -> Segment:
    """Return a segment that holds postings and nothing else."""
    return Segment(_Arrays(postings), "postings")  # type: ignore[arg-type]


def synthetic(n_passages: int, n_questions: int, seed: int = 6) -> tuple[Postings, list[str]]:
    """Return postings of made-up passages, and questions about them."""
    draw = np.random.default_rng(seed)
    share = np.cumsum(1.0 / (np.arange(VOCABULARY) + 1 + SHIFT))
    terms, counts, widths, lengths = [], [], [], []
    for start in range(0, n_passages, _BLOCK):
        size = min(_BLOCK, n_passages - start)
        length = draw.integers(DRAWS // 2, DRAWS * 3 // 2 + 1, size)
        owner = np.repeat(np.arange(size), length)
        words = np.searchsorted(share, draw.random(len(owner)) * share[-1])
        pair, count = np.unique(words + VOCABULARY * owner, return_counts=True)
        terms.append((pair % VOCABULARY).astype(np.int32))
        counts.append(count.astype(np.uint16))
        widths.append(np.bincount(pair // VOCABULARY, minlength=size))
        lengths.append(length.astype(np.int32))
    term, starts = np.concatenate(terms), np.concatenate([[0], np.cumsum(np.concatenate(widths))])
    questions = []
    for passage in draw.integers(0, n_passages, n_questions).tolist():
        n = int(draw.integers(6, 11))
        own = draw.choice(term[starts[passage] : starts[passage + 1]], n // 2, replace=False)
        common = np.exp(draw.random(n - n // 2) * np.log(2000)).astype(np.int64)
        questions.append(" ".join(f"w{word}" for word in [*own.tolist(), *common.tolist()]))
    held = postings_of(starts, term, np.concatenate(counts), VOCABULARY)
    names = [f"w{word}" for word in range(VOCABULARY)]
    kept = np.flatnonzero(np.diff(held[0]))  # words that no passage holds are in no vocabulary
    indptr = np.append(held[0][kept], held[0][-1])
    return Postings([names[i] for i in kept], indptr, held[1], held[2], np.concatenate(lengths)), questions


def of_dataset(place: Path, n_questions: int) -> tuple[Postings, list[str]]:
    """Return the postings of a data set, and its questions."""
    from hipporag_like.eval.datasets import load_dataset

    data = load_dataset(place)
    postings = build_postings(lexical_tokens(f"{d.title}\n{d.text}") for d in data.documents)
    return postings, [q.question for q in data.questions[:n_questions]]


def all_scores(postings: Postings, segment: Segment, config: LexicalConfig) -> Engine:
    """Return BM25 by scores that are kept, added up in an array of all passages."""
    df = np.diff(postings.indptr)
    idf = np.log(len(postings.length) - df + 0.5) - np.log(df + 0.5)
    idf = np.where(idf < 0, config.epsilon * idf.mean(), idf)
    norm = config.k1 * (1 - config.b + config.b * postings.length / postings.length.mean())
    score = np.empty(len(postings.passage), dtype=np.float32)
    for first, last, weight in zip(postings.indptr, postings.indptr[1:], idf, strict=False):
        count = postings.count[first:last].astype(np.float64)
        score[first:last] = weight * count * (config.k1 + 1) / (count + norm[postings.passage[first:last]])

    def engine(question: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        scores = np.zeros(len(postings.length))
        for row in segment.terms.find_many(lexical_tokens(question)).tolist():
            if row >= 0:
                part = slice(int(postings.indptr[row]), int(postings.indptr[row + 1]))
                scores[postings.passage[part]] += score[part]
        best = np.sort(top_k(scores, BEST, scores > 0))
        return best, scores[best]

    return engine


def reference(postings: Postings, config: LexicalConfig) -> Engine:
    """Return rank-bm25 on the same words."""
    from rank_bm25 import BM25Okapi

    passages: list[list[str]] = [[] for _ in range(len(postings.length))]
    for row, word in enumerate(postings.terms):
        part = slice(int(postings.indptr[row]), int(postings.indptr[row + 1]))
        for passage, count in zip(
            postings.passage[part].tolist(), postings.count[part].tolist(), strict=True
        ):
            passages[passage] += [word] * count
    theirs = BM25Okapi(passages, k1=config.k1, b=config.b, epsilon=config.epsilon)

    def engine(question: str) -> NDArray[np.int64]:
        scores = theirs.get_scores(lexical_tokens(question))
        return np.sort(top_k(scores, BEST, scores > 0))

    return engine


def measure(postings: Postings, questions: Sequence[str], largest_reference: int) -> dict[str, Any]:
    """Return times, ratios, and the largest difference between kept scores and those worked out when asked."""
    config, segment = LexicalConfig(), segment_of(postings)
    engines: dict[str, Engine] = {
        "pruned": lambda question: bm25_top(segment, question, BEST, config),
        "all_scores": all_scores(postings, segment, config),
    }
    if len(postings.length) <= largest_reference:
        engines["rank_bm25"] = reference(postings, config)
    times: dict[str, list[float]] = {name: [] for name in engines}
    first_seconds, difference = seconds_of(lambda: engines["pruned"](questions[0])), 0.0
    for question in questions:
        (mine, scores), (theirs, kept) = engines["pruned"](question), engines["all_scores"](question)
        same = bool(np.array_equal(mine, theirs))
        difference = max(difference, float(np.abs(scores - kept).max(initial=0.0)) if same else np.inf)
        bm25_at(segment, question, mine, config)
        for name, engine in engines.items():
            times[name].append(1000 * seconds_of(lambda ask=engine, q=question: ask(q)))  # type: ignore[misc]
    middle = {name: statistics.median(values) for name, values in times.items()}
    return {
        "passages": len(postings.length),
        "postings": len(postings.passage),
        "questions": len(questions),
        "milliseconds": {
            name: {"p50": round(middle[name], 4), "p95": round(float(np.percentile(values, 95)), 4)}
            for name, values in times.items()
        },
        "times_slower_than_pruned": {
            name: round(value / middle["pruned"], 1) for name, value in middle.items() if name != "pruned"
        },
        "first_question_milliseconds": round(1000 * first_seconds, 1),
        "largest_difference": difference,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed of BM25.")
    parser.add_argument("--passages", type=int, nargs="*", default=[10_000], help="sizes of made-up corpora")
    parser.add_argument("--dataset", type=Path, help="a data set's folder or file instead")
    parser.add_argument("--questions", type=int, default=100, help="how many at most")
    parser.add_argument("--reference", type=int, default=20_000, help="most passages for rank-bm25")
    given = parser.parse_args()
    print_json(lambda: {"corpora": measured(given)})


def measured(given: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the numbers of each corpus that was asked for; one is in memory at a time."""
    if given.dataset:
        return [measure(*of_dataset(given.dataset, given.questions), given.reference)]
    return [measure(*synthetic(size, given.questions), given.reference) for size in given.passages]


if __name__ == "__main__":
    main()
