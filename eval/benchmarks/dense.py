"""How good and how fast the search by sign codes is: ``python -m hipporag_like.eval.benchmarks.dense --rows 1000000``.

Prints JSON, in one run, with one thread: the share of the exact best 20 and best 100 that is found, milliseconds a
question (the middle one, the 95th of a hundred, and the first after opening), of the codes and of FAISS's exact search
over float32 rows, and how many times slower that is. Rows and codes are files, mapped into memory, in ``--folder``.

``--vectors FILE.npy --questions FILE.npy`` takes real unit vectors. Where more rows are asked for than there are, the
rest is made of them: half are mixtures of two, half are a row with noise of 0.3 to 1 times its length. Without files
all rows lie about centres in 384 numbers, and questions are rows with noise as long as they are.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.eval.benchmarks.timing import print_json, spread
from hipporag_like.indexing.quantise import sign_codes
from hipporag_like.retrieval.dense import nearest

BEST = 101  # what a query takes (retrieval.fuse.DEPTH + 1)
_BLOCK = 20_000
Rows = NDArray[np.float32]


def unit(rows: NDArray[np.floating]) -> Rows:
    """Return rows of length 1, float32."""
    scaled: Rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def about_centres(n: int, n_questions: int, draw: np.random.Generator) -> tuple[Rows, Rows]:
    """Return made-up rows, and questions about some of them."""
    centres = draw.standard_normal((max(n // 100, 1), 384), dtype=np.float32)
    rows = centres[draw.integers(0, len(centres), n)] + draw.standard_normal((n, 384), dtype=np.float32)
    about = unit(rows[draw.integers(0, n, n_questions)])
    return unit(rows), unit(about + noise(about, 1.0, 1.0, draw))


def noise(rows: Rows, least: float, most: float, draw: np.random.Generator) -> Rows:
    """Return noise for unit rows, of a length between two."""
    length = draw.uniform(least, most, (len(rows), 1)).astype(np.float32)
    return draw.standard_normal(rows.shape, dtype=np.float32) * length / np.float32(np.sqrt(rows.shape[1]))


def more_rows(real: Rows, n: int, draw: np.random.Generator) -> Rows:
    """Return rows made of real ones: mixtures of two, and rows with noise, by turns."""
    one, other = real[draw.integers(0, len(real), n)], real[draw.integers(0, len(real), n)]
    share = draw.uniform(0.5, 1.0, (n, 1)).astype(np.float32)
    mixed = np.arange(n)[:, None] % 2 == 0
    return unit(np.where(mixed, share * one + (1 - share) * other, one + noise(one, 0.3, 1.0, draw)))


def write(folder: Path, real: Rows, n: int, draw: np.random.Generator) -> float:
    """Write ``n`` rows as float16, in no order, and their codes; return the seconds that the codes took."""
    rows = np.lib.format.open_memmap(folder / "rows.npy", "w+", np.float16, (n, real.shape[1]))
    place, given = draw.permutation(n), min(n, len(real))
    for start in range(0, given, _BLOCK):
        rows[place[start : min(start + _BLOCK, given)]] = real[start : min(start + _BLOCK, given)]
    for start in range(given, n, _BLOCK):
        part = place[start : start + _BLOCK]
        rows[part] = more_rows(real, len(part), draw)
    started = time.perf_counter()
    np.save(folder / "codes.npy", sign_codes(rows))
    return time.perf_counter() - started


def exactly(rows: NDArray[np.float16], questions: Rows) -> tuple[Rows, list[float]]:
    """Return the best cosines of each question by FAISS over float32, and the milliseconds it takes."""
    import faiss

    whole = np.asarray(rows, dtype=np.float32)
    faiss.omp_set_num_threads(1)
    best, times = [], []
    for question in questions:
        started = time.perf_counter()
        found, _ = faiss.knn(question[None, :], whole, BEST, metric=faiss.METRIC_INNER_PRODUCT)
        times.append(1000 * (time.perf_counter() - started))
        best.append(found[0])
    return np.array(best), times


def measure(real: Rows, questions: Rows, n: int, folder: Path) -> dict[str, Any]:
    """Return recall and times."""
    seconds = write(folder, real, n, np.random.default_rng(6))
    rows = np.load(folder / "rows.npy", mmap_mode="r").view(np.ndarray)
    codes = np.load(folder / "codes.npy", mmap_mode="r").view(np.ndarray)
    times, found = [], []
    for question in [questions[0], *questions]:
        started = time.perf_counter()
        found.append(nearest(rows, question, BEST, None, codes)[1])
        times.append(1000 * (time.perf_counter() - started))
    best, exact_times = exactly(rows, questions)
    pairs = list(zip(found[1:], best, strict=True))
    mine, theirs = spread(times[1:]), spread(exact_times)
    return {
        "rows": n,
        "given_rows": min(len(real), n),
        "dim": rows.shape[1],
        "questions": len(questions),
        "recall": {
            f"@{k}": round(float(np.mean([_shared(a, b, k) for a, b in pairs])), 5) for k in (20, 100)
        },
        "milliseconds": {"codes": mine, "codes_first_question": round(times[0], 3), "exact": theirs},
        "exact_times_slower": round(theirs["p50"] / mine["p50"], 1),
        "seconds_for_codes": round(seconds, 2),
        "bytes": {"rows": rows.nbytes, "codes": codes.nbytes},
    }


def _shared(found: Rows, best: Rows, k: int) -> float:
    """Return the share of the best ``k`` that was found, by cosines: equal texts have equal vectors."""
    return float((found[:k] >= best[k - 1] - 1e-6).mean())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Recall and speed of the search by sign codes.")
    parser.add_argument("--rows", type=int, default=200_000, help="how many")
    parser.add_argument("--vectors", type=Path, help="a .npy file of unit rows")
    parser.add_argument("--questions", type=Path, help="a .npy file of unit rows; needed with --vectors")
    parser.add_argument("--limit", type=int, default=100, help="questions at most")
    parser.add_argument("--folder", type=Path, help="where the files go; a temporary folder otherwise")
    given = parser.parse_args()
    if (given.vectors is None) != (given.questions is None):
        parser.error("--vectors and --questions go together")
    if given.vectors is None:
        real, questions = about_centres(min(given.rows, 200_000), given.limit, np.random.default_rng(5))
    else:
        real = np.load(given.vectors, mmap_mode="r", allow_pickle=False)
        questions = np.asarray(np.load(given.questions, allow_pickle=False), dtype=np.float32)
        questions = questions[:: max(len(questions) // given.limit, 1)][: given.limit]
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        print_json(lambda: measure(real, questions, given.rows, Path(folder)))


if __name__ == "__main__":
    main()
