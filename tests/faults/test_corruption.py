"""Every file of an index damaged in many ways: noticed with a sentence that helps, or without any effect."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("corruption_run.py")
_spec = importlib.util.spec_from_file_location("corruption_run", PROGRAM)
corruption = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(corruption)

KINDS = ("plain", "triples")
# Of some 2,500 an index; `make faults-long` takes all.
FAULTS = int(os.environ.get("HIPPORAG_LIKE_FAULTS", "200"))
NEVER_READ = ("writer.lock", "checked.json")  # altering these alters nothing
GOOD = {"refused", "verify", "harmless", "same", "whole", "less"}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("corruption")
    return {kind: corruption.build(base / kind, kind) for kind in KINDS}


def files_of(index: Path) -> list[Path]:
    """Return the files of the index but those of the snapshot before the published one."""
    old = index / "snapshots" / "1"
    return sorted(p for p in index.rglob("*") if p.is_file() and old not in p.parents)


def sample_of(index: Path, seed: int, count: int | None, flips: int) -> list[Any]:
    rng = random.Random(seed)
    files = files_of(index)
    faults = [
        [str(path.relative_to(index)), fault]
        for path in files
        for fault in corruption.faults_of(path, files, rng, flips if path.suffix != ".db" else 40 * flips)
    ]
    return faults if count is None else rng.sample(faults, min(count, len(faults)))


def run_faults(
    built: Path, where: Path, kind: str, faults: list[Any], test: str = "outcome", small_bytes: int = 0
) -> list[dict[str, Any]]:
    """Return what each fault came to; an interpreter that dies is a fault whose outcome is missing."""
    shutil.copytree(built, where / "index")
    task = {"kind": kind, "test": test, "faults": faults, "small_bytes": small_bytes}
    (where / "task.json").write_text(json.dumps(task))
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(where / "index"), str(where / "task.json")],
        capture_output=True,
        text=True,
        timeout=3600,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (done.returncode, rows[-1:], done.stderr[-2000:])
    rows = [row for row in rows if "outcome" in row]
    assert len(rows) == len(faults)
    return rows


def assert_good(rows: list[dict[str, Any]]) -> None:
    bad = [row for row in rows if row["outcome"] not in GOOD]
    assert not bad, (len(bad), Counter(row["outcome"] for row in bad), bad[:5])


def assert_noticed(rows: list[dict[str, Any]]) -> None:
    """All faults are good, and those that matter are noticed: nothing but the journal has bytes of no meaning."""
    assert_good(rows)
    for row in rows:
        if row["outcome"] == "harmless" and row["file"] not in ("journal.db", "CURRENT"):
            assert row["file"].endswith(NEVER_READ) or row["fault"][0] == "replace", row
    assert {row["outcome"] for row in rows} >= {"refused"}


@pytest.mark.parametrize("small_bytes", [0, 200], ids=["as it is", "all arrays large"])
def test_some_faults(tmp_path, built, small_bytes):
    faults = sample_of(built["triples"], 1, 20, 6)
    rows = run_faults(built["triples"], tmp_path, "triples", faults, small_bytes=small_bytes)
    assert_noticed(rows)


@pytest.mark.slow
@pytest.mark.parametrize("small_bytes", [0, 200], ids=["as it is", "all arrays large"])
@pytest.mark.parametrize("kind", KINDS)
def test_faults_in_every_file(tmp_path, built, kind, small_bytes):
    faults = sample_of(built[kind], 2 + small_bytes, FAULTS, 6)
    rows = run_faults(built[kind], tmp_path, kind, faults, small_bytes=small_bytes)
    assert_noticed(rows)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_journal_is_never_made_into_a_snapshot(tmp_path, built, kind):
    journal = [fault for fault in sample_of(built[kind], 3, None, 6) if fault[0] == "journal.db"]
    faults = random.Random(5).sample(journal, min(len(journal), FAULTS // 4))
    rows = run_faults(built[kind], tmp_path, kind, faults, "used")
    assert_good(rows)
    assert {row["outcome"] for row in rows} >= {"refused", "same"}


@pytest.mark.slow
@pytest.mark.parametrize("small_bytes", [0, 200], ids=["as it is", "all arrays large"])
def test_what_is_damaged_is_never_added_to(tmp_path, built, small_bytes):
    faults = sample_of(built["plain"], 6 + small_bytes, FAULTS // 2, 6)
    rows = run_faults(built["plain"], tmp_path, "plain", faults, "updated", small_bytes=small_bytes)
    assert_good(rows)  # of a journal few rows are read, so that a small sample may have none that is refused


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_repair_mends_every_fault(tmp_path, built, kind):
    faults = sample_of(built[kind], 4, FAULTS // 2, 6)
    rows = run_faults(built[kind], tmp_path, kind, faults, "mended")
    assert_good(rows)
    snapshot = [row for row in rows if row["file"] != "journal.db"]
    assert {row["outcome"] for row in snapshot} == {"whole"}, [
        r for r in snapshot if r["outcome"] != "whole"
    ][:5]
