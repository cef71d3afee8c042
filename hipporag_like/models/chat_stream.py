"""A streamed answer of a chat endpoint, from its first text to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hipporag_like.models.chat_answer import Piece, Tokens
from hipporag_like.models.endpoint_faults import UnreadableError, UnusableError


class Reading:
    """A stream that is being read.

    Parameters
    ----------
    pieces
        As they come.
    close
        Hangs up.
    """

    def __init__(self, pieces: Iterator[Piece], close: Callable[[], None]) -> None:
        self._pieces = pieces
        self._first = ""
        self.close = close
        self.end = ""
        self.tokens = Tokens()

    def first(self) -> None:
        """Read up to the first text, so that what fails before it can be asked for again."""
        self._first = next(self._texts(), "")
        if not self._first:
            raise UnusableError("its stream holds no text")

    def pieces(self) -> Iterator[str]:
        """Yield the text, piece by piece; raises :class:`UnreadableError` where the end is missing."""
        yield self._first
        yield from self._texts()
        if not self.end:
            raise UnreadableError("its stream ended before the answer did")

    def _texts(self) -> Iterator[str]:
        for piece in self._pieces:
            self.end = self.end or piece.end
            self.tokens = piece.tokens or self.tokens
            if piece.text:
                yield piece.text
