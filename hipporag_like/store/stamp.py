"""Which large arrays were read and found right, so that not every process reads gigabytes before it answers.

A file counts as known while it has the inode, size and times that it had when its checksum was compared, and
the machine was not restarted since. Whoever alters a file changes its times, and the file system tells no
lies about the time of change (``ctime``), which programs cannot set. Only decay below the file system goes
unnoticed that way, and it cannot show before a page is read from the disk again: mostly after a restart,
when everything is checked again.

What is recorded can only save a check, never excuse a damaged file that was altered after it.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from hipporag_like.store.files import create_private

STAMP_NAME = "checked.json"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
# A change this soon after the last one may get the same time: Linux moves the clock of its file systems once
# in at most 10 ms, FAT and old network file systems once in 2 s.
_TICK_NS = 20_000_000
_COARSE_TICK_NS = 2_000_000_000
_SECOND_NS = 1_000_000_000


@lru_cache(maxsize=1)
def boot() -> str:
    """Return what tells this run of the machine from others; empty where the system does not say (not Linux)."""
    with suppress(OSError):
        return _BOOT.read_text(encoding="ascii").strip()
    return ""


def signature(path: Path) -> list[int]:
    """Return what changes whenever the file does: device, inode, size, and the times of change in ns."""
    found = os.stat(path)
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def known(snapshot: Path) -> dict[str, list[int]]:
    """Return the signature of each file that was found right, by its path below ``snapshot``.

    Empty where nothing was recorded, the machine was restarted since, or the record cannot be read.
    """
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        stored = json.loads((snapshot / STAMP_NAME).read_bytes())
        if boot() and stored["boot"] == boot():
            return {str(name): list(found) for name, found in stored["files"].items()}
    return {}


def record(snapshot: Path, found: Iterable[tuple[str, list[int]]]) -> None:
    """Note files that were found right; does nothing where the folder cannot be written.

    Parameters
    ----------
    snapshot
        The folder of the snapshot.
    found
        Path below it and :func:`signature` from before the file was read.
    """
    if not boot():
        return
    now = time.time_ns()
    settled = {name: parts for name, parts in found if now - parts[4] >= _tick(parts)}
    if not settled:
        return
    body = {"boot": boot(), "files": {**known(snapshot), **settled}}
    beside = snapshot / f"{STAMP_NAME}.{secrets.token_hex(4)}"
    try:
        with os.fdopen(create_private(beside), "w", encoding="ascii") as file:
            json.dump(body, file)
        os.replace(beside, snapshot / STAMP_NAME)
    except OSError:
        with suppress(OSError):
            beside.unlink()


def unaltered(snapshot: Path) -> list[str]:
    """Return the paths below ``snapshot`` of the files that were found right and are as they were then."""
    found = []
    for name, parts in known(snapshot).items():
        with suppress(OSError, ValueError):  # a damaged record may name what no file is called
            if signature(snapshot / name) == parts:
                found.append(name)
    return found


def record_written(right: Iterable[tuple[Path, Iterable[str]]]) -> None:
    """Note files that this process wrote or took over, or gave or took a name, once their times cannot come again.

    Parameters
    ----------
    right
        Folders of snapshots, and paths below each.
    """
    if not boot():
        return
    found = [(snapshot, _changed(snapshot, names)) for snapshot, names in right]
    if any(files for _, files in found):
        time.sleep(_TICK_NS / 1e9)
    for snapshot, files in found:
        record(snapshot, files)


def _changed(snapshot: Path, names: Iterable[str]) -> list[tuple[str, list[int]]]:
    """Return the signatures that are not noted yet."""
    before, found = known(snapshot), []
    for name in names:
        with suppress(OSError):
            parts = signature(snapshot / name)
            if before.get(name) != parts:
                found.append((name, parts))
    return found


def _tick(parts: list[int]) -> int:
    return _COARSE_TICK_NS if parts[4] % _SECOND_NS == 0 else _TICK_NS
