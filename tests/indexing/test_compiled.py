"""Compiled code on disk: taken where all that it was made of is the same, and without loading the compiler."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

KERNEL = """
import sys
import numpy as np
from hipporag_like.indexing.compiled import compiled
from parts import FACTOR, Pair, step

@compiled
def total(pair: Pair) -> int:
    return FACTOR * step(pair.left) - pair.right

print(total(Pair(np.int64(3), np.int64(1))), total.stats.cache_hits.total(), "numba.np.linalg" in sys.modules)
"""
PARTS = """
from typing import NamedTuple
from hipporag_like.indexing.compiled import inlined

FACTOR = 10

class Pair(NamedTuple):
    left: int
    right: int

@inlined
def step(number: int) -> int:
    return number + 1
"""


def _run(folder: Path, parts: str) -> str:
    (folder / "parts.py").write_text(parts, encoding="utf-8")
    command = [sys.executable, "-B", str(folder / "kernel.py")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_change_in_another_file_is_noticed_and_nothing_else_compiles_again(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(KERNEL, encoding="utf-8")
    assert _run(tmp_path, PARTS) == "39 0 True"
    assert _run(tmp_path, PARTS + "\nunused = 1\n") == "39 1 False"
    assert _run(tmp_path, PARTS.replace("number + 1", "number + 2")) == "49 0 True"
    assert _run(tmp_path, PARTS.replace("FACTOR = 10", "FACTOR = 20")) == "79 0 True"
    swapped = PARTS.replace("left: int\n    right: int", "right: int\n    left: int")
    assert _run(tmp_path, swapped) == "17 0 True"
    assert _run(tmp_path, PARTS.replace("Pair", "Two") + "\nPair = Two\n") == "39 0 True"
    assert len(list((tmp_path / "__pycache__").glob("*.nbc"))) == 1
