"""Where and with what numbers were made: the code, the machine, and the memory that work took."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any

_GIT_SECONDS = 10.0  # a status of this repository takes 0.02 s; a network drive may take its time
_STAGES = ("indexing", "retrieval", "eval")
# What turns a question into a row: all code but the parts that only ask for it, sum it up or show it.
_LEFT_OUT = ("cli",)
_SCORING = (
    "answer_metrics.py",
    "asking.py",
    "remembering.py",
    "retrieval_metrics.py",
    "runner.py",
    "scores.py",
    "spans.py",
    "units.py",
    "usage.py",
)


def made_with() -> dict[str, Any]:
    """Return time, code and machine, as JSON values.

    Returns
    -------
    dict
        ``at`` (ISO 8601, UTC), ``commit`` and ``dirty`` (``None`` where the package is no git checkout),
        ``version``, ``python``, ``platform``, ``cpu``, ``cores`` and ``memory_gb`` (``None`` where unknown).
    """
    commit, dirty = _commit()
    return {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": commit,
        "dirty": dirty,
        "version": _version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cores": _cores(),
        "memory_gb": _memory_gb(),
    }


def code_digest() -> str:
    """Return 32 hexadecimal digits that change when code does that a result depends on.

    A commit would not do: it also changes with a word of the guide, and not with a change that is not committed.
    """
    digest = hashlib.blake2b(digest_size=16)
    for name, path in sorted(_sources()):
        digest.update(name.encode() + b"\0")
        digest.update(hashlib.blake2b(path.read_bytes(), digest_size=16).digest())
    return digest.hexdigest()


def start_of_peak() -> None:
    """Begin to measure :func:`peak_mb` anew, where the system can (Linux); else it counts from the start."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def peak_mb() -> float | None:
    """Return the highest resident memory of this process since :func:`start_of_peak`, in MB (10^6 bytes).

    ``None`` where the system does not tell (Windows).
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) * 1024 / 1e6, 1)
    except OSError:
        pass
    return _peak_of_the_process()


if sys.platform == "win32":

    def _peak_of_the_process() -> float | None:
        return None
else:

    def _peak_of_the_process() -> float | None:
        import resource

        unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB elsewhere
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def _sources() -> list[tuple[str, Path]]:
    """Return the files that a row depends on, by names that do not tell where the package lies."""
    folders = {"": Path(str(files("hipporag_like")))}
    folders |= {stage: Path(str(files(f"hipporag_like.{stage}"))) for stage in _STAGES}
    found = []
    for stage, folder in folders.items():
        for path in folder.rglob("*"):
            parts = path.relative_to(folder).parts
            if path.is_file() and _counts(stage, parts):
                found.append(("/".join((stage, *parts)), path))
    return found


def _counts(stage: str, parts: tuple[str, ...]) -> bool:
    if "__pycache__" in parts or parts[-1].startswith("."):
        return False
    if stage == "eval":
        return len(parts) == 1 and parts[0] in _SCORING
    return stage != "" or parts[0] not in (*_STAGES, *_LEFT_OUT)


def _commit() -> tuple[str | None, bool | None]:
    folder = Path(str(files("hipporag_like")))
    # An installed copy may lie inside someone else's checkout, whose commit says nothing about it.
    if _git(folder, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None, None
    commit = _git(folder, "rev-parse", "HEAD")
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return commit, None if changed is None else bool(changed)


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git says; ``None`` where there is no git, no checkout, or nothing said in time."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version() -> str:
    try:
        return version("hipporag-like")
    except PackageNotFoundError:  # a source tree on the path, not installed
        return "unknown"


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _cores() -> int:
    """Return how many cores this process may use, which a container may cut down."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None
