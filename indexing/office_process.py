"""Office files read in another process, so that a file that is made to hang or to fill the memory harms nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import IO, cast

from hipporag_like.errors import InputError
from hipporag_like.indexing.formats_archive import check_office
from hipporag_like.indexing.formats_office import is_installed, missing_extra
from hipporag_like.indexing.formats_text import Page

# A workbook of 100,000 rows of ten cells, 48 MB unpacked, takes 2.0 GB and 79 s, a PDF of 300 pages 0.2 GB.
MAX_BYTES = 4 << 30
# A full page of a PDF takes 0.14 s. At 3 kB a page, which is little, a megabyte of them takes 45 s; that workbook,
# packed to 4.9 MB, is given 350 s.
SECONDS = 60.0
SECONDS_PER_MB = 60.0
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1:]; from hipporag_like.indexing.office_worker import main; main()"
)


class OfficeProcess:
    """Reads office files; the process is started by the first and ends with the ``with`` block."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> OfficeProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def parse(self, path: Path) -> Page:
        """Return the text of a document as Markdown.

        Raises
        ------
        InputError
            markitdown is not installed, or the file is damaged, holds no text, or takes too long or too much
            memory to read.
        OSError
            It cannot be read.
        """
        kind = path.suffix.lstrip(".").lower()
        check_office(path, kind)
        if not is_installed():  # asked here, for starting the process takes a second
            raise missing_extra(kind)
        seconds = SECONDS + SECONDS_PER_MB * path.stat().st_size / 1e6
        reply = self._ask({"path": os.fsencode(path.absolute()).hex(), "kind": kind}, seconds)
        if "reason" in reply:
            raise InputError(reply["reason"])
        return Page(reply["text"], reply["title"])

    def _ask(self, request: dict[str, str], seconds: float) -> dict[str, str]:
        if self._process is None:
            self._process = _start()
        process, late = self._process, list[bool]()

        def stop() -> None:
            late.append(True)
            process.kill()

        timer = Timer(seconds, stop)
        timer.start()
        line = ""
        try:
            # The process may be gone, and its pipe with it; what it says then is an empty line.
            with suppress(OSError):
                requests, replies = cast(IO[str], process.stdin), cast(IO[str], process.stdout)
                requests.write(json.dumps(request) + "\n")
                requests.flush()
                line = replies.readline()
        finally:
            timer.cancel()
            if not line.endswith("\n"):
                self._end()
        if line.endswith("\n"):
            return dict(json.loads(line))
        if late:
            raise InputError(f"reading it takes more than {seconds:,.0f} seconds; save it in parts")
        raise InputError("reading it broke the program that reads such files; save it again, or in parts")

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):  # what was not written yet has no reader
                cast(IO[str], stream).close()
        process.wait()


def _start() -> subprocess.Popen[str]:
    # One thread each: a second one gains nothing here, and every one takes memory from the limit.
    env = {**os.environ, "HIPPORAG_LIKE_OFFICE_BYTES": str(MAX_BYTES), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *sys.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=env,
        encoding="utf-8",
    )
