"""Types random command lines: a documented exit code and one sentence must come of each, and the index stays sound.

    python fuzz_cli_run.py cli NUMBER SEED

One JSON line goes to stdout: executions, seconds, how many lines were done (``accepted``) or refused, and each
failure with its line. All run in this process, as ``hipporag-like`` would be called, each in the same folder:
what one changes is put back before the next.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import fuzz_cli_lines as lines
from typer.main import get_command

from hipporag_like.indexing.office_worker import limit_memory

CODES = (0, 1, 2)
SECONDS = 60  # of one line; more is a hang
MEMORY = 6 << 30  # bytes; a line that needs more reads what never ends
READ = ("my_index/journal.db-wal", "my_index/journal.db-shm", "checked.json")  # reading leaves these
CHECK_EVERY = 20  # changes of the index between two that are looked at closely
QUESTION = 'query "Who lit the lamp of Calverin?" --index my_index --json'
# Nothing leaves the machine: every address is refused at once.
CLOSED = "http://127.0.0.1:9"
CLEAN = {
    **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), CLOSED),
    **{"COLUMNS": "80", "HF_HUB_OFFLINE": "1", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
}
UNSET = ("HIPPORAG_LIKE_INDEX", "HIPPORAG_LIKE_DEBUG", "OPENAI_API_KEY", "OPENAI_BASE_URL")


class Hang(BaseException):
    """A line that does not end."""


@dataclass(frozen=True)
class Told:
    """What a line gave; ``raised`` is what no sentence was made of."""

    code: int
    stdout: str
    stderr: str
    raised: str = ""


def call(line: lines.Line) -> Told:
    """Run a line as the installed program does."""
    from hipporag_like.cli import main

    streams = [io.TextIOWrapper(io.BytesIO(line.stdin), encoding="utf-8", errors="surrogateescape")]
    streams += [
        io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors=how) for how in ("strict", "backslashreplace")
    ]
    environment = {name: value for name, value in os.environ.items() if name not in UNSET}
    code, raised, hook = 0, "", sys.excepthook
    with (
        mock.patch.dict(os.environ, {**environment, **CLEAN, **line.env}, clear=True),
        mock.patch.multiple(sys, argv=["hipporag-like", *line.words]),
        mock.patch("typer.main.get_command", lambda app: _command()),  # it takes longer than most lines
        mock.patch("os.fsync", lambda descriptor: None),  # no machine goes down here
        mock.patch.multiple(sys, stdin=streams[0], stdout=streams[1], stderr=streams[2]),
        limited(),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            raised = "".join(traceback.format_exception(error)[-4:])
        finally:
            sys.excepthook = hook
    said = []
    for stream in streams[1:]:
        stream.flush()
        said.append(stream.buffer.getvalue().decode("utf-8", "replace"))
        stream.detach()
    return Told(code, said[0], said[1], raised)


@cache
def _command() -> Any:
    from hipporag_like.cli.app import app

    return get_command(app)


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Raise :class:`Hang` in what takes too long."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def wrong_with(line: lines.Line, told: Told) -> str:
    """Return what is wrong with the answer to a line; empty where nothing is."""
    if told.raised:
        return told.raised
    if told.code not in CODES:
        return f"exit code {told.code}"
    if line.env.get("HIPPORAG_LIKE_DEBUG"):
        return ""  # asks for tracebacks
    if "Traceback" in told.stderr or "unexpected error" in told.stderr:
        return f"a traceback: {told.stderr[-500:]}"
    if told.code == 0:
        return "an error and exit code 0" if "\nerror: " in f"\n{told.stderr}" else ""
    if (
        told.code == 2
        and "--json" in line.words
        and line.words[0] == "index"
        and '"failures": [' in told.stdout
    ):
        return ""  # the reasons are in the report
    if "error: " not in told.stderr:
        # Findings of verify and losses of repair are results; the help of a bare command is on stderr.
        good = told.code == 1 and line.words[:1] in (("verify",), ("repair",))
        return (
            ""
            if good or "Usage: " in told.stderr
            else f"exit code {told.code} without a sentence: {told.stderr!r}"
        )
    errors = [row for row in told.stderr.split("\n") if row.startswith("error: ")]
    last = told.stderr.rstrip("\n").split("\n")[-1]
    if len(errors) != 1 or last != errors[0]:
        return f"not one sentence at the end: {told.stderr[-500:]!r}"
    return "" if len(last) < 3000 else f"a sentence of {len(last)} characters: {last[:300]!r}"


class Place:
    """The folder where lines are typed, and what it looked like."""

    def __init__(self, top: Path) -> None:
        self.base, self.here = top / "base", top / "a" / "b" / "here"
        self.base.mkdir()
        self.here.parent.mkdir(parents=True)
        lines.make_folder(self.base)
        os.chdir(self.base)
        made = call(lines.Line(("index", "corpus.jsonl", "--index", "my_index", "--embedder", "hashing")))
        asked = call(lines.Line(tuple(_split(QUESTION))))
        if made.code or asked.code or asked.stdout.count("\n") < 3:
            raise RuntimeError(made.stderr + made.raised + asked.stderr + asked.raised)
        self.answer = asked.stdout
        self.changes = 0
        self._put_back()

    def _put_back(self) -> None:
        os.chdir(self.base)
        for path in self.here.parent.iterdir():
            _remove(path)
        self.here.mkdir()
        for path in sorted(self.base.rglob("*")):
            target = self.here / path.relative_to(self.base)
            if path.is_symlink():
                target.symlink_to(os.readlink(path))
            elif path.is_dir():
                target.mkdir(exist_ok=True)
            elif path.is_fifo():
                os.mkfifo(target)
            else:
                shutil.copy2(path, target)
        os.chdir(self.here)
        self._state = self._look()

    def _look(self) -> dict[str, tuple[int, ...]]:
        """Return what tells whether a file was changed, by name."""
        found, pending = {}, [str(self.here.parent)]
        while pending:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    stat = entry.stat(follow_symlinks=False)
                    found[entry.path] = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_mode)
                    if entry.is_dir(follow_symlinks=False):
                        found[entry.path] = (stat.st_mode,)
                        pending.append(entry.path)
        return found

    def settle(self, told: Told) -> str:
        """Put back what a line changed; return what is wrong with the index after it."""
        state = self._look()
        names = state.keys() | self._state.keys()
        altered = {name for name in names if state.get(name) != self._state.get(name)}
        if all(name.endswith(READ) for name in altered):
            self._state = state
            return ""
        mine = str(self.here / "my_index")
        published = {n for n in altered if n.startswith((f"{mine}/CURRENT", f"{mine}/snapshots"))}
        published = {n for n in published if not n.endswith("checked.json")}
        self.changes += bool(published)
        found = ""
        if told.code and (published or self.changes % CHECK_EVERY == 0):
            again = call(lines.Line(tuple(_split(QUESTION))))
            if again.stdout != self.answer:
                found = f"the index answers differently after exit code {told.code}: {again.stderr[-300:]}"
        if not found and published and self.changes % CHECK_EVERY == 0:
            sound = call(lines.Line(("verify", "--index", "my_index")))
            found = f"the index is damaged: {sound.stdout[-300:]} {sound.stderr[-300:]}" if sound.code else ""
        self._put_back()
        return found


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _split(text: str) -> list[str]:
    import shlex

    return shlex.split(text)


def fuzz(number: int, seed: int) -> dict[str, Any]:
    """Return what ``number`` lines came to."""
    start, before = time.monotonic(), Path.cwd()
    failures: list[dict[str, Any]] = []
    codes, commands, slowest = dict.fromkeys(CODES, 0), set(), (0.0, "")
    maker = lines.Lines()
    with tempfile.TemporaryDirectory() as name:
        try:
            place = Place(Path(name).resolve())
            for case in range(number):
                line = maker.make(random.Random(f"cli {seed} {case}"))
                began = time.monotonic()
                told = call(line)
                slowest = max(slowest, (round(time.monotonic() - began, 1), " ".join(line.words)[:200]))
                wrong = wrong_with(line, told) or place.settle(told)
                if not wrong:
                    codes[told.code] += 1
                    commands |= set(line.words[:1]) & maker.commands
                elif len(failures) < 20:
                    failures.append({"what": wrong, "case": case, **_shown(line)})
                if wrong:
                    place.settle(told)
        finally:
            os.chdir(before)
    return {
        **{
            "target": "cli",
            "seed": seed,
            "executions": number,
            "seconds": round(time.monotonic() - start, 1),
        },
        **{"accepted": codes[0], "refused": codes[1] + codes[2], "codes": codes, "commands": len(commands)},
        **{"slowest": slowest, "failures": failures},
    }


def _shown(line: lines.Line) -> dict[str, Any]:
    return {**asdict(line), "stdin": line.stdin[:200].decode("latin-1")}


def main() -> None:
    """Fuzz the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=("cli",))
    parser.add_argument("number", type=int)
    parser.add_argument("seed", type=int)
    asked = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when it is imported
    limit_memory(MEMORY)
    told = fuzz(asked.number, asked.seed)
    sys.stdout.write(json.dumps(told) + "\n")
    sys.exit(bool(told["failures"]))


if __name__ == "__main__":
    main()
