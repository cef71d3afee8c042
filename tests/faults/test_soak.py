"""Thousands of operations in one process: nothing grows that should not.

``HIPPORAG_LIKE_OPERATIONS`` says how many; ``make faults-long`` does 2,000.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="asks /proc")

PROGRAM = Path(__file__).with_name("soak_run.py")
OPERATIONS = int(os.environ.get("HIPPORAG_LIKE_OPERATIONS", "200"))
MIB = 1 << 20


def run(folder: Path, operations: int, seed: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    command = [sys.executable, str(PROGRAM), str(folder), str(operations), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300 + 3 * operations)
    assert done.returncode == 0, done.stderr[-3000:]
    *rows, end = (json.loads(line) for line in done.stdout.splitlines())
    return rows, end


def least(rows: list[dict[str, Any]], figure: str) -> tuple[int, int]:
    """Return the least of a figure in the second and in the last quarter: a leak never goes, what is in use does."""
    quarter = len(rows) // 4
    return min(row[figure] for row in rows[quarter : 2 * quarter]), min(
        row[figure] for row in rows[-quarter:]
    )


@pytest.mark.slow
def test_a_soak(tmp_path: Path):
    rows, end = run(tmp_path, OPERATIONS, 1)
    assert end["same"] and end["sound"] and end["strays"] == [] and end["snapshots"] <= 2, end
    assert len(end["done"]) == 12
    # What is in use at a moment: a pin, a descriptor for each mapped array of two namespaces.
    assert max(row["fds"] for row in rows) <= rows[0]["fds"] + 24
    for figure in ("fds", "maps", "threads"):
        early, late = least(rows, figure)
        assert late <= early, (figure, [row[figure] for row in rows])
    early, late = least(rows, "rss")
    assert late <= early + 16 * MIB, [row["rss"] for row in rows]  # new words are kept, up to a limit
    early, late = least(rows, "objects")
    assert late <= 1.02 * early, [row["objects"] for row in rows]
    for row in rows:
        assert row["log"] == 0 and row["unused"] <= row["journal"] / 2
        # Two snapshots, of which one may be larger than what is left, and a journal at most half unused.
        assert row["disk"] <= 3 * end["fresh"]["disk"] + 100 * row["live_bytes"]
    assert end["old"]["disk"] <= 2.5 * end["fresh"]["disk"], end
