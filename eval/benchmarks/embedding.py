"""How fast the embedders are: ``python -m hipporag_like.eval.benchmarks.embedding``.

Prints JSON: texts and word pieces a second for the default embedder as it comes and in float32 and, where torch is
installed, for sentence-transformers as it comes (float32, batches of 32) and for the local embedder in both number
formats, all in this process on the same texts. The ratios are what to compare between machines. Rounds take turns,
so that a disturbance meets all systems; the best round of each counts. CPU seconds of the same rounds stand beside:
they tell less of a busy machine where a library's threads do not spin while they wait for each other.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np

from hipporag_like.errors import InputError
from hipporag_like.eval.benchmarks.timing import ratio
from hipporag_like.indexing.texts import sentence_text
from hipporag_like.models.minilm import WINDOW, MiniLM
from hipporag_like.models.weights import find_weights
from hipporag_like.sentences import sentence_spans

SENTENCES_A_PASSAGE = 3  # about what the dev corpora have
_SYLLABLES = "ba den kor mil tas ver lin gro pas ter on ash el ric dun mor fel ham war ton".split()


def made_up_passages(count: int, seed: int = 0) -> list[str]:
    """Return passages of 20 to 140 words, about the lengths of 2WikiMultiHopQA's, that fit one window."""
    draw = random.Random(seed)
    lexicon = ["".join(draw.choices(_SYLLABLES, k=draw.randint(1, 3))) for _ in range(4000)]
    common = "the of and in to was a is for on by with as at from".split()
    return [
        " ".join(
            draw.choice(common if draw.random() < 0.75 else lexicon) for _ in range(draw.randint(20, 140))
        )
        for _ in range(count)
    ]


def read_passages(path: Path, limit: int) -> list[str]:
    """Return the first ``limit`` passages of a ``corpus.jsonl`` and three times as many sentences, as indexed."""
    try:
        with path.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for _, line in zip(range(limit), lines, strict=False)]
        whole = [f"{row['title']}\n{row['text']}" for row in rows]
        sentences = (
            sentence_text(row["title"], row["text"][start:end])
            for row in rows
            for start, end in sentence_spans(row["text"])
        )
        return whole + list(islice(sentences, SENTENCES_A_PASSAGE * limit))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} is no corpus.jsonl with a text in each row: {error}") from error


def measure(texts: Sequence[str], rounds: int) -> dict[str, object]:
    """Return passages and word pieces a second of each system, and ratios to the default embedder."""
    minilm = MiniLM()
    pieces = sum(min(len(p) + 2, WINDOW) for p in minilm.word_pieces(texts))
    exact = MiniLM(dtype="float32")
    systems: dict[str, Callable[[list[str]], object]] = {
        "minilm": minilm.embed,
        "minilm_float32": exact.embed,
        **_torch_systems(),
    }
    best = dict.fromkeys(systems, float("inf"))
    busy = dict.fromkeys(systems, float("inf"))
    for encode in systems.values():
        encode(list(texts[:8]))
    for _ in range(rounds):
        for name, encode in systems.items():
            started, worked = time.perf_counter(), time.process_time()
            encode(list(texts))
            best[name] = min(best[name], time.perf_counter() - started)
            busy[name] = min(busy[name], time.process_time() - worked)
    speeds = {
        name: {
            "passages_per_second": round(len(texts) / seconds, 1),
            "word_pieces_per_second": round(pieces / seconds),
            "cpu_seconds": round(busy[name], 2),
            "speed_relative_to_minilm": round(best["minilm"] / seconds, 3),
        }
        for name, seconds in best.items()
    }
    cosines = np.einsum("ij,ij->i", minilm.embed(texts), exact.embed(texts))
    measured: dict[str, object] = {
        "passages": len(texts),
        "word_pieces": pieces,
        "rounds": rounds,
        "systems": speeds,
        "smallest_cosine_to_float32": round(float(cosines.min()), 6),
    }
    if "sentence_transformers" in best:
        measured["times_sentence_transformers"] = ratio(best["sentence_transformers"], best["minilm"])
    return measured


def _torch_systems() -> dict[str, Callable[[list[str]], object]]:
    if find_spec("torch") is None or find_spec("sentence_transformers") is None:
        return {}
    from sentence_transformers import SentenceTransformer

    from hipporag_like.models.local import LocalEmbedder

    folder = find_weights()
    plain = SentenceTransformer(str(folder), device="cpu")
    return {
        "sentence_transformers": lambda texts: plain.encode(texts, show_progress_bar=False),
        "local_float32": LocalEmbedder(folder).embed,
        "local_bfloat16": LocalEmbedder(folder, dtype="bfloat16").embed,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed of the embedders.")
    parser.add_argument("--corpus", type=Path, help="a corpus.jsonl; made-up passages if not given")
    parser.add_argument("--passages", type=int, default=300, help="how many passages")
    parser.add_argument("--rounds", type=int, default=3, help="how often each system embeds them")
    options = parser.parse_args()
    if options.corpus is None:
        texts = made_up_passages(options.passages)
    else:
        texts = read_passages(options.corpus, options.passages)
    sys.stdout.write(json.dumps(measure(texts, options.rounds), indent=2) + "\n")


if __name__ == "__main__":
    main()
