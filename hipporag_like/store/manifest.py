"""What a snapshot holds, as JSON: format, fields, and one entry an array with shape, type, size, checksum.

The first line holds a checksum of all bytes after it, so any altered byte is noticed before it is believed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hipporag_like.errors import HippoRAGLikeError, IndexFormatError
from hipporag_like.text import content_hash

# Of snapshots. A snapshot of a lower format is not read but rebuilt from the journal, without a model
# (hipporag_like.indexing.upgrade), so raising the number is all that a change of the arrays needs.
#   1  CURRENT holds the number of the snapshot alone
#   2  CURRENT also holds the manifest's checksum, so that it cannot come to name another snapshot
#   3  preset light keeps codes of facts in the place of words and bags of words
#   4  the walk's graph and the codes of facts in fewer bytes: int32 row starts, kinds of weights, scales beside codes
FORMAT = 4
MANIFEST_NAME = "manifest.json"
CURRENT_NAME = "CURRENT"
SNAPSHOTS_NAME = "snapshots"

ARRAY_NAME = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)
_GROUP_FOLDER = re.compile(r"g[0-9]{1,9}", re.ASCII)
_HEAD = re.compile(rb'\{"checksum": "([0-9a-f]{32})",\n')


@dataclass(frozen=True, slots=True)
class ArrayEntry:
    """One array file: numpy's type string, sizes in bytes, CRC-32 of the whole file.

    CRC-32 because it must keep up with the disk: 3.9 GB/s here against 1.7 for SHA-256 and 0.6 for
    BLAKE2b. It is there to notice damage; who can alter a file on purpose can alter its manifest too.
    """

    dtype: str
    shape: tuple[int, ...]
    nbytes: int
    crc32: int


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """The arrays of one group by name. ``folder`` is numbered, so a group's name never is part of a path."""

    folder: str
    files: dict[str, ArrayEntry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of one snapshot."""

    number: int
    fields: Mapping[str, Any]
    groups: dict[str, GroupEntry]
    format: int = FORMAT
    checksum: str = ""  # of the whole; filled in by decode_manifest


class ManifestError(HippoRAGLikeError):
    """The bytes are no manifest; the message says what is wrong with them."""


def is_outdated(manifest: Manifest) -> bool:
    """Return whether an older version wrote a manifest, so that its snapshot is to be made again."""
    return manifest.format < FORMAT


def outdated(manifest: Manifest) -> str:
    """Return how its format differs from that of this version, in words."""
    return f"has format {manifest.format} and this version reads {FORMAT}"


def encode_manifest(manifest: Manifest) -> bytes:
    """Return ``manifest`` as JSON whose first line is its own checksum.

    Raises
    ------
    ValueError, TypeError
        A field is no JSON value.
    """
    groups = [
        {
            "name": name,
            "folder": group.folder,
            "files": {
                file: [entry.dtype, list(entry.shape), entry.nbytes, entry.crc32]
                for file, entry in group.files.items()
            },
        }
        for name, group in manifest.groups.items()
    ]
    body = {"format": FORMAT, "number": manifest.number, "fields": dict(manifest.fields), "groups": groups}
    text = json.dumps(body, allow_nan=False, indent=1)[1:].lstrip()
    return f'{{"checksum": "{content_hash(text)}",\n{text}'.encode()


def encode_current(number: int, manifest: bytes) -> bytes:
    """Return the content of ``CURRENT``: number and checksum of the published manifest."""
    head = _HEAD.match(manifest)
    return f"{number} {head.group(1).decode() if head else ''}\n".encode()


def decode_manifest(data: bytes, source: object) -> Manifest:
    """Return the manifest in ``data``.

    Parameters
    ----------
    data
        As written by :func:`encode_manifest`.
    source
        Where it was read, for messages.

    Raises
    ------
    IndexFormatError
        A newer version of this package wrote it.
    ManifestError
        It is damaged.
    """
    try:
        body = json.loads(data)
        found = body["format"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ManifestError(f"it is no manifest: {error}") from error
    if isinstance(found, int) and found > FORMAT:  # before the checksum, which may be another one by then
        raise IndexFormatError(
            f"{source} has format {found} and this version reads up to {FORMAT}; "
            "upgrade with: pip install --upgrade hipporag-like"
        )
    head = _HEAD.match(data)
    if (
        head is None
        or content_hash(data[head.end() :].decode("utf-8", "surrogatepass")) != head.group(1).decode()
    ):
        raise ManifestError("its checksum does not fit its content")
    try:
        return Manifest(
            int(body["number"]),
            dict(body["fields"]),
            _groups(body["groups"]),
            int(found),
            head.group(1).decode(),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ManifestError(f"it is incomplete: {error!r}") from error


def _groups(stored: list[dict[str, Any]]) -> dict[str, GroupEntry]:
    groups: dict[str, GroupEntry] = {}
    for group in stored:
        files: dict[str, ArrayEntry] = {}
        for name, (dtype, shape, nbytes, crc32) in group["files"].items():
            if ARRAY_NAME.fullmatch(name) is None:
                raise ValueError(f"array name {name!r}")
            files[name] = ArrayEntry(str(dtype), tuple(map(int, shape)), int(nbytes), int(crc32))
        if _GROUP_FOLDER.fullmatch(group["folder"]) is None:
            raise ValueError(f"group folder {group['folder']!r}")
        groups[str(group["name"])] = GroupEntry(group["folder"], files)
    return groups
