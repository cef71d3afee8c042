"""Where human output goes: rich on a terminal, the same lines without colour or padding in a pipe."""

from __future__ import annotations

import sys
from typing import IO, Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

ACCENT = "cyan"
STRONG = "bold"
FAINT = "bright_black"
GOOD = "bold green"
BAD = "red"


def show(*parts: RenderableType, stderr: bool = False) -> None:
    """Print ``parts`` to stdout, or to stderr."""
    stream: IO[Any] = sys.stderr if stderr else sys.stdout
    if hasattr(stream, "reconfigure"):  # a terminal that cannot show a letter shows "?" instead of failing
        stream.reconfigure(errors="replace")
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        console.print(*parts, sep="\n")
        return
    with console.capture() as capture:
        console.print(*parts, sep="\n")
    lines = capture.get().splitlines()
    stream.write("".join(line.rstrip() + "\n" for line in lines))  # rich pads cells; a pipe needs none of it


def indent(part: RenderableType, by: int = 4) -> Padding:
    """Return ``part`` moved to the right."""
    return Padding(part, (0, 0, 0, by))


def stack(parts: list[RenderableType]) -> Group:
    """Return ``parts`` below one another."""
    return Group(*parts)


def heading(text: str) -> Text:
    """Return the title of a part of the output, with a line of space above."""
    return Text(f"\n{text}", style=STRONG)


def seconds(value: float) -> str:
    """Return a duration as a person says it."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.1f} min"


def bar(share: float, width: int = 10) -> Text:
    """Return a bar for a share in [-1, 1]; a negative one is red."""
    length = min(width, round(abs(share) * width))
    return Text("\u2501" * length, style=BAD if share < 0 else ACCENT)


class Live:
    """A line on stdout that is written piece by piece; leaving the ``with`` ends it, whatever happened."""

    def __init__(self) -> None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")
        self._console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
        self._begun = False

    def __enter__(self) -> Live:
        return self

    def __exit__(self, *_: object) -> None:
        if self._begun:
            self.write("\n", "")

    def write(self, piece: str, style: str) -> None:
        """Write a piece at once. Control characters of others are left out: they could steer the terminal."""
        kept = "".join(c for c in piece if c.isprintable() or c in "\n\t")
        self._console.out(kept, style=style or None, end="", highlight=False)
        self._begun = self._begun or bool(kept)
        sys.stdout.flush()
