"""One writer that is killed now and then, a second one, readers in processes and threads: every answer fits one state.

``HIPPORAG_LIKE_SECONDS`` says for how long; ``make faults-long`` takes ten minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")

PROGRAM = Path(__file__).with_name("concurrency_run.py")
SECONDS = int(os.environ.get("HIPPORAG_LIKE_SECONDS", "60"))
MIB = 1024  # KiB


def run(folder: Path, seconds: float, seed: int) -> dict[str, Any]:
    command = [sys.executable, str(PROGRAM), str(folder / "run"), str(seconds), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3 * seconds + 400)
    assert done.returncode == 0, done.stderr[-3000:]
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["wrong"] == [], (result["wrong"], done.stderr[-3000:])
    return result


@pytest.mark.slow
def test_writers_and_readers_for_a_moment(tmp_path: Path):
    result = run(tmp_path, 2, 3)
    assert result["killed"]["writer"] >= 1 and result["killed"]["reader"] >= 1
    assert result["refused"] >= 1 and result["states seen whole"] >= 3


@pytest.mark.slow
def test_writers_and_readers_for_long(tmp_path: Path):
    result = run(tmp_path, SECONDS, 5)
    (tmp_path / "result.json").write_text(json.dumps(result))
    assert result["killed"]["writer"] >= SECONDS / 20
    assert result["published"] >= 10 and result["refused"] >= 5
    assert result["snapshots read"] >= 5 and result["compared with a fresh index"] >= 20
    # The published one, the one before, one that is being made, and one for each of four readers and what it held.
    assert result["most snapshots on disk"] <= 11
    for name, figures in result["least"].items():
        if figures["fds"]:
            assert figures["fds"][1] <= figures["fds"][0] + 3, (name, figures)
        if figures["rss"]:
            # Words are kept up to a limit, and new ones come all the time.
            assert figures["rss"][1] <= figures["rss"][0] + 24 * MIB, (name, figures)
