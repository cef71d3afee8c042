"""Every regular expression of the package on text made to keep it busy: none takes more than a moment.

A time is never compared with another one. A pattern that stands still for ``PATIENCE`` seconds at one text has failed;
one that goes over its text once needs a thousandth of that.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("regex_run.py")
_spec = importlib.util.spec_from_file_location("regex_run", PROGRAM)
regexes = importlib.util.module_from_spec(_spec)
sys.modules["regex_run"] = regexes
_spec.loader.exec_module(regexes)

PATIENCE = 20.0  # seconds; what is over by then on a busy machine is no catastrophe
# Characters. Work that doubles with each character never ends at the first, and work that grows with the cube of the
# length takes hours at the second.
SHORT, LONG = 600, 20_000


def lines_of(length: int, first: int, patience: float) -> list[dict[str, Any]]:
    """Return what the program printed until it ended, or stood still."""
    command = [sys.executable, str(PROGRAM), "try", str(length), str(first)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said: queue.Queue[str | None] = queue.Queue()

    def listen() -> None:
        for line in process.stdout:
            said.put(line)
        said.put(None)

    threading.Thread(target=listen, daemon=True).start()
    found, wait = [], 600.0  # the first line comes once all modules are imported
    try:
        while (line := said.get(timeout=wait)) is not None:
            found.append(json.loads(line))
            wait = patience
    except queue.Empty:
        process.kill()
    error = process.communicate()[1]
    assert found and process.returncode in (0, -9), error[-3000:]
    return found


def tried(length: int, patience: float = PATIENCE) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return a row for each pattern that was tried to the end, and one for each that stood still."""
    done: list[dict[str, Any]] = []
    still: list[dict[str, Any]] = []
    first = 0
    while True:
        lines = lines_of(length, first, patience)
        done += [line for line in lines if "texts" in line]
        if not lines[-1].get("begun"):
            return done, still
        still.append(lines[-1])
        first = lines[-1]["number"] + 1
        if first == len(regexes.found_patterns()):
            return done, still


def test_every_pattern_of_the_sources_is_found():
    found = regexes.found_patterns()
    using = {
        str(path.relative_to(regexes.ROOT))
        for path, _ in regexes.sources()
        if any(regexes.calls(tree := ast.parse(path.read_text(encoding="utf-8")), regexes.imports_re(tree)))
    }
    assert len(found) > 250
    assert using - set().union(*(pattern.files for pattern in found)) == set()


@pytest.mark.parametrize(("pattern", "linear"), [("a*b", True), ("(a*)*b", False), ("(a|aa)*b", False)])
def test_the_check_finds_a_catastrophe(pattern: str, linear: bool):
    found = regexes.Found("here", pattern, 0, ("fullmatch",))
    longest = next(text for text in regexes.adversaries(found, 24) if set(text) == {"a"})
    code = f"import re; re.fullmatch({pattern!r}, {longest!r} * 3)"
    command = [sys.executable, "-c", code]
    if linear:
        assert subprocess.run(command, timeout=60).returncode == 0
    else:
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(command, timeout=2)


def test_no_pattern_stands_still():
    done, still = tried(SHORT)
    assert still == []
    assert len(done) == len(regexes.found_patterns())


@pytest.mark.slow
def test_no_pattern_stands_still_at_a_long_text():
    """What goes over its text once for each of its characters takes minutes here."""
    done, still = tried(LONG, PATIENCE * 3)
    assert still == []
    assert len(done) == len(regexes.found_patterns())
