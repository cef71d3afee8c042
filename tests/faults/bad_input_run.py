"""Runs the cases of ``bad_input_cases.py``; as a program it writes docs/bad_input.md from them."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bad_input_cases import CASES, INDEX, Case, Q
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "bad_input.md"
DOCUMENTS = 40  # of the sample; enough to be told from an empty index
CLEAN = {
    **{"COLUMNS": "80", "HIPPORAG_LIKE_DEBUG": None, "HIPPORAG_LIKE_INDEX": None},
    **{"OPENAI_API_KEY": None, "OPENAI_BASE_URL": None, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
}
HEAD = """# Bad input

What happens when something is wrong with what is typed, read or stored. Each line is run by
`tests/faults/test_bad_input.py`, and `tests/faults/bad_input_run.py` writes this page from the same cases, so
it says what the program says. Exit code 0 is fine, 2 is a mistake in what was typed or handed in, 1 is
anything else. Data goes to stdout; the sentence below is all that comes on stderr, except where several
sources fail: then a table of them stands above it. In no case is there a traceback, and what was in the index
before is there after.

| kind | typed | exit code | on stderr |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Result:
    """What a command line gave. ``error`` is an exception nobody turned into a sentence."""

    code: int
    stdout: str
    stderr: str
    error: BaseException | None = None


def make_folder(folder: Path) -> None:
    """Make the folder that every case starts from: ``corpus.jsonl`` and its index ``my_index``."""
    lines = (ROOT / "eval" / "sample" / "corpus.jsonl").read_bytes().splitlines(keepends=True)
    folder.mkdir()
    (folder / "corpus.jsonl").write_bytes(b"".join(lines[:DOCUMENTS]))
    with inside(folder):
        made = call(INDEX)
    if made.code or made.error:
        raise RuntimeError(made.stderr) from made.error


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in ``folder``."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def call(line: str, stdin: bytes = b"") -> Result:
    """Run a command line in this process."""
    from hipporag_like.cli.app import app

    done = CliRunner(env=CLEAN).invoke(app, shlex.split(line), input=stdin, prog_name="hipporag-like")
    error = None if isinstance(done.exception, SystemExit) else done.exception
    return Result(done.exit_code, done.stdout, done.stderr, error)


def call_shell(line: str) -> Result:
    """Run a line in a shell, with ``hipporag-like`` in its path; the code is that of the first command."""
    Path("bin").mkdir()
    program = Path("bin/hipporag-like")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hipporag_like.cli "$@"\n')
    program.chmod(0o700)
    env = {**os.environ, "PATH": f"{program.parent.resolve()}:{os.environ['PATH']}", "COLUMNS": "80"}
    script = f"{line}\nexit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, timeout=120)
    return Result(done.returncode, done.stdout, done.stderr)


def run(case: Case, base: Path, folder: Path) -> Result:
    """Run a case in ``folder``, a fresh copy of ``base``."""
    shutil.copytree(base, folder)
    with inside(folder):
        case.setup()
        with case.during():
            return call_shell(case.typed) if case.shell else call(case.typed, case.stdin)


def answer(folder: Path) -> Result:
    """Ask the index in ``folder``."""
    with inside(folder):
        return call(f"{Q} --json")


def sentence(result: Result, folder: Path) -> str:
    """Return stderr as one line that is the same on every machine and in every run."""
    text = " ".join(result.stderr.split()).replace(f"{folder}/", "")
    return re.sub(r"\(pid \d+\)", "(pid N)", text)


def row(case: Case, said: str) -> str:
    """Return the line of the page for a case."""
    typed = case.typed if case.shell else f"hipporag-like {case.typed}"
    last = said[said.rfind("error: ") :] if case.code else said
    cells = (case.kind, f"`{typed}`", str(case.code), last or "nothing")
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\t", "<TAB>") for cell in cells) + " |"


def main() -> None:
    """Run all cases and write the page."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name).resolve()
        make_folder(top / "base")
        rows = []
        for number, case in enumerate(CASES):
            folder = top / str(number)
            rows.append(row(case, sentence(run(case, top / "base", folder), folder)))
    PAGE.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE}: {len(rows)} cases\n")


if __name__ == "__main__":
    main()
