"""A reader of sloppy JSON: single, curly and unescaped quotes, bare names, missing brackets, a cut end.

Written by hand so that it goes over the text once, whatever the text, and keeps what it has understood where the
text ends too early. Nothing is evaluated.
"""

from __future__ import annotations

import math
import re
from typing import Any

MAX_DEPTH = 16  # our forms have three levels; a limit keeps "[[[[..." from the interpreter's stack
_SPACE = re.compile(r"[\s,]*")
_BARE = re.compile(r"[^\s,\[\]{}\"\u201c:]+")
_NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,3})?\Z")
_WORDS = {"true": True, "True": True, "false": False, "False": False}
# What a quotation mark is closed by, where white space and one of these follows it. Any other is part of the text,
# as in "the "Fair" of" and 'O'Neil'.
_CLOSERS = {'"': re.compile(r'["\\]'), "'": re.compile(r"['\\]"), "\u201c": re.compile(r'[\u201d"\\]')}
_AFTER = re.compile(r"\s*(?:[,:\]}\"\u201c]|\Z)")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_CUT = object()  # a scalar whose end is missing


class TooDeepError(Exception):
    """Nested deeper than any answer of ours."""


class JsonReader:
    """Reads one object from a place of a text; ``at`` goes forward only, ``cut`` tells that the end was missing.

    Parameters
    ----------
    text
        Any.
    at
        The place of an opening brace.
    """

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self.at = at
        self.cut = False

    def object(self, depth: int = 0) -> dict[str, Any]:
        """Return the object that starts here, as far as it goes; see :class:`JsonReader`.

        Raises
        ------
        TooDeepError
            More than :data:`MAX_DEPTH` levels.
        """
        values: dict[str, Any] = {}
        self.at += 1
        while (char := self._next()) != "}":
            if not char:
                self.cut = True
                break
            key = self._key(char, depth)
            if self._next() == ":" and isinstance(key, str):
                self.at += 1
                value = self._value(self._next(), depth)
                if value is not _CUT:
                    values[key] = value
        self.at += not self.cut
        return values

    def _array(self, depth: int) -> list[Any]:
        items: list[Any] = []
        self.at += 1
        while (char := self._next()) not in ("]", "}"):  # } closes what was never closed itself
            if not char:
                self.cut = True
                break
            value = self._value(char, depth)
            if value is not _CUT:
                items.append(value)
        self.at += char == "]"
        return items

    def _key(self, char: str, depth: int) -> Any:
        """Return the name before a colon, which may lack its quotation marks; something else where it is none."""
        word = None if char in _CLOSERS else _BARE.match(self._text, self.at)
        if word is None:
            return self._value(char, depth)
        self.at = word.end()
        return word[0]

    def _next(self) -> str:
        """Go to the next character that is neither white space nor a comma; empty at the end."""
        match = _SPACE.match(self._text, self.at)
        self.at = self.at if match is None else match.end()
        return self._text[self.at : self.at + 1]

    def _value(self, char: str, depth: int) -> Any:
        """Return the value that starts with ``char``; None for what is no JSON. Goes on by one place at least."""
        if char and char in "{[":
            if depth >= MAX_DEPTH:
                raise TooDeepError
            return self.object(depth + 1) if char == "{" else self._array(depth + 1)
        if char in _CLOSERS:
            return self._string(char)
        word = _BARE.match(self._text, self.at)
        if word is None:
            self.at += char not in (
                "",
                "}",
            )  # a missing value, as in {"a": }, leaves the bracket to its object
            return None if char else _CUT
        self.at = word.end()
        return _CUT if self.at == len(self._text) else _scalar(word[0])

    def _string(self, quote: str) -> Any:
        start = place = self.at + 1
        escaped = False
        while (match := _CLOSERS[quote].search(self._text, place)) is not None:
            place = match.end()
            if match[0] == "\\":
                escaped, place = True, place + 1
            elif _AFTER.match(self._text, place):
                self.at = place
                body = self._text[start : place - 1]
                return _unescape(body) if escaped else body
        self.at, self.cut = len(self._text), True
        return _CUT


def _scalar(word: str) -> Any:
    if word in _WORDS:
        return _WORDS[word]
    if not _NUMBER.match(word):
        return None
    if word.lstrip("-").isdigit():
        return int(word)
    value = float(word)
    return value if math.isfinite(value) else None


def _unescape(body: str) -> str:
    text = _ESCAPE.sub(_escaped, body)
    if not any("\ud800" <= c <= "\udfff" for c in text):
        return text
    # Two halves are one character; a half alone is none.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _escaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) == 5 else _ESCAPES.get(code, code)
