"""HTML to the text that a reader of the page sees."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hipporag_like.errors import InputError
from hipporag_like.indexing.formats_text import Page
from hipporag_like.text import squeeze

_UNSEEN = frozenset("script style noscript template svg nav iframe object select textarea".split())
_PARAGRAPH = frozenset(
    """p h1 h2 h3 h4 h5 h6 section article header footer main aside table ul ol dl pre blockquote figure form
    fieldset details body""".split()
)
_LINE = frozenset("div li tr dt dd hr figcaption address summary caption option".split())
_CELL = frozenset(("td", "th"))
_SPACES = re.compile(r"\s+")
# Python converts no more than 4,300 digits (sys.set_int_max_str_digits); no character has more than seven.
_ENDLESS_REFERENCE = re.compile(r"&#[0-9]{4000,};?")


class _Reader(HTMLParser):
    """Collects the visible text; ``parts`` are pieces of it, with line breaks where blocks begin and end."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.title: list[str] = []
        self.heading: list[str] = []
        self._unseen: list[str] = []  # the open elements whose text nobody sees
        self._titled = ""  # the open element whose text is a title
        self._preformatted = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen.append(tag)
        elif not self._unseen:
            if (tag == "title" and not self.title) or (tag == "h1" and not self.heading):
                self._titled = tag
            self._preformatted = self._preformatted or tag == "pre"
            self._break(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._unseen:
            self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            if tag in self._unseen:
                del self._unseen[self._unseen.index(tag) :]
            return
        if tag == self._titled:
            self._titled = ""
        self._preformatted = self._preformatted and tag != "pre"
        if tag not in _CELL:
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        if self._titled == "title":
            self.title.append(data)
            return
        if self._titled == "h1":
            self.heading.append(data)
        self.parts.append(data if self._preformatted else _SPACES.sub(" ", data))

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Step over ``<![...``; the base class raises AssertionError on what browsers ignore."""
        close = self.rawdata.find(">", i)
        return close + 1 if close >= 0 else -1

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPH:
            self.parts.append("\n\n")
        elif tag == "br":
            self.parts.append("\n")
        elif tag in _LINE:
            while self.parts and self.parts[-1] == " ":
                self.parts.pop()
            if self.parts and not self.parts[-1].endswith("\n"):  # </li><li> is one line break
                self.parts.append("\n")
        elif tag in _CELL:
            self.parts.append(" ")


def parse_html(markup: str) -> Page:
    """Return the visible text of a page; its title is that of ``<title>`` or of the first ``<h1>``.

    Raises
    ------
    InputError
        The page shows no text.
    """
    reader = _Reader()
    reader.feed(_ENDLESS_REFERENCE.sub("\ufffd", markup))
    reader.close()
    text = _tidy("".join(reader.parts))
    if not text:
        raise InputError("the page shows no text")
    return Page(text, squeeze("".join(reader.title)) or squeeze("".join(reader.heading)))


def _tidy(text: str) -> str:
    """Return ``text`` with trimmed lines, one space between words and at most one blank line in a row."""
    lines: list[str] = []
    for line in text.split("\n"):
        clean = squeeze(line)
        if clean or (lines and lines[-1]):
            lines.append(clean)
    return "\n".join(lines).strip()
