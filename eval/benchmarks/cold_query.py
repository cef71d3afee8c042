"""How long a question takes from the shell: ``python -m hipporag_like.eval.benchmarks.cold_query``.

Prints JSON: median wall seconds of three processes, and ratios.

``python``
    ``python -c pass``: what no program in Python can be faster than.
``embedding``
    The index's embedder is loaded and embeds the question: what any retrieval with this embedder must do.
``query``
    ``hipporag-like query QUESTION --index DIR --method METHOD``, from a process that knows nothing.

The processes take turns, so that a disturbance meets all three. A first, uncounted round fills the file
system's cache and numba's.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hipporag_like.config import METHODS
from hipporag_like.errors import ModelError
from hipporag_like.eval.benchmarks.timing import median, print_json, ratio, seconds_of
from hipporag_like.rag import HippoRAG

ROUNDS = 5
QUESTION = "Where was the founder of the oldest guild born?"
_EMBED = """
import sys
from hipporag_like.config import EmbedConfig
from hipporag_like.models.embedders import load_embedder
load_embedder(EmbedConfig(model=sys.argv[1])).embed([sys.argv[2]], "query")
"""


def measure(
    index: Path, question: str = QUESTION, method: str = "graph", rounds: int = ROUNDS
) -> dict[str, Any]:
    """Return median wall seconds and their ratios.

    Parameters
    ----------
    index
        An index folder.
    question, method
        What is asked, and how.
    rounds
        How often each process is started.

    Raises
    ------
    IndexNotFoundError
        There is no index.
    ModelError
        One of the processes failed.
    """
    with HippoRAG(index, read_only=True) as rag:
        model, passages = rag.config.embed.model, int(rag.stats()["passages"])
    query = ["-m", "hipporag_like.cli", "query", question, "--index", str(index), "--method", method]
    commands = {"python": ["-c", "pass"], "embedding": ["-c", _EMBED, model, question], "query": query}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for counted in range(rounds + 1):
        for name, command in commands.items():
            took = seconds_of(partial(_run, command))
            if counted:
                seconds[name].append(took)
    medians = {name: median(values) for name, values in seconds.items()}
    return {
        "passages": passages,
        "embedder": model,
        "method": method,
        "rounds": rounds,
        "seconds": medians,
        "query_to_embedding": ratio(medians["query"], medians["embedding"]),
        "query_to_python": ratio(medians["query"], medians["python"]),
        "query_beyond_embedding_seconds": round(medians["query"] - medians["embedding"], 6),
    }


def _run(command: Sequence[str]) -> None:
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    if done.returncode:
        raise ModelError(f"a measured process failed: {' '.join(done.stderr.split())[-300:]}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Wall time of a query from the shell.")
    parser.add_argument("--index", type=Path, required=True, help="an index folder")
    parser.add_argument("--question", default=QUESTION, help="what is asked")
    parser.add_argument("--method", choices=METHODS, default="graph", help="how it is searched")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each process is started")
    options = parser.parse_args()
    print_json(partial(measure, options.index, options.question, options.method, options.rounds))


if __name__ == "__main__":
    main()
