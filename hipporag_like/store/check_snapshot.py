"""Reading every file of the published snapshot, whatever was checked before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from hipporag_like.errors import IndexFormatError, IndexNotFoundError, StoreError
from hipporag_like.store.finding import REPAIR, Finding, found
from hipporag_like.store.manifest import (
    CURRENT_NAME,
    MANIFEST_NAME,
    SNAPSHOTS_NAME,
    Manifest,
    ManifestError,
    decode_manifest,
    is_outdated,
    outdated,
)
from hipporag_like.store.reader import crc32_of, read_current


def read_manifest(folder: Path, number: int) -> Manifest | None:
    """Return the manifest of a snapshot of any format; None where it is missing or damaged.

    Raises
    ------
    IndexFormatError
        A newer version of this package wrote it.
    """
    path = folder / SNAPSHOTS_NAME / str(number) / MANIFEST_NAME
    try:
        manifest = decode_manifest(path.read_bytes(), path)
    except (OSError, ManifestError):
        return None
    return manifest if manifest.number == number else None


def published_manifest(folder: Path) -> Manifest | None:
    """Return the manifest that ``CURRENT`` names, of any format; None where either is missing or damaged.

    Raises
    ------
    IndexFormatError
        A newer version of this package wrote it.
    """
    try:
        current = read_current(folder)
    except StoreError:
        return None
    manifest = read_manifest(folder, current.number)
    if manifest is None or (not is_outdated(manifest) and manifest.checksum != current.checksum):
        return None
    return manifest


def snapshot_numbers(folder: Path) -> list[int]:
    """Return the numbers of all snapshots in the folder, the newest first."""
    parts = (folder / SNAPSHOTS_NAME).glob("*")
    return sorted((int(p.name) for p in parts if p.name.isascii() and p.name.isdigit()), reverse=True)


def file_findings(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    """Yield the array files of a snapshot that are not what was written; reads all of them."""
    base = folder / SNAPSHOTS_NAME / str(manifest.number)
    for group in manifest.groups.values():
        for name, entry in group.files.items():
            path = base / group.folder / f"{name}.npy"
            try:
                size = os.stat(path).st_size
            except OSError as error:
                yield found(path, error.strerror or error, folder)
                continue
            if size != entry.nbytes:
                yield found(path, f"it has {size} bytes and should have {entry.nbytes}", folder)
            elif crc32_of(path) != entry.crc32:
                yield found(path, "its checksum does not fit its content", folder)


def snapshot_findings(folder: Path) -> Iterator[Finding]:
    """Yield what is wrong with ``CURRENT``, the manifest it names and the arrays below; reads all of them.

    Nothing published yet is no finding, unless snapshots are there.
    """
    path = folder / CURRENT_NAME
    try:
        current = read_current(folder)
    except IndexNotFoundError:
        if snapshot_numbers(folder):
            yield Finding(str(path), "is missing", REPAIR.format(folder=folder))
        return
    except StoreError as error:
        yield found(path, str(error.__cause__ or "it names no snapshot"), folder)
        return
    source = folder / SNAPSHOTS_NAME / str(current.number) / MANIFEST_NAME
    try:
        manifest = read_manifest(folder, current.number)
    except IndexFormatError as error:
        yield Finding(
            str(source),
            f"is of a newer version ({error})",
            "upgrade with: pip install --upgrade hipporag-like",
        )
        return
    if manifest is None:
        yield found(source, "it is missing, or its checksum does not fit its content", folder)
        return
    if is_outdated(manifest):
        yield Finding(str(source), outdated(manifest), REPAIR.format(folder=folder))
    elif manifest.checksum != current.checksum:
        yield found(path, f"it does not fit {source}", folder)
    yield from file_findings(folder, manifest)
