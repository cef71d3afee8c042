"""Progress bars on stderr, for work that takes over a second and a person who is watching."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hipporag_like.progress import Advance, Track, silent

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE = 1.0  # seconds; Nielsen (1993): up to one second a person's thought is not interrupted


def track_for(quiet: bool) -> Track:
    """Return bars where stderr is a terminal, silence where it is not or ``quiet`` asks for it."""
    return silent if quiet or not sys.stderr.isatty() else Bars().track


class Bars:
    """Bars of all pieces of work under way; each appears when its piece has taken ``patience`` seconds.

    Parameters
    ----------
    patience
        Seconds to wait before a bar is drawn; rich is imported only then.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._display: Progress | None = None
        self._shown = 0

    @contextmanager
    def track(self, label: str, total: int | None) -> Iterator[Advance]:
        """Show one piece of work; see :class:`hipporag_like.progress.Track`."""
        piece = _Piece(label, total)
        timer = threading.Timer(self._patience, self._show, (piece,))
        timer.daemon = True
        timer.start()
        try:
            yield lambda steps: self._advance(piece, steps)
        finally:
            timer.cancel()
            self._hide(piece)

    def _show(self, piece: _Piece) -> None:
        with self._lock:
            if piece.closed:  # the timer fired while the work came to its end
                return
            if self._display is None:
                self._display = _display()
                self._display.start()
            self._shown += 1
            piece.task = self._display.add_task(piece.label, total=piece.total, completed=piece.done)

    def _advance(self, piece: _Piece, steps: int) -> None:
        with self._lock:
            piece.done += steps
            if self._display is not None and piece.task is not None:
                self._display.advance(piece.task, steps)

    def _hide(self, piece: _Piece) -> None:
        with self._lock:
            piece.closed = True
            if self._display is None or piece.task is None:
                return
            self._display.remove_task(piece.task)
            self._shown -= 1
            if self._shown == 0:
                self._display.stop()
                self._display = None


class _Piece:
    """A piece of work under way; the lock of its ``Bars`` guards it."""

    def __init__(self, label: str, total: int | None) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self.closed = False
        self.task: TaskID | None = None


def rate_words(speed: float) -> str:
    """Return steps a second, or a minute where a language model takes longer for one."""
    if speed < 1:
        return f"{speed * 60:,.1f}/min" if speed < 1 / 6 else f"{speed * 60:,.0f}/min"
    return f"{speed:,.1f}/s" if speed < 10 else f"{speed:,.0f}/s"


def _display() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Steps a second."""

        def render(self, task: object) -> Text:
            speed = getattr(task, "finished_speed", None) or getattr(task, "speed", None)
            return Text(rate_words(speed) if speed else "", style="dim")

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        transient=True,
    )
