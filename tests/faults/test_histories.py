"""Any history is an index built at once; no namespace and no filter lets anything through.

``HIPPORAG_LIKE_HISTORIES`` and ``HIPPORAG_LIKE_ISOLATION`` say how many; ``make faults-long`` takes 500 of each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HISTORIES = int(os.environ.get("HIPPORAG_LIKE_HISTORIES", "12"))
CASES = int(os.environ.get("HIPPORAG_LIKE_ISOLATION", "12"))


def random_cases(program: str, count: int, seed: int) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(program)), str(count), str(seed)],
        capture_output=True,
        text=True,
        timeout=300 + 60 * count,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == count
    return rows


@pytest.mark.parametrize("program", ["equivalence_run.py", "isolation_run.py"])
def test_a_few(program: str):
    assert [row for row in random_cases(program, 1, 5) if row["wrong"]] == []


@pytest.mark.slow
def test_histories():
    rows = random_cases("equivalence_run.py", HISTORIES, 7)
    assert [row for row in rows if row["wrong"]] == []
    assert {row["preset"] for row in rows} == {"light", "full"}
    assert {row["extractor"] for row in rows} == {"rules", "triples"}
    assert sum(bool(row["documents"]) for row in rows) > 0.6 * len(rows)


@pytest.mark.slow
def test_isolation():
    rows = random_cases("isolation_run.py", CASES, 7)
    assert [row for row in rows if row["wrong"]] == []
    assert {row["preset"] for row in rows} == {"light", "full"}
