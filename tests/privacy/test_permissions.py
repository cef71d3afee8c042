"""Whatever is written is the user's alone, even where the system's default (umask 0) lets everybody read and write."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hipporag_like.store import files

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")

# One process does all that writes: it costs one start of Python and of the compiled code.
SCRIPT = """
import os, sys
os.umask(0)
from typer.testing import CliRunner
from hipporag_like.cli.app import app


def run(line):
    done = CliRunner().invoke(app, line.split(), prog_name="hipporag-like")
    if done.exit_code or done.exception:
        sys.exit(f"{line}: {done.output} {done.exception!r}")

index = "new/folder/index"
run(f"index data/corpus.jsonl --index {index} --embedder hashing")
run(f"index data/more.jsonl --index {index}")
run(f"delete a --index {index}")
for form in ("graphml", "json", "csv"):
    run(f"export --index {index} --format {form} --out out.{form}")
run("eval data --embedder hashing --method bm25 --json eval.json --run-out eval.run")
run("eval --download --json catalogue.json")
run("experiment data --embedder hashing --method bm25 --method dense --out new/experiment")
run("report new/experiment")
run("study knobs data --embedder hashing --knob search.damping=0.4,0.5 --out new/study")
with open(f"{index}/journal.db", "r+b") as file:
    file.seek(os.path.getsize(f"{index}/journal.db") - 3000)
    file.write(b"x" * 600)
CliRunner().invoke(app, ["repair", "--index", index])
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    rows = [
        {"_id": n, "title": n, "text": f"The lamp {n} of Calverin was lit by Ossiane in 1731."}
        for n in "abcd"
    ]
    (data / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (data / "more.jsonl").write_text(
        json.dumps({"_id": "e", "text": "Brisinga wove the sail of Skerrow."}) + "\n"
    )
    asked = {"id": "q", "question": "Who lit the lamp a?", "answers": ["Ossiane"], "supporting": ["a"]}
    (data / "questions.jsonl").write_text(json.dumps(asked) + "\n")
    return tmp_path


def open_to_others(folder: Path, given: set[Path]) -> list[str]:
    """Return what in a folder somebody else could read, write or enter."""
    return [
        f"{path.relative_to(folder)} {stat.filemode(path.stat().st_mode)}"
        for path in sorted(folder.rglob("*"))
        if path not in given and path.stat().st_mode & 0o077
    ]


def test_nothing_that_is_written_is_open_to_others(here, tmp_path_factory):
    given = set(here.rglob("*"))
    # matplotlib keeps a list of the machine's fonts with permissions of its own; no text is in it.
    own = {"XDG_CACHE_HOME": str(here / "cache"), "TMPDIR": str(here)}
    environment = {**os.environ, **own, "MPLCONFIGDIR": str(tmp_path_factory.mktemp("fonts"))}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=here, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    written = {path.name for path in set(here.rglob("*")) - given}
    assert {
        "journal.db",
        "CURRENT",
        "out.csv",
        "out_edges.csv",
        "eval.json",
        "eval.run",
        "results.json",
    } <= written
    assert {"report.html", "report.md", "knobs.md", "knobs.json", "catalogue.json"} <= written
    assert any(".damaged-1" in name for name in written)
    assert open_to_others(here, given) == []


def test_the_log_beside_an_open_journal_is_private(tmp_path):
    from hipporag_like import HippoRAG
    from hipporag_like.config import Config

    before = os.umask(0)
    try:
        rag = HippoRAG(tmp_path / "index", config=Config.from_dict({"embed": {"model": "hashing"}}))
        with files_seen(tmp_path / "index") as seen:
            rag.index(["The lamp of Calverin was lit by Ossiane."])
    finally:
        os.umask(before)
    assert "journal.db-wal" in seen and "journal.db-shm" in seen
    assert [name for name, mode in seen.items() if mode & 0o077] == []


class files_seen:  # noqa: N801 - a context manager used as a function
    """Note every file of a folder at each call of ``os.fsync``: also those that are gone at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, int] = {}

    def __enter__(self) -> dict[str, int]:
        self._real = os.replace
        self._look()

        def replace(source, target, **options):
            self._look()
            return self._real(source, target, **options)

        os.replace = replace
        return self._seen

    def __exit__(self, *_: object) -> None:
        os.replace = self._real
        self._look()

    def _look(self) -> None:
        for path in self._folder.rglob("*"):
            self._seen[path.name] = self._seen.get(path.name, 0) | stat.S_IMODE(path.lstat().st_mode)


def test_a_file_that_others_could_read_is_closed_when_written_again(tmp_path):
    path = tmp_path / "out.json"
    path.write_text("old")
    path.chmod(0o644)
    files.write_private(path, "new\n")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new\n", 0o600)


def test_what_is_no_file_keeps_its_mode():
    mode = os.stat(os.devnull).st_mode
    files.write_private(Path(os.devnull), "gone")
    assert os.stat(os.devnull).st_mode == mode


def test_folders_above_are_private_too_and_those_there_are_left_alone(tmp_path):
    before = os.umask(0)
    try:
        tmp_path.chmod(0o755)
        files.make_folder(tmp_path / "a" / "b")
        files.make_folder(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path, tmp_path / "a", tmp_path / "a" / "b")]
    assert modes == [0o755, 0o700, 0o700]


def test_a_copy_is_private_from_its_first_byte(tmp_path, monkeypatch):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_text("text")
    source.chmod(0o644)
    modes = []
    real = files.shutil.copyfile

    def copyfile(a, b):
        modes.append(stat.S_IMODE(Path(b).stat().st_mode))
        return real(a, b)

    monkeypatch.setattr(files.shutil, "copyfile", copyfile)
    files.copy_private(source, target)
    assert (modes, target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ([0o600], "text", 0o600)
