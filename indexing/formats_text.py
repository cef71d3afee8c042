"""Bytes to text, plain text and Markdown to pages."""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from hipporag_like.errors import InputError

SNIFF_BYTES = 8192  # enough to tell a binary file, cheap for a film in the folder
# Of one document; the King James Bible has 4.4 MB. To index one of 8 MB takes 0.6 GB of memory, of 24 MB 1.8 GB: at
# this limit some 5 GB.
MAX_TEXT_BYTES = 64 << 20
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Tab, line feeds, form feed, backspace and escape (coloured logs) occur in text; the other controls do not.
_CONTROLS = bytes(set(range(32)) - {8, 9, 10, 12, 13, 27}) + b"\x7f"
BINARY = "binary file; convert it to text or leave it out"
_BINARY_SHARE = 0.05  # compressed data has about 25/256 = 10 % of these bytes, text none
_NAME_BREAKS = re.compile(r"[\s_-]+")
_ATX = re.compile(r" {0,3}#{1,6}[ \t]+(\S.*)")
_SETEXT = re.compile(r" {0,3}(?:=+|-{3,})[ \t]*\Z")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9]\d{0,17})\Z")
_FLOAT = re.compile(r"[-+]?\d+\.\d+(?:[eE][-+]?\d{1,3})?\Z")
_CONSTANTS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Page:
    """The text of one file, with what the file says about itself."""

    text: str
    title: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


def wide_encoding(head: bytes) -> str | None:
    """Return the encoding that a UTF-16 or UTF-32 byte order mark names, if there is one."""
    return next((name for mark, name in _WIDE_MARKS if head.startswith(mark)), None)


def decode(data: bytes) -> str:
    """Return ``data`` as text: UTF-8 with or without mark, UTF-16 and UTF-32 by their mark.

    Raises
    ------
    InputError
        The data is binary or in another encoding.
    """
    wide = wide_encoding(data)
    if wide is None and looks_binary(data[:SNIFF_BYTES]):
        raise InputError(BINARY)
    try:
        text = data.decode(wide or "utf-8-sig")
    except UnicodeDecodeError as error:
        shift = 3 if wide is None and data.startswith(codecs.BOM_UTF8) else 0  # the mark is not counted
        raise InputError(not_decodable(wide, error.start + shift)) from error
    if "\0" in text:
        raise InputError(BINARY)
    return text


def not_decodable(wide: str | None, offset: int) -> str:
    """Return the reason why bytes could not be decoded."""
    return f"not valid {(wide or 'utf-8').upper()} (byte offset {offset}); convert it first"


def looks_binary(head: bytes) -> bool:
    """Return whether the beginning of a file is no text in any encoding without wide characters."""
    return b"\0" in head or len(head) - len(head.translate(None, _CONTROLS)) > _BINARY_SHARE * len(head)


def too_large(what: str, most: int = MAX_TEXT_BYTES, fix: str = "split it into several files") -> str:
    """Return the sentence for what would not fit into memory once it is cut and read."""
    return f"the {what} has more than {most >> 20} MiB, too much for one document; {fix}"


def read_text(path: Path, most: int = MAX_TEXT_BYTES, fix: str = "split it into several files") -> str:
    """Return the text of a file, with line feeds as the only line ends.

    Parameters
    ----------
    path
        The file.
    most
        Bytes that are read.
    fix
        What to do with a file that has more.

    Raises
    ------
    InputError
        The file is empty, binary, too large or in another encoding.
    OSError
        It cannot be read.
    """
    with path.open("rb") as stream:
        data = stream.read(SNIFF_BYTES)
        if wide_encoding(data) is None and looks_binary(data):
            raise InputError(BINARY)
        data += stream.read(max(0, most + 1 - len(data)))
    if len(data) > most:
        raise InputError(too_large("file", most, fix))
    return unix_lines(decode(data))


def unix_lines(text: str) -> str:
    """Return ``text`` with line feeds as the only line ends.

    Raises
    ------
    InputError
        There is nothing but white space in it.
    """
    if not text.strip():
        raise InputError("the file is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def title_from_name(name: str) -> str:
    """Return a file name as words: ``my_first-note.txt`` is ``my first note``."""
    return _NAME_BREAKS.sub(" ", PurePosixPath(name).stem).strip() or name


def parse_markdown(text: str) -> Page:
    """Return a Markdown text without its front matter; the title is the one given there or the first heading.

    Raises
    ------
    InputError
        There is nothing but front matter.
    """
    metadata, body = front_matter(text)
    if not body.strip():
        raise InputError("there is no text after the front matter")
    named = metadata.pop("title", None)
    title = str(named).strip() if isinstance(named, (str, int, float)) else ""
    return Page(body, title or _first_heading(body), metadata)


def _first_heading(text: str) -> str:
    fence, before = "", ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if mark and fence in ("", mark.group(1)):
            fence, before = ("" if fence else mark.group(1)), ""
        elif fence:
            continue
        elif atx := _ATX.match(line):
            return _plain(atx.group(1).rstrip().rstrip("#"))
        elif before.strip() and _SETEXT.match(line):
            return _plain(before)
        else:
            before = "" if line.lstrip()[:1] in ("", "-", "*", ">", "|", "+") else line
    return ""


def _plain(heading: str) -> str:
    return _LINK.sub(r"\1", heading).replace("**", "").replace("`", "").strip(" *_\t")


def front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Split a text into the values between its leading ``---`` lines and the rest.

    Understood are ``key: value`` with plain or quoted scalars, ``[a, b]``, indented ``- item`` lists and
    indented text; other YAML is left out. Without front matter the values are empty.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return {}, text
    close = next((i for i, line in enumerate(lines) if i and line.rstrip() in ("---", "...")), 0)
    if not close:
        return {}, text
    values: dict[str, Any] = {}
    i = 1
    while i < close:
        key, colon, inline = lines[i].partition(":")
        i += 1
        start = i
        while i < close and (lines[i][:1] in (" ", "\t", "-") or not lines[i].strip()):
            i += 1
        if colon and key.strip() and key[0] not in " \t#-" and inline[:1] in ("", " ", "\t"):
            block = [line.strip() for line in lines[start:i] if line.strip()]
            values[_text_of(key.strip())] = _value(inline.strip(), block)
    return values, "\n".join(lines[close + 1 :])


def _value(inline: str, block: list[str]) -> Any:
    if block and all(line.startswith("- ") for line in block) and not inline:
        return [_scalar(line[2:].strip()) for line in block]
    if block and inline in ("", "|", ">", "|-", ">-"):
        return ("\n" if inline.startswith("|") else " ").join(block)
    if inline.startswith("[") and inline.endswith("]"):
        return [_scalar(item) for item in _items(inline[1:-1])]
    return _scalar(" ".join([inline, *block]) if block else inline)


def _items(inside: str) -> list[str]:
    """Split at commas outside quotes."""
    items, quote = [""], ""
    for character in inside:
        if character == "," and not quote:
            items.append("")
            continue
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and not items[-1].strip():
            quote = character
        items[-1] += character
    return [item.strip() for item in items if item.strip()]


def _text_of(value: str) -> str:
    """Return a scalar without its quotes."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        quoted = value[1:-1]
        return quoted.replace("''", "'") if value[0] == "'" else re.sub(r"\\(.)", r"\1", quoted)
    return value


def _scalar(value: str) -> Any:
    text = _text_of(value)
    if text != value:
        return text
    value = value.split(" #", 1)[0].rstrip()
    if value.lower() in _CONSTANTS:
        return _CONSTANTS[value.lower()]
    if _INTEGER.match(value):
        return int(value)
    if _FLOAT.match(value) and math.isfinite(float(value)):
        return float(value)
    return value
