"""Opening a published snapshot: nothing large is read, arrays are mapped when first asked for."""

from __future__ import annotations

import io
import mmap
import os
import re
import sys
import weakref
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from types import TracebackType
from typing import Any

import numpy as np

from hipporag_like.errors import IndexCorruptError, IndexNotFoundError, IndexOutdatedError
from hipporag_like.store import stamp
from hipporag_like.store.files import damaged, file_error, file_errors, missing_index
from hipporag_like.store.manifest import (
    CURRENT_NAME,
    MANIFEST_NAME,
    SNAPSHOTS_NAME,
    ArrayEntry,
    Manifest,
    ManifestError,
    decode_manifest,
    is_outdated,
    outdated,
)
from hipporag_like.store.pin import open_pinned

# Files up to this size are checked when a snapshot is opened and are read, not mapped: a map costs a file
# descriptor, of which a process often has only 1024. Larger ones are checked when they are first asked for.
SMALL_BYTES = 1 << 20
# Of an array from this size on chosen rows are read from its file; see ``indexing.stored``. To touch 1000 rows of a
# mapped one brings in twice as much, and 50,000 passages have no array that is searched so.
LARGE_BYTES = 1 << 25
HAS_PREAD = hasattr(os, "pread") and sys.maxsize > 1 << 32  # with offsets of 64 bits
_CHUNK_BYTES = 1 << 22
_CURRENT = re.compile(rb"([0-9]{1,15})(?: ([0-9a-f]{32}))?\n?")
_BAD_ARRAY = (
    ValueError,
    OSError,
    EOFError,
    SyntaxError,
    TokenError,
    MemoryError,
    OverflowError,
    TypeError,
    RecursionError,
)  # what numpy raises for a damaged header


@dataclass(frozen=True, slots=True)
class Current:
    """What ``CURRENT`` says: the published snapshot's number, and its manifest's checksum, empty in format 1."""

    number: int
    checksum: str


class Snapshot:
    """An immutable published index. Open one with :func:`open_snapshot`; safe to read from many threads.

    Attributes
    ----------
    number
        Grows by every publication.
    manifest
        The fields given to ``SnapshotWriter.publish``.
    """

    def __init__(self, index: Path, manifest: Manifest, descriptor: int) -> None:
        self.number = manifest.number
        self.manifest: Mapping[str, Any] = manifest.fields
        self._index = index
        self._folder = index / SNAPSHOTS_NAME / str(manifest.number)
        self._groups = manifest.groups
        self._arrays: dict[tuple[str, str], tuple[np.ndarray, int, int]] = {}
        self._known: dict[str, list[int]] | None = None
        # Closing the descriptor gives up the pin; also when the last reference to the snapshot goes.
        self._unpin = weakref.finalize(self, os.close, descriptor)

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let writers remove this snapshot once it is old; arrays already handed out stay valid."""
        self._unpin()

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of the groups, in the order they were written."""
        return tuple(self._groups)

    def has(self, group: str, name: str) -> bool:
        """Return whether there is an array ``name`` in ``group``."""
        return group in self._groups and name in self._groups[group].files

    def nbytes(self, group: str) -> int:
        """Return the bytes that ``group`` takes on disk."""
        return sum(entry.nbytes for entry in self._groups[group].files.values())

    def entries(self, group: str) -> dict[str, tuple[Path, ArrayEntry]]:
        """Return the file and the manifest's entry of each array of ``group``."""
        stored = self._groups[group]
        folder = self._folder / stored.folder
        return {name: (folder / f"{name}.npy", entry) for name, entry in stored.files.items()}

    def array(self, group: str, name: str) -> np.ndarray:
        """Return an array, read-only; large ones are memory-mapped.

        Raises
        ------
        KeyError
            There is no such array; see :meth:`has`.
        IndexCorruptError
            Its file is missing or damaged.
        """
        return self._opened(group, name)[0]

    def file_of(self, group: str, name: str) -> tuple[int, int]:
        """Return an open descriptor of the file that an array is mapped from, and where in it the array begins.

        The descriptor is closed with the last reference to the array; -1 and 0 where rows are to be read through the
        array, which is not so large, or the system lacks what is needed. Raises as :meth:`array`.
        """
        return self._opened(group, name)[1:]

    def _opened(self, group: str, name: str) -> tuple[np.ndarray, int, int]:
        known = self._arrays.get((group, name))
        if known is None:
            entry = self._groups[group].files[name]
            relative = f"{self._groups[group].folder}/{name}.npy"
            path = self._folder / relative
            if entry.nbytes > SMALL_BYTES:
                self._check_large(relative, path, entry)
            known = self._arrays[group, name] = _load(path, entry, self._index)
        return known

    def is_checked(self, group: str, name: str) -> bool:
        """Return whether a large file is known to be what was written, without reading it."""
        relative = f"{self._groups[group].folder}/{name}.npy"
        if self._known is None:
            self._known = stamp.known(self._folder)
        try:
            return self._known.get(relative) == stamp.signature(self._folder / relative)
        except OSError:
            return False

    def _check_large(self, relative: str, path: Path, entry: ArrayEntry) -> None:
        """Compare the checksum of a large file, unless that was done and the file is as it was then."""
        if self._known is None:
            self._known = stamp.known(self._folder)
        try:
            found = stamp.signature(path)
        except OSError as error:
            raise damaged(path, error.strerror or error, self._index) from error
        if (
            self._known.get(relative) != found
        ):  # a writer may have given it another name since, and noted that
            self._known = stamp.known(self._folder)
        if self._known.get(relative) == found:
            return
        if crc32_of(path) != entry.crc32:
            raise damaged(path, "its checksum does not fit its content", self._index)
        self._known[relative] = found
        stamp.record(self._folder, [(relative, found)])

    def verify(self) -> list[str]:
        """Read every file and return the paths of those that are not what was written; empty is good."""
        return [
            str(path)
            for group in self._groups
            for path, entry in self.entries(group).values()
            if crc32_of(path) != entry.crc32
        ]


def open_snapshot(folder: Path) -> Snapshot:
    """Open what was last published in an index folder.

    Checks that every file is there with its right size, and the content of files up to 1 MiB; that of larger
    ones is checked when they are first used, see ``store.stamp``. The snapshot stays readable until closed,
    whatever writers publish.

    Parameters
    ----------
    folder
        The index folder.

    Raises
    ------
    IndexNotFoundError
        There is no index, or nothing was published yet.
    IndexFormatError
        A newer version of this package wrote it.
    IndexOutdatedError
        An older version wrote it.
    IndexCorruptError
        A file is missing, cut or altered.
    StoreError
        A file cannot be read.
    """
    folder = Path(folder)
    current = read_current(folder)
    while True:
        try:
            return _open(folder, current)
        except IndexCorruptError:
            # A writer may have published twice since CURRENT was read, and removed what it named then.
            latest = read_current(folder)
            if latest == current:
                raise
            current = latest


def current_number(folder: Path) -> int:
    """Return the number of the published snapshot; raises as :func:`read_current`."""
    return read_current(folder).number


def read_current(folder: Path) -> Current:
    """Return what names the published snapshot.

    Raises
    ------
    IndexNotFoundError, IndexCorruptError, StoreError
        As :func:`open_snapshot`.
    """
    path = folder / CURRENT_NAME
    with file_errors("read", path):
        if not folder.exists():
            raise IndexNotFoundError(missing_index(folder))
        if folder.is_dir() and not path.exists():
            raise IndexNotFoundError(_unpublished(folder))
        data = path.read_bytes()
    found = _CURRENT.fullmatch(data)
    if found is None:
        raise damaged(path, "it names no snapshot", folder)
    return Current(int(found[1]), (found[2] or b"").decode())


def _unpublished(folder: Path) -> str:
    """Return the sentence for a folder without ``CURRENT``: a first run did not end, or it was removed."""
    if any((folder / SNAPSHOTS_NAME).glob(f"*/{MANIFEST_NAME}")):
        return (
            f"{folder / CURRENT_NAME} is missing, so nothing is published; "
            f"publish again with: hipporag-like repair --index {folder}"
        )
    return f"nothing was published in {folder} yet; run: hipporag-like index SOURCE --index {folder}"


def _open(index: Path, current: Current) -> Snapshot:
    folder = index / SNAPSHOTS_NAME / str(current.number)
    path = folder / MANIFEST_NAME
    try:
        descriptor = open_pinned(folder)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise damaged(path, "it is missing", index) from error
    except OSError as error:
        raise file_error("open", path, error) from error
    try:
        with file_errors("read", path), os.fdopen(os.dup(descriptor), "rb") as file:
            manifest = decode_manifest(file.read(), path)
        if manifest.number != current.number:
            raise ManifestError(f"it belongs to snapshot {manifest.number}")
        _check_format(index, path, manifest)
        if manifest.checksum != current.checksum:
            raise damaged(index / CURRENT_NAME, f"it does not fit {path}", index)
        _check_files(index, folder, manifest)
    except ManifestError as error:
        os.close(descriptor)
        raise damaged(path, error, index) from error
    except BaseException:
        os.close(descriptor)
        raise
    return Snapshot(index, manifest, descriptor)


def _check_format(index: Path, path: Path, manifest: Manifest) -> None:
    if is_outdated(manifest):
        raise IndexOutdatedError(
            f"{path} {outdated(manifest)}; rebuild it, without a model, with: hipporag-like repair --index {index}"
        )


def _check_files(index: Path, folder: Path, manifest: Manifest) -> None:
    for group in manifest.groups.values():
        for name, entry in group.files.items():
            path = folder / group.folder / f"{name}.npy"
            try:
                size = os.stat(path).st_size
            except (FileNotFoundError, NotADirectoryError) as error:
                raise damaged(path, "it is missing", index) from error
            if size != entry.nbytes:
                raise damaged(path, f"it has {size} bytes and should have {entry.nbytes}", index)
            if size <= SMALL_BYTES and crc32_of(path) != entry.crc32:
                raise damaged(path, "its checksum does not fit its content", index)


def _load(path: Path, entry: ArrayEntry, index: Path) -> tuple[np.ndarray, int, int]:
    """Return an array; where it is very large with a descriptor of its file and its place there, else -1 and 0."""
    array: np.ndarray
    descriptor, offset = -1, 0
    try:
        if entry.nbytes <= SMALL_BYTES:
            array = np.lib.format.read_array(io.BytesIO(path.read_bytes()), allow_pickle=False)
        else:
            array, descriptor, offset = _mapped(path, entry.nbytes >= LARGE_BYTES)
    except _BAD_ARRAY as error:
        raise damaged(path, error, index) from error
    if array.dtype.str != entry.dtype or array.shape != entry.shape:
        raise damaged(
            path, f"it holds {array.dtype.str} {array.shape}, not {entry.dtype} {entry.shape}", index
        )
    array.flags.writeable = False
    return array, descriptor, offset


def _mapped(path: Path, keep: bool) -> tuple[np.ndarray, int, int]:
    """Map an array; where a descriptor is to be kept, it is of the same file and closed when nobody has the map."""
    with open(path, "rb", buffering=0) as file:
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in read_header:
            raise ValueError(f"it has version {version} of numpy's format")
        shape, by_columns, dtype = read_header[version](file)
        if dtype.hasobject:
            raise ValueError("it holds objects")
        offset = file.tell()
        held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        array = np.ndarray(shape, dtype, held, offset, order="F" if by_columns else "C")
        if not (keep and HAS_PREAD and not by_columns):
            return array, -1, 0
        try:
            descriptor = os.dup(file.fileno())
        except OSError:  # no more descriptors: rows are read through the map
            return array, -1, 0
        weakref.finalize(held, os.close, descriptor)
        return array, descriptor, offset


def crc32_of(path: Path) -> int:
    """Return the checksum of a file's content; -1, which is none, where it cannot be read."""
    value = 0
    try:
        with open(path, "rb", buffering=0) as file:
            view = memoryview(bytearray(min(_CHUNK_BYTES, os.fstat(file.fileno()).st_size + 1)))
            while count := file.readinto(view):
                value = zlib.crc32(view[:count], value)
    except OSError:
        return -1
    return value
