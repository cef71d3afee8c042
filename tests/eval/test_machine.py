"""What numbers were made with: the commit of our own code or none, a digest that follows the code, memory."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from hipporag_like.eval import machine


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of the same shape, in a folder of its own; yields that folder."""
    folders = {"hipporag_like": tmp_path / "src"}
    for stage in ("indexing", "retrieval", "eval"):
        folders[f"hipporag_like.{stage}"] = tmp_path / "src" / stage
    for name in ("__init__.py", "rag.py", "cli/index.py", "models/weights.npy", "retrieval/fuse.py"):
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("one", encoding="utf-8")
    for name in ("eval/scores.py", "eval/report.py", "indexing/chunk.py", "models/__pycache__/x.pyc"):
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("one", encoding="utf-8")
    monkeypatch.setattr(machine, "files", lambda name: folders[name])
    return tmp_path / "src"


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("rag.py", True),
        ("models/weights.npy", True),
        ("retrieval/fuse.py", True),
        ("indexing/chunk.py", True),
        ("eval/scores.py", True),
        ("eval/report.py", False),
        ("cli/index.py", False),
        ("models/__pycache__/x.pyc", False),
    ],
)
def test_the_digest_changes_with_the_code_that_results_depend_on(package, name, counts):
    before = machine.code_digest()
    assert machine.code_digest() == before
    (package / name).write_text("two", encoding="utf-8")
    assert (machine.code_digest() != before) is counts


def test_a_renamed_file_changes_the_digest(package):
    before = machine.code_digest()
    (package / "rag.py").rename(package / "gar.py")
    assert machine.code_digest() != before


def test_every_file_of_scoring_exists():
    """A name that is misspelt here would let results stand that other code made."""
    folder = Path(str(machine.files("hipporag_like.eval")))
    assert [name for name in machine._SCORING if not (folder / name).is_file()] == []


def git(folder, *arguments):
    options = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *options, *arguments], check=True, capture_output=True)


def test_the_commit_is_that_of_our_own_code_or_none(package):
    assert machine.made_with()["commit"] is None  # no checkout
    git(package.parent, "init")
    (package.parent / "mine.txt").write_text("mine", encoding="utf-8")
    git(package.parent, "add", "mine.txt")
    git(package.parent, "commit", "-m", "mine")
    made = machine.made_with()
    assert (made["commit"], made["dirty"]) == (None, None)  # a copy inside someone else's checkout
    git(package.parent, "add", "src")
    git(package.parent, "commit", "-m", "src")
    made = machine.made_with()
    assert len(made["commit"]) == 40 and made["dirty"] is False
    (package / "rag.py").write_text("two", encoding="utf-8")
    assert machine.made_with()["dirty"] is True


def test_without_git_there_is_no_commit(package, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert machine.made_with()["commit"] is None


def test_the_machine_is_named_in_json_values():
    made = machine.made_with()
    json.dumps(made, allow_nan=False)
    assert made["cores"] >= 1 and made["cpu"] and made["platform"] and made["python"].startswith("3.")
    assert datetime.fromisoformat(made["at"]).utcoffset() == timedelta(0)


def test_the_peak_sees_memory_that_was_given_back():
    machine.start_of_peak()
    before = machine.peak_mb()
    if before is None:
        pytest.skip("this system does not tell how much memory a process took")
    size = int(before * 1e6) + 50_000_000  # above any peak there was, where it cannot be started anew
    np.ones(size, dtype=np.uint8).sum()
    assert machine.peak_mb() >= size / 1e6 * 0.9
