"""Runs a script many times in processes of their own, without importing everything each time.

One process imports what the script needs and forks a child for each run. As a program it is that process: it reads
one JSON list a line on stdin, does what that says, and answers on stdout.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any


class Forks:
    """A script whose runs are forked.

    Parameters
    ----------
    script
        Python; it finds its arguments in ``sys.argv``.
    imports
        Python that is run once, before any fork; it must leave no thread behind.
    folder
        Where the output of the runs goes.
    """

    def __init__(self, script: str, imports: str, folder: Path) -> None:
        self._folder, self._number = folder, 0
        (folder / "script.py").write_text(script)
        (folder / "imports.py").write_text(imports)
        # The threads of these libraries do not live on in a forked child, which would wait for them for ever.
        single = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
        command = [sys.executable, __file__, str(folder)]
        pipe = subprocess.PIPE
        self._server = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, text=True, env={**os.environ, **single}
        )

    def __enter__(self) -> Forks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.communicate()

    def call(self, *words: Any) -> Any:
        self._server.stdin.write(json.dumps(words) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())

    def start(self, *arguments: str) -> Fork:
        """Start a run; several may run at a time."""
        self._number += 1
        said = self._folder / str(self._number)
        return Fork(self, self.call("start", str(said), *arguments), said)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run to the end; as ``subprocess.run``."""
        fork = self.start(*arguments)
        output, errors = fork.communicate(60)
        return subprocess.CompletedProcess(arguments, fork.returncode, output, errors)


class Fork:
    """One run; what there is of ``subprocess.Popen``'s members does the same."""

    def __init__(self, forks: Forks, pid: int, said: Path) -> None:
        self.pid, self.returncode = pid, None
        self._forks, self._said = forks, said

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._forks.call("poll", self.pid)
        return self.returncode

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, 9)

    def communicate(self, timeout: float) -> tuple[str, str]:
        until = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > until:
                self.kill()
                raise AssertionError(f"still running after {timeout} s")
            time.sleep(0.005)
        return self._said.with_suffix(".out").read_text(), self._said.with_suffix(".err").read_text()


def child(script: str, said: Path, arguments: list[str]) -> None:
    """Be the child: run the script, as ``python -c`` would."""
    code = 1
    try:
        for number, end in ((1, ".out"), (2, ".err")):
            file = os.open(said.with_suffix(end), os.O_WRONLY | os.O_CREAT)
            os.dup2(file, number)
        sys.argv = ["-c", *arguments]
        exec(compile(script, "script", "exec"), {"__name__": "__main__"})
        code = 0
    finally:
        if code:
            sys.excepthook(*sys.exc_info())
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Serve until stdin ends."""
    folder = Path(sys.argv[1])
    script = (folder / "script.py").read_text()
    exec((folder / "imports.py").read_text(), {})
    for line in sys.stdin:
        what, first, *rest = json.loads(line)
        if what == "start":
            answer = os.fork()
            if answer == 0:
                child(script, Path(first), rest)
        else:
            pid, status = os.waitpid(first, os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
