"""How fast the embedders are: ``python -m hipporag_like.eval.benchmarks.embedding``.

Prints JSON: passages and word pieces a second for the default embedder and, where torch is installed, for
sentence-transformers as it comes and for the local embedder in both number formats, all in this process
on the same passages. The ratios are what to compare between machines. Rounds take turns, so that a
disturbance meets all systems; the best round of each counts.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from hipporag_like.errors import InputError
from hipporag_like.models.minilm import WINDOW, MiniLM
from hipporag_like.models.weights import find_weights

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
    """Return the first ``limit`` texts of a ``corpus.jsonl``."""
    try:
        with path.open(encoding="utf-8") as lines:
            return [str(json.loads(line)["text"]) for _, line in zip(range(limit), lines, strict=False)]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} is no corpus.jsonl with a text in each row: {error}") from error


def measure(texts: Sequence[str], rounds: int) -> dict[str, object]:
    """Return passages and word pieces a second of each system, and ratios to the default embedder."""
    minilm = MiniLM()
    pieces = sum(min(len(p) + 2, WINDOW) for p in minilm.word_pieces(texts))
    systems: dict[str, Callable[[list[str]], object]] = {"minilm": minilm.embed, **_torch_systems()}
    best = dict.fromkeys(systems, float("inf"))
    for encode in systems.values():
        encode(list(texts[:8]))
    for _ in range(rounds):
        for name, encode in systems.items():
            started = time.perf_counter()
            encode(list(texts))
            best[name] = min(best[name], time.perf_counter() - started)
    speeds = {
        name: {
            "passages_per_second": round(len(texts) / seconds, 1),
            "word_pieces_per_second": round(pieces / seconds),
            "speed_relative_to_minilm": round(best["minilm"] / seconds, 3),
        }
        for name, seconds in best.items()
    }
    return {"passages": len(texts), "word_pieces": pieces, "rounds": rounds, "systems": speeds}


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
