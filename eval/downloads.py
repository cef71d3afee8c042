"""Downloading public data sets, each file checked before it gets its name."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import IO

from hipporag_like.errors import InputError, UsageError
from hipporag_like.eval.catalogue import CATALOGUE, PublicSet, RemoteFile
from hipporag_like.progress import Track, silent
from hipporag_like.store.files import create_private, file_errors, make_folder, write_private

SUMS = "SHA256SUMS"  # in the form of sha256sum, so that `sha256sum -c SHA256SUMS` checks the folder again
_BLOCK = 1 << 20
_TIMEOUT = 60.0  # seconds without a byte; a stalled mirror must not hold a terminal for ever


def find_set(name: str) -> PublicSet:
    """Return the entry of a public data set.

    Raises
    ------
    UsageError
        There is none of that name.
    """
    if name not in CATALOGUE:
        raise UsageError(f"no public data set is called {name!r}; there are {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def download(entry: PublicSet, folder: Path, *, progress: Track = silent) -> Path:
    """Download a data set into ``folder`` and return the path to evaluate.

    A file that is there and has the right checksum is not downloaded again. Archives are unpacked: the files
    that are needed, under the names that :func:`hipporag_like.eval.datasets.load_dataset` looks for.

    Parameters
    ----------
    folder
        Made where it does not exist. It also gets ``SHA256SUMS``: where the catalogue knows no checksum, the
        one of the first download is recorded there, and later downloads must have the same.

    Raises
    ------
    UsageError
        The set has no address.
    InputError
        A download fails, or what came has another size or checksum; nothing is left of it then.
    StoreError
        The folder cannot be written.
    """
    if not entry.files:
        raise UsageError(f"{entry.name} cannot be downloaded: {entry.note} Its page is {entry.homepage}")
    make_folder(folder)
    for file in entry.files:
        target = folder / file.name
        wanted = file.sha256 or _recorded(folder).get(file.name)
        if not _is_there(target, wanted):
            _record(folder, file.name, _fetch(file, target, wanted, progress))
        for suffix, name in file.members:
            _unpack(target, suffix, folder / name)
    return folder / entry.evaluate


def _is_there(path: Path, sha256: str | None) -> bool:
    """Return whether the file is there and is the wanted one; without a known checksum it is fetched again."""
    if sha256 is None or not path.is_file():
        return False
    digest = hashlib.sha256()
    with file_errors("read", path), path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest() == sha256


def _fetch(file: RemoteFile, target: Path, wanted: str | None, progress: Track) -> str:
    """Download one file, check it, give it its name, and return its checksum."""
    digest = hashlib.sha256()
    size = 0
    with _beside(target) as part, file_errors("write", part), _private(part) as out:
        with progress(f"download {file.name}", file.size) as advance:
            for block in _blocks(file.url):
                size += len(block)
                if file.size is not None and size > file.size:
                    break  # an error page or another file; the sizes differ whatever follows
                digest.update(block)
                out.write(block)
                advance(len(block))
        _require_size(file, size)
        found = digest.hexdigest()
        if wanted is not None and found != wanted:
            raise InputError(
                f"{file.url} gave a file with SHA-256 {found} instead of {wanted}; it was not kept: get the "
                "file from elsewhere, or ask its publisher what changed"
            )
    return found


def _require_size(file: RemoteFile, size: int) -> None:
    if file.size is not None and size != file.size:
        more = "more" if size > file.size else f"{size:,}"
        raise InputError(
            f"{file.url} gave {more} bytes instead of {file.size:,}; it was not kept: try again later"
        )


def _blocks(url: str) -> Iterator[bytes]:
    """Yield the body of an answer; whatever goes wrong on the way is one sentence."""
    request = urllib.request.Request(url, headers={"User-Agent": "hipporag-like"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            left = int(answer.headers.get("Content-Length") or 0)
            while block := answer.read(_BLOCK):
                left -= len(block)
                yield block
            if left > 0:  # a read of so many bytes does not tell a cut body from a whole one
                raise ConnectionError(f"{left:,} bytes are missing at the end")
    except urllib.error.HTTPError as error:
        raise InputError(
            f"{url} answered {error.code} {error.reason}; try later or look at its page"
        ) from error
    except (OSError, HTTPException) as error:  # URLError, time-outs and cut connections are among them
        reason = getattr(error, "reason", None) or error
        raise InputError(f"cannot download {url} ({reason}); check the network and try again") from error


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Yield a path to write to; it gets the name of the target at the end, or vanishes where that fails."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield part
        with file_errors("write", target):
            os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(create_private(path), "wb")


def _unpack(archive: Path, suffix: str, target: Path) -> None:
    """Write the one member whose path ends with ``suffix``; its own path plays no part in where it goes."""
    try:
        with zipfile.ZipFile(archive) as opened:
            names = [n for n in opened.namelist() if f"/{n}".endswith(f"/{suffix}") and "__MACOSX" not in n]
            if len(names) != 1:
                raise InputError(f"{archive} holds {len(names)} files that end with {suffix}, not one")
            make_folder(target.parent)
            with _beside(target) as part, opened.open(names[0]) as member, _private(part) as out:
                while block := member.read(_BLOCK):
                    out.write(block)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise InputError(
            f"{archive} is no readable zip archive ({error}); delete it and try again"
        ) from error


def _recorded(folder: Path) -> dict[str, str]:
    path = folder / SUMS
    if not path.is_file():
        return {}
    with file_errors("read", path):
        lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.split(maxsplit=1) for line in lines if line.strip())
    return {pair[1]: pair[0] for pair in pairs if len(pair) == 2}


def _record(folder: Path, name: str, sha256: str) -> None:
    sums = {**_recorded(folder), name: sha256}
    target = folder / SUMS
    with _beside(target) as part, file_errors("write", target):
        write_private(part, "".join(f"{sums[n]}  {n}\n" for n in sorted(sums)))
