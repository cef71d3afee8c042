"""Work in a process of its own, with the memory that it and its children took together.

``python -m hipporag_like.eval.benchmarks.scale_process MODULE:FUNCTION JSON`` calls a function of this package's
benchmarks with keyword arguments and prints what it returns, as JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hipporag_like.errors import HippoRAGLikeError, ModelError

PACKAGE = "hipporag_like.eval.benchmarks"
_EVERY = 0.1  # seconds between two looks at the memory; reading /proc takes some milliseconds
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def run_apart(function: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a function returns in a fresh process, with the seconds and the memory that it took.

    Parameters
    ----------
    function
        ``MODULE:FUNCTION`` of this package's benchmarks.
    arguments
        JSON values by name.

    Returns
    -------
    dict
        What the function returned; and ``process``: ``seconds`` from start to end, and ``peak_mb``, the most that
        the process and its children held resident at one time (10^6 bytes; a page that two of them share counts
        twice), None where the system does not tell.

    Raises
    ------
    ModelError
        The process failed; the message holds the end of what it said.
    """
    command = [sys.executable, "-m", f"{PACKAGE}.scale_process", function, json.dumps(arguments)]
    started = time.perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, start_new_session=True)
        watch = _Watch(process.pid)
        watch.start()
        code = process.wait()
        watch.done.set()
        watch.join()
        seconds = time.perf_counter() - started
        out.seek(0)
        err.seek(0)
        if code:
            said = " ".join(err.read().decode("utf-8", "replace").split())[-400:]
            raise ModelError(f"a measured process failed ({function}, exit code {code}): {said}")
        found: dict[str, Any] = json.loads(out.read())
    peaks = [peak for peak in (watch.peak_mb, found.pop("_peak_mb", None)) if peak]
    found["process"] = {"seconds": round(seconds, 3), "peak_mb": max(peaks) if peaks else None}
    return found


class _Watch(threading.Thread):
    """Looks at the resident memory of a session's processes until it is told to stop."""

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self.done = threading.Event()
        self.peak_mb = 0.0
        self._session = session

    def run(self) -> None:
        while not self.done.wait(_EVERY):
            self.peak_mb = max(self.peak_mb, round(resident_bytes(self._session) / 1e6, 1))


def resident_bytes(session: int) -> int:
    """Return the resident memory of all processes of a session, in bytes; 0 where the system does not tell."""
    total = 0
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[3]) == session:
                total += int(fields[21]) * _PAGE
        except (OSError, IndexError, ValueError):  # it has ended in the meantime
            continue
    return total


def memory_mb() -> dict[str, float]:
    """Return what this process holds resident, in MB: ``all``, and of it ``own``, which is no mapped file."""
    found = {"all": 0.0, "own": 0.0}
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return found
    names = {"VmRSS:": "all", "RssAnon:": "own"}
    for line in lines:
        first, *rest = line.split()
        if first in names:
            found[names[first]] = round(int(rest[0]) * 1024 / 1e6, 1)
    return found


def main() -> None:
    """Call the function and print what it returns."""
    module, _, name = sys.argv[1].partition(":")
    function = getattr(importlib.import_module(f"{PACKAGE}.{module}"), name)
    try:
        found = function(**json.loads(sys.argv[2]))
    except HippoRAGLikeError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(error.exit_code) from error
    from hipporag_like.eval.machine import peak_mb

    sys.stdout.write(json.dumps({**found, "_peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
