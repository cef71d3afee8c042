"""Given paths to the files to read: folders walked, each file once, each with an id of its own."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePath

from hipporag_like.indexing.formats import SourceFile
from hipporag_like.plain_files import special
from hipporag_like.types import Failure

Entry = SourceFile | Failure


def find_files(source: str | Path) -> Iterator[Entry]:
    """Yield the file ``source`` or the files of the folder ``source``, in the order of names.

    Hidden entries and ``__pycache__`` are left out. Links are followed, except those to what the walk meets
    anyway; a folder is entered once, so links in a circle end. Pipes, sockets and devices are failures and
    are never opened.
    """
    root = Path(source)
    if not os.path.isdir(root):
        yield _entry(root, root.name, _printable(str(root)))
        return
    top, empty = os.path.realpath(root), True
    entered: set[str] = set()
    pending = [root]
    while pending:
        path = pending.pop()
        if os.path.isdir(path):  # unlike Path.is_dir it is quiet about folders one may not enter
            real = os.path.realpath(path)
            if real not in entered and (path == root or not _met_anyway(path, top)):
                entered.add(real)
                listed = _children(path)
                if isinstance(listed, Failure):
                    yield listed
                    empty = False
                else:
                    pending += listed
        elif not _met_anyway(path, top):
            empty = False
            yield _entry(path, path.relative_to(root).as_posix(), _printable(str(path)))
    if empty:
        yield Failure(_printable(str(root)), "there are no files in the folder")


def _children(folder: Path) -> list[Path] | Failure:
    """Return what is in a folder, last name first."""
    try:
        names = sorted((name for name in os.listdir(folder) if not _is_hidden(name)), reverse=True)
    except OSError as error:
        return Failure(_printable(str(folder)), f"cannot be read: {error.strerror or error}")
    return [folder / name for name in names]


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"


def _met_anyway(path: Path, top: str) -> bool:
    """Whether ``path`` is a link to something below ``top`` that the walk meets under its own name."""
    if not os.path.islink(path):
        return False
    try:
        inside = PurePath(os.path.realpath(path)).relative_to(top)
    except ValueError:
        return False
    return os.path.exists(path) and not any(map(_is_hidden, inside.parts))


def _printable(name: str) -> str:
    """Return a path for messages, in one line: what is no UTF-8 or would steer a terminal is replaced."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def _entry(path: Path, relative: str, shown: str) -> Entry:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        broken = os.path.islink(path) and isinstance(error, FileNotFoundError)
        return Failure(shown, "a link to nothing" if broken else f"cannot be read: {error.strerror or error}")
    if not stat.S_ISREG(mode):
        return Failure(shown, f"not a file but {special(mode)}")
    return SourceFile(path, relative, relative, shown)


def apart(entries: list[Entry]) -> list[Entry]:
    """Drop files met before and give files of equal ids the names of their parent folders in front."""
    once: dict[str, Entry] = {}
    for number, entry in enumerate(entries):
        key = f"\0{number}" if isinstance(entry, Failure) else os.path.realpath(entry.path)
        once.setdefault(key, entry)
    found = list(once.values())
    alike: dict[str, list[SourceFile]] = {}
    for entry in found:
        if isinstance(entry, SourceFile):
            alike.setdefault(entry.id, []).append(entry)
    return [entry if isinstance(entry, Failure) else _prefixed(entry, alike[entry.id]) for entry in found]


def _prefixed(entry: SourceFile, alike: list[SourceFile]) -> SourceFile:
    """Return ``entry`` with as many parent folders before its id as tell it from the others of that id."""
    if len(alike) == 1:
        return entry
    whole = PurePath(os.path.abspath(entry.path)).parts
    others = [PurePath(os.path.abspath(other.path)).parts for other in alike if other is not entry]
    length = len(PurePath(entry.id).parts) + 1
    while length < len(whole) and any(whole[-length:] == other[-length:] for other in others):
        length += 1
    return replace(entry, id="/".join(whole[-length:]))
