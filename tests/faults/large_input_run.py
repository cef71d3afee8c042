"""Reads what is very large, in a process of its own, and says what it took.

    python large_input_run.py files NUMBER FOLDER     tiny files, made in FOLDER, loaded as one source
    python large_input_run.py txt|html|json|csv|jsonl|quote|utf16|stdin MEBIBYTES FOLDER     one file

One JSON line goes to stdout: documents, failures, the first reason, seconds and the most memory in MiB.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import IO

WORDS = b"The lamp of Calverin was lit by Ossiane. "


def make_files(number: int, folder: Path) -> None:
    """Make tiny files, a thousand a folder."""
    for n in range(number):
        if n % 1000 == 0:
            place = folder / f"{n // 1000:05}"
            place.mkdir(parents=True)
        (place / f"{n}.txt").write_bytes(b"Bell %d." % n)


def make_file(kind: str, size: int, path: Path) -> None:
    """Make a file of about ``size`` bytes."""
    start, row, end = {
        "txt": (b"", WORDS * 20 + b"\n", b""),
        "stdin": (b"", WORDS * 20 + b"\n", b""),
        "html": (b"<p>", WORDS * 20 + b"<br>\n", b"</p>"),
        "json": (b"[", b'{"text": "' + WORDS * 20 + b'"},\n', b'{"text": "x"}]'),
        "csv": (b"text,n\n", b'"' + WORDS * 20 + b'",1\n', b""),
        "quote": (b'text,n\n"', WORDS * 20 + b"\n", b""),
        "jsonl": (b"", b'{"text": "' + WORDS * 20 + b'"}\n', b""),
        "utf16": (b"\xff\xfe", b"a\0" * 400 + b"\n\0", b""),
    }[kind]
    with path.open("wb") as stream:
        stream.write(start)
        many = row * max(1, (1 << 20) // len(row))
        for _ in range(size // len(many)):
            stream.write(many)
        stream.write(end)


def peak() -> int:
    """Return the most memory that this process had, in MiB.

    What ``getrusage`` says begins with the memory of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (most,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(most) >> 10
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most >> 20 if sys.platform == "darwin" else most >> 10


def read(source: Path | str, stdin: IO[bytes] | None = None) -> dict[str, object]:
    """Return what loading a source came to."""
    from hipporag_like.indexing.load import load
    from hipporag_like.types import Failure

    documents, reasons, started, before = 0, [], time.monotonic(), peak()
    for item in load(source, stdin=stdin):
        if isinstance(item, Failure):
            reasons.append(item.reason)
        else:
            documents += 1
    return {
        **{"documents": documents, "failures": len(reasons), "reason": (reasons or [""])[0]},
        **{"seconds": round(time.monotonic() - started, 1), "mib_before": before, "mib": peak()},
    }


def main() -> None:
    """Make what is asked for where it is not there yet, and read it."""
    kind, number, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    if kind == "files":
        if not folder.exists():
            make_files(number, folder)
        told = read(folder)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"large.{ {'quote': 'csv', 'utf16': 'jsonl', 'stdin': 'txt'}.get(kind, kind) }"
        make_file(kind, number << 20, path)
        with path.open("rb") as stream:
            told = read("-", stream) if kind == "stdin" else read(path)
        path.unlink()
    sys.stdout.write(json.dumps({"kind": kind, "number": number, **told}) + "\n")


if __name__ == "__main__":
    main()
