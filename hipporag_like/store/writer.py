"""Writing a snapshot beside the published one, and publishing it by one atomic rename of ``CURRENT``."""

from __future__ import annotations

import math
import os
import secrets
import zlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from hipporag_like.errors import IndexCorruptError, IndexNotFoundError
from hipporag_like.store import stamp
from hipporag_like.store.files import (
    FOLDER_MODE,
    copy_private,
    create_private,
    file_errors,
    make_folder,
    remove_tree,
    sync_folder,
    write_durably,
)
from hipporag_like.store.manifest import (
    ARRAY_NAME,
    CURRENT_NAME,
    MANIFEST_NAME,
    SNAPSHOTS_NAME,
    ArrayEntry,
    GroupEntry,
    Manifest,
    encode_current,
    encode_manifest,
)
from hipporag_like.store.reader import SMALL_BYTES, Snapshot, current_number
from hipporag_like.store.removal import TEMPORARY, numbers, remove_but

# Files written at once: most of a small file's time is waiting for the disk.
WRITERS = 4
# Arrays that wait to be written keep so much memory at most, or one array more.
WAITING_BYTES = 1 << 29
_UNWRITTEN = ArrayEntry("", (), 0, 0)


class SnapshotWriter:
    """Context manager that writes one snapshot; to be used while holding the ``WriterLock``.

    Leaving the context before :meth:`publish` removes what was written. What a killed writer left behind
    is removed on entering.

    Parameters
    ----------
    folder
        The index folder; made where missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)
        self._snapshots = self._folder / SNAPSHOTS_NAME
        self._temporary = self._snapshots / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}"
        self._groups: dict[str, GroupEntry] = {}
        self._right: list[str] = []  # large files that need no check: written now, or checked before
        self._linked: dict[Path, list[str]] = {}  # of these, those of other snapshots, by folder
        self._open = False
        self._pool = ThreadPoolExecutor(WRITERS, "snapshot")
        self._waiting: list[tuple[Future[None], int]] = []
        self._begun: list[Future[None]] = []  # what comes in blocks, and is never in memory as a whole

    def __enter__(self) -> SnapshotWriter:
        """Make the folder to write in.

        Raises
        ------
        StoreError
            It cannot be made.
        """
        make_folder(self._folder)
        make_folder(self._snapshots)
        for leftover in self._snapshots.glob(f"{TEMPORARY}*"):
            remove_tree(leftover)
        make_folder(self._temporary)
        self._open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what was not published."""
        self._open = False
        self._pool.shutdown(cancel_futures=True)
        remove_tree(self._temporary)
        stamp.record_written(self._linked.items())  # their names here are gone

    def write(self, group: str, name: str, array: np.ndarray) -> None:
        """Write one array, beside other work: :meth:`publish` waits for it.

        Parameters
        ----------
        group
            Any text; stored in the manifest, never part of a path.
        name
            Lower-case ASCII letters, digits and underscores.
        array
            Of any type but objects; stored C-contiguous. It must not change any more.

        Raises
        ------
        StoreError
            The disk is full or cannot be written; found here or later.
        """
        array = np.ascontiguousarray(array).reshape(
            array.shape
        )  # ascontiguousarray gives scalars a dimension
        save = self._saving(group, name, array.dtype, array.shape, [array])
        self._waiting.append((self._pool.submit(save), array.nbytes))
        self._wait(WAITING_BYTES)

    def write_blocks(
        self,
        group: str,
        name: str,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        blocks: Iterable[np.ndarray],
        *,
        beside: bool = False,
    ) -> None:
        """Write one array that comes in blocks of rows.

        Parameters
        ----------
        group, name
            As in :meth:`write`.
        dtype, shape
            Of the whole.
        blocks
            Its rows in order.
        beside
            Whether they may be asked for in another thread, beside other work, as in :meth:`write`.

        Raises
        ------
        StoreError
            The disk is full or cannot be written.
        """
        save = self._saving(group, name, dtype, shape, blocks)
        if beside:
            self._begun.append(self._pool.submit(save))
        else:
            save()

    def _saving(
        self,
        group: str,
        name: str,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        blocks: Iterable[np.ndarray],
    ) -> Callable[[], None]:
        """Return what writes an array, in whatever thread; its place in the order of writing is kept now."""
        path = self._new_file(group, name, dtype)
        files = self._groups[group].files

        def save() -> None:
            with file_errors("write", path):
                files[name] = _save(path, dtype, shape, blocks)
            self._note_right(group, name)

        return save

    def _new_file(self, group: str, name: str, dtype: np.dtype[Any]) -> Path:
        """Return where an array goes, and keep its place in the order of writing."""
        if ARRAY_NAME.fullmatch(name) is None:
            raise ValueError(f"an array name has lower-case letters, digits and underscores, not {name!r}")
        if dtype.hasobject:
            raise ValueError(f"array {name!r} holds objects, which are never stored")
        files = self._group(group).files
        if name in files:
            raise ValueError(f"array {name!r} of group {group!r} was written before")
        files[name] = _UNWRITTEN
        return self._temporary / self._groups[group].folder / f"{name}.npy"

    def _wait(self, most: int) -> None:
        """Wait until at most so many bytes are still to be written."""
        while sum(nbytes for _, nbytes in self._waiting) > most:
            self._waiting.pop(0)[0].result()

    def reuse(self, group: str, snapshot: Snapshot) -> None:
        """Take over a whole group from an open snapshot, by hard links where the file system has them.

        Raises
        ------
        StoreError
            The disk is full or cannot be written.
        """
        if group in self._groups:
            raise ValueError(f"group {group!r} was written before")
        target = self._group(group)
        for name, (source, entry) in snapshot.entries(group).items():
            path = self._temporary / target.folder / source.name
            checked = snapshot.is_checked(group, name)  # before linking, which changes the file's times
            with file_errors("write", path):
                _link(source, path)
            target.files[name] = entry
            if checked:
                self._note_right(group, name)
                folder = source.parent
                self._linked.setdefault(folder.parent, []).append(f"{folder.name}/{source.name}")

    def publish(self, fields: Mapping[str, Any]) -> int:
        """Make what was written the snapshot that readers open from here on; return its number.

        Older snapshots but the last published one are removed, unless a reader has them open.

        Parameters
        ----------
        fields
            JSON values; readers find them in ``Snapshot.manifest``.

        Raises
        ------
        StoreError
            The disk is full or cannot be written; what was published before stays published.
        """
        self._require_open()
        while self._waiting:
            self._waiting.pop(0)[0].result()
        while self._begun:
            self._begun.pop().result()
        previous = self._published()
        number = max([previous, *numbers(self._snapshots)]) + 1
        target = self._snapshots / str(number)
        manifest = encode_manifest(Manifest(number, fields, self._groups))
        with file_errors("write", target):
            write_durably(self._temporary / MANIFEST_NAME, manifest)
            for group in self._groups.values():
                sync_folder(self._temporary / group.folder)
            sync_folder(self._temporary)
            os.rename(self._temporary, target)
            self._temporary = target  # what to remove should the last step fail
            sync_folder(self._snapshots)
            remove_but(self._snapshots, {number, previous})
            # Before anybody can open it, so that no reader compares what was just written.
            stamp.record_written([(target, self._right), *self._linked.items()])
            beside = self._folder / f"{CURRENT_NAME}.tmp"
            write_durably(beside, encode_current(number, manifest))
            os.replace(beside, self._folder / CURRENT_NAME)
        self._temporary = self._snapshots / f"{TEMPORARY}published"
        self._open = False
        with file_errors("write", self._folder):
            sync_folder(self._folder)
        return number

    def _note_right(self, group: str, name: str) -> None:
        """Note a file that is whole on the disk; also called by the threads that write."""
        entry = self._groups[group]
        if entry.files[name].nbytes > SMALL_BYTES:
            self._right.append(f"{entry.folder}/{name}.npy")

    def _require_open(self) -> None:
        if not self._open:
            raise RuntimeError("a SnapshotWriter writes and publishes once, inside its with block")

    def _group(self, group: str) -> GroupEntry:
        self._require_open()
        if group not in self._groups:
            entry = GroupEntry(f"g{len(self._groups)}")
            path = self._temporary / entry.folder
            with file_errors("make the folder", path):
                path.mkdir(mode=FOLDER_MODE)
            self._groups[group] = entry
        return self._groups[group]

    def _published(self) -> int:
        """Return the number of what is published; 0 for nothing, or for a ``CURRENT`` to be repaired."""
        try:
            return current_number(self._folder)
        except (IndexNotFoundError, IndexCorruptError):
            return 0


def point_to(folder: Path, number: int, checksum: str) -> None:
    """Make ``CURRENT`` name a snapshot that is there; while holding the ``WriterLock``.

    Parameters
    ----------
    folder
        The index folder.
    number, checksum
        Of the snapshot and of its manifest.

    Raises
    ------
    StoreError
        It cannot be written.
    """
    beside = folder / f"{CURRENT_NAME}.tmp"
    with file_errors("write", beside):
        write_durably(beside, f"{number} {checksum}\n".encode())
        os.replace(beside, folder / CURRENT_NAME)
        sync_folder(folder)


def _save(
    path: Path, dtype: np.dtype[Any], shape: tuple[int, ...], blocks: Iterable[np.ndarray]
) -> ArrayEntry:
    """Write an array in numpy's own format, without a copy of its data, and wait until the disk has it."""
    head = BytesIO()
    described = np.lib.format.header_data_from_array_1_0(np.empty((0,), dtype)) | {"shape": shape}
    np.lib.format.write_array_header_1_0(head, described)
    header = head.getvalue()
    crc32, written = zlib.crc32(header), len(header)
    with os.fdopen(create_private(path), "wb", buffering=0) as file:
        _write_all(file.fileno(), header)
        for block in blocks:
            if block.dtype != dtype or not block.flags.c_contiguous:
                raise ValueError(f"a block of {path.stem} is {block.dtype}, not contiguous {dtype}")
            if block.shape[1:] != shape[1:]:
                raise ValueError(f"a block of {path.stem} has shape {block.shape}, the whole {shape}")
            data = block.reshape(-1).view(np.uint8)
            _write_all(file.fileno(), data.data)
            crc32, written = zlib.crc32(data.data, crc32), written + block.nbytes
        os.fsync(file.fileno())
    if written != len(header) + math.prod(shape) * dtype.itemsize:
        raise ValueError(f"the blocks of {path.stem} do not make up shape {shape}")
    return ArrayEntry(dtype.str, shape, written, crc32)


def _write_all(descriptor: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while len(view):
        view = view[os.write(descriptor, view[: 1 << 30]) :]  # one call writes at most 2 GiB on Linux


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another device, no hard links here, or too many of them
        copy_private(source, target)
        descriptor = os.open(target, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
