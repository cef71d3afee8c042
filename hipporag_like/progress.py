"""How the library tells that work goes on: through a ``Track`` it is handed, and by default to nobody.

The library never prints. Whoever wants a progress bar passes a ``Track``; the command line's is
``hipporag_like.cli._progress``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]


class Track(Protocol):
    """Opens one piece of work and hands back the function that reports steps done.

    ::

        with track("embed", len(texts)) as advance:
            for batch in batches:
                ...
                advance(len(batch))
    """

    def __call__(self, label: str, total: int | None) -> AbstractContextManager[Advance]:
        """Start a piece of work.

        Parameters
        ----------
        label
            What is being done, in a word or two.
        total
            The number of steps; ``None`` where it is not known beforehand.
        """
        ...


def _ignore(steps: int) -> None:
    """Take a report of steps done and say nothing."""


@contextmanager
def silent(label: str, total: int | None) -> Iterator[Advance]:
    """Track without a trace: the library's default."""
    yield _ignore
