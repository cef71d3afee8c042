"""The process that reads office files: a path a line comes in, a JSON object a line goes out.

It takes no more memory than it is told, where the system can see to that, and says nothing on stderr.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import sys
import warnings
from pathlib import Path

from hipporag_like.errors import InputError
from hipporag_like.indexing.formats_office import convert


def limit_memory(most: int) -> None:
    """Let this process take no more than ``most`` bytes of memory; Windows has no such limit."""
    try:
        resource = importlib.import_module("resource")
        for name in ("RLIMIT_DATA", "RLIMIT_AS"):
            # Threads reserve addresses that they never use, so that these get twice as many.
            wanted = most if name == "RLIMIT_DATA" else 2 * most
            kind = getattr(resource, name)
            _, hard = resource.getrlimit(kind)
            resource.setrlimit(kind, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    except (ImportError, AttributeError, OSError, ValueError):
        return


def answer(line: str) -> dict[str, object]:
    """Return what a request comes to: ``text`` and ``title``, or ``reason``."""
    asked = json.loads(line)
    try:
        page = convert(Path(os.fsdecode(bytes.fromhex(asked["path"]))), asked["kind"])
    except InputError as error:
        return {"reason": str(error)}
    except OSError as error:
        return {"reason": f"cannot be read: {error.strerror or error}"}
    return {"text": page.text, "title": page.title}


def main() -> None:
    """Answer until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    limit_memory(int(os.environ["HIPPORAG_LIKE_OFFICE_BYTES"]))
    warnings.simplefilter("ignore")
    logging.disable()
    requests, replies = sys.stdin, os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever a library prints is no reply
    for line in requests:
        replies.write(json.dumps(answer(line)) + "\n")
        replies.flush()
