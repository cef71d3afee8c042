"""How fast the rules extract: ``python -m hipporag_like.eval.benchmarks.extraction``.

Prints JSON: passages of 100 words a second of one core's time, for the extractor, for the second pass over
the whole corpus, and for both; and their speed relative to spaCy's blank tokeniser alone on the same
passages in the same process. The ratio is what to compare between machines. Processor time is measured, so
that other work on the machine counts little; the best of several rounds counts.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import spacy

from hipporag_like.config import ExtractConfig
from hipporag_like.errors import InputError, UsageError
from hipporag_like.eval.benchmarks.embedding import made_up_passages
from hipporag_like.indexing.entities import analyse
from hipporag_like.models.rules import RulesExtractor
from hipporag_like.types import Passage

WORDS = 100  # a unit of work; passages differ in length


def read_corpus(path: Path, limit: int | None = None) -> list[Passage]:
    """Return the documents of a ``corpus.jsonl``, one passage each."""
    try:
        with path.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines if line.strip()][:limit]
        return [_passage(str(row["_id"]), str(row["text"]), str(row.get("title", ""))) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no corpus.jsonl with _id and text in each row: {error}") from error


def _passage(name: str, text: str, title: str) -> Passage:
    return Passage(f"{name}#0", name, text, 0, len(text), title)


def measure(passages: Sequence[Passage], rounds: int) -> dict[str, object]:
    """Return speeds and counts.

    Parameters
    ----------
    passages
        At least one.
    rounds
        Each with a fresh extractor, so that nothing is remembered from the one before.

    Raises
    ------
    UsageError
        No passage or no round.
    """
    if not passages or rounds < 1:
        raise UsageError("give at least one passage and one round")
    units = sum(len(p.text.split()) for p in passages) / WORDS
    best = dict.fromkeys(("spacy_tokeniser", "extract", "analyse"), float("inf"))
    for _ in range(rounds):
        tokenise, extractor = spacy.blank("xx").make_doc, RulesExtractor()
        next(extractor.extract(passages))  # loads the pipeline
        started = time.process_time()
        for passage in passages:
            tokenise(passage.text)
        tokenised = time.process_time()
        extractions = list(extractor.extract(passages))
        extracted = time.process_time()
        analysis = analyse(passages, extractions, ExtractConfig())
        took = (tokenised - started, extracted - tokenised, time.process_time() - extracted)
        best = {name: min(best[name], seconds) for name, seconds in zip(best, took, strict=True)}
    both = best["extract"] + best["analyse"]
    return {
        "passages": len(passages),
        "hundred_words": round(units, 1),
        "rounds": rounds,
        "per_second": {name: round(units / s, 1) for name, s in {**best, "both": both}.items()},
        "speed_relative_to_tokeniser": round(best["spacy_tokeniser"] / both, 3),
        "entities": len(analysis.keys),
        "terms": int(analysis.is_term.sum()),
        "facts": len(analysis.fact_passage),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed of extraction by rules.")
    parser.add_argument("--corpus", type=Path, help="a corpus.jsonl; made-up passages if not given")
    parser.add_argument("--passages", type=int, default=2000, help="how many passages")
    parser.add_argument("--rounds", type=int, default=3, help="how often")
    options = parser.parse_args()
    if options.corpus is None:
        texts = made_up_passages(options.passages)
        passages = [_passage(str(i), text.capitalize() + ".", "") for i, text in enumerate(texts)]
    else:
        passages = read_corpus(options.corpus, options.passages)
    sys.stdout.write(json.dumps(measure(passages, options.rounds), indent=2) + "\n")


if __name__ == "__main__":
    main()
