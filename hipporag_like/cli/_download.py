"""``eval --download``: where public data sets come from, and fetching them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hipporag_like.errors import UsageError
from hipporag_like.eval.catalogue import CATALOGUE, PublicSet, RemoteFile
from hipporag_like.eval.downloads import SUMS, download, find_set
from hipporag_like.progress import Track
from hipporag_like.store.files import write_private

_UNKNOWN = "recorded at first download"


def offer(name: str | None, folder: Path | None, json: Path | None, track: Track, quiet: bool) -> None:
    """Print the catalogue, one entry of it, or fetch that entry into ``folder``.

    Raises
    ------
    UsageError
        An unknown name, or a folder without a name.
    """
    if folder is not None and name is None:
        raise UsageError(
            "name the data set to download, such as: hipporag-like eval musique --download --out DIR"
        )
    entries = [find_set(name)] if name is not None else list(CATALOGUE.values())
    if folder is None:
        _answer(
            [as_plain(entry) for entry in entries], "".join(words(entry) for entry in entries), json, quiet
        )
        return
    entry = entries[0]
    path = download(entry, folder, progress=track)
    said = f"downloaded and checked; {SUMS} has the checksums\nhipporag-like eval {path}\n"
    _answer([{**as_plain(entry), "path": str(path)}], said, json, quiet)


def as_plain(entry: PublicSet) -> dict[str, Any]:
    """Return an entry of the catalogue as plain values."""
    return {
        "name": entry.name,
        "title": entry.title,
        "licence": entry.licence,
        "homepage": entry.homepage,
        "files": [
            {"url": file.url, "name": file.name, "bytes": file.size, "sha256": file.sha256}
            for file in entry.files
        ],
        "evaluate": entry.evaluate,
        "note": entry.note,
    }


def words(entry: PublicSet) -> str:
    """Return an entry of the catalogue as lines for a person; each address is whole, to be copied."""
    lines = [entry.name, f"  {entry.title}", f"  licence   {entry.licence}", f"  page      {entry.homepage}"]
    for file in entry.files:
        lines += [
            f"  file      {file.name}{_size(file)}",
            f"  from      {file.url}",
            f"  checksum: {f'sha256 {file.sha256}' if file.sha256 else _UNKNOWN}",
        ]
    lines += [f"  note      {entry.note}"] if entry.note else []
    if entry.files:
        lines.append(f"  get it    hipporag-like eval {entry.name} --download --out DIR")
    return "\n".join([*lines, "", ""])


def _size(file: RemoteFile) -> str:
    return "" if file.size is None else f"  {file.size / 1e6:,.1f} MB"


def _answer(plain: list[dict[str, Any]], text: str, json: Path | None, quiet: bool) -> None:
    from hipporag_like.cli._json import dumps, emit

    if json == Path("-"):
        emit(plain, indent=2)
        return
    if json is not None:
        write_private(json, dumps(plain, indent=2) + "\n")
    if not quiet:
        sys.stdout.write(text)
