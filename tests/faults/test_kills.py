"""Killed at random moments of every stage, by any step: nothing of it shows once the step is run again.

``HIPPORAG_LIKE_KILLS`` says how often; ``make faults-long`` kills 300 times.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")

PROGRAM = Path(__file__).with_name("kill_run.py")
NAMED = {"load", "extract", "embed", "journal commit", "snapshot write", "publish", "compaction", "delete"}
KILLS = int(os.environ.get("HIPPORAG_LIKE_KILLS", "20"))


def kill(where: Path, count: int, seed: int) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(where), str(count), str(seed)],
        capture_output=True,
        text=True,
        timeout=120 + 20 * count,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_kills_at_random_moments(tmp_path: Path):
    rows = kill(tmp_path, KILLS, 7)
    assert len(rows) == KILLS
    assert [row for row in rows if row["wrong"]] == []
    assert sum(bool(row["killed"]) for row in rows) >= 0.9 * KILLS  # a moment may not come again
    assert {row["stage"] for row in rows} >= NAMED
    assert len({row["step"] for row in rows}) >= 5
