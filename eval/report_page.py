"""What a report is made of, before it becomes markdown or HTML. All text is plain; who writes it escapes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

BETTER, WORSE = "better", "worse"
MARKS = {BETTER: "▲", WORSE: "▼"}  # shapes, so that they are told apart without colour
_NUMBER = re.compile(r"–|[<+−]? ?[\d.,]+( (ms|s|min|MB))?|[+−]?[\d.,]+ to [+−]?[\d.,]+")


@dataclass(frozen=True, slots=True)
class Cell:
    """One value as it is shown.

    Attributes
    ----------
    best
        No other system of the table has a higher value, as shown.
    mark
        ``BETTER`` or ``WORSE`` than the baseline beyond chance, or ``""``.
    note
        Smaller, below the value.
    """

    text: str
    best: bool = False
    mark: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a system, or something else with a name, in the first cell of each row.

    Attributes
    ----------
    folded
        For reference: a page may show it only when asked to.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    folded: bool = False

    def is_text(self, column: int) -> bool:
        """Return whether a column holds words, which are read from the left; numbers align at the right."""
        texts = [row[column].text for row in self.rows]
        return column == 0 or not all(_NUMBER.fullmatch(text) for text in texts)


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot as SVG text.

    Attributes
    ----------
    stem
        The name of its file, without the suffix: only letters of ASCII, digits and ``-``.
    title
        What it shows, and of which data set.
    words
        The same in words, for those who do not see it.
    """

    stem: str
    title: str
    words: str
    svg: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Plots that are seen side by side; ``title`` is ``""`` where the section's title says it."""

    items: tuple[Figure, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report with a title of its own."""

    title: str
    text: tuple[str, ...] = ()
    blocks: tuple[Table | Figures, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report.

    Attributes
    ----------
    lead
        The result in a few sentences.
    facts
        What the numbers were made with: (name, value).
    guide
        How to read it: (word, explanation).
    config
        The options as indented JSON, or ``""``.
    """

    title: str
    lead: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    guide: tuple[tuple[str, str], ...]
    config: str
