"""Where the answer begins in a reply that comes in piece by piece: behind thinking and behind ``ANSWER:``."""

from __future__ import annotations

import re

PREFIX = re.compile(r"[ \t>*_#-]{0,8}(?:final )?answer[ \t*_]{0,4}[:\uff1a]", re.IGNORECASE)
_ROOM = 32  # characters; no prefix is longer
_OPEN, _CLOSE = "<think>", "</think>"


class AnswerStart:
    """Looks for ``ANSWER:`` at the start of a line; what a model thinks aloud before is passed over."""

    def __init__(self) -> None:
        self._line = ""  # the line that is coming in
        self._starts = True  # whether ``_line`` holds its start
        self._before: list[str] = []  # what came before it
        self._thinking = False

    def feed(self, piece: str) -> str | None:
        """Return what follows the prefix in what was fed so far; None while it was not found."""
        text, at = self._line + piece, 0
        while True:
            at = self._past_thinking(text, at)
            if self._thinking:
                break
            match = PREFIX.match(text, at) if self._starts else None
            if match is not None and match.end() < len(text):
                return text[match.end() :]
            end = text.find("\n", at)
            if end < 0:
                break
            self._put_aside(text[at : end + 1])
            self._starts, at = True, end + 1
        self._line = text[at:]
        if len(self._line) > _ROOM and not self._thinking:  # kept apart, so that a long line costs its length
            self._put_aside(self._line)
            self._line, self._starts = "", False
        return None

    def rest(self) -> str:
        """Return all that was fed but thinking, at the end of a reply in which no prefix was found."""
        if self._thinking:
            return ""
        text = ("".join(self._before) + self._line).rpartition(_CLOSE)[2].strip()
        bare = PREFIX.match(text)
        return text if bare is None else text[bare.end() :]

    def _past_thinking(self, text: str, at: int) -> int:
        """Return the place behind thinking, or in it as far as it cannot end before."""
        while True:
            starts = not self._thinking and not self._before
            if starts and text[at : at + 2 * _ROOM].lstrip().startswith(_OPEN):
                self._thinking, at = True, text.index(_OPEN, at) + len(_OPEN)
            if not self._thinking:
                return at
            end = text.find(_CLOSE, at)
            if end < 0:
                return max(at, len(text) - len(_CLOSE))
            self._thinking, self._starts, at = False, True, end + len(_CLOSE)

    def _put_aside(self, text: str) -> None:
        if self._before or text.strip():
            self._before.append(text)
