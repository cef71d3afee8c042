"""A report as markdown, as GitHub renders it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hipporag_like.eval.report_page import MARKS, Cell, Figure, Figures, Page, Section, Table

_SPECIAL = re.compile(r"[\\`*{}\[\]#|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LIST = re.compile(r"^(\d*)([-+.)])(?= |$)")  # what would start a list
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escape_markdown(text: str) -> str:
    """Return text that markdown shows as it is, on one line: no markup, no HTML, no end of a table cell."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    for sign, entity in _ENTITIES.items():
        line = line.replace(sign, entity)
    return _LIST.sub(r"\1\\\2", _SPECIAL.sub(lambda match: "\\" + match[0], line))


def to_markdown(page: Page, folder: str = "plots") -> str:
    """Return the report; its plots are files in ``folder``, relative to it."""
    blocks = [f"# {escape_markdown(page.title)}", *map(escape_markdown, page.lead)]
    blocks.append("\n".join(f"- {name}: {escape_markdown(value)}" for name, value in page.facts))
    for section in page.sections:
        blocks += _section(section, folder)
    blocks.append("## How to read this")
    blocks.append(
        "\n".join(f"- **{escape_markdown(word)}**: {escape_markdown(text)}" for word, text in page.guide)
    )
    return "\n\n".join(blocks) + "\n"


def _section(section: Section, folder: str) -> Iterable[str]:
    yield f"## {escape_markdown(section.title)}"
    yield from map(escape_markdown, section.text)
    for block in section.blocks:
        if isinstance(block, Figures):
            yield from _figures(block, folder)
        else:
            yield from _folded(block) if block.folded else _table(block)


def _figures(block: Figures, folder: str) -> Iterable[str]:
    if block.title:
        yield f"### {escape_markdown(block.title)}"
    yield "\n".join(_image(figure, folder) for figure in block.items)


def _image(figure: Figure, folder: str) -> str:
    return f"![{escape_markdown(figure.words)}]({folder}/{figure.stem}.svg)"


def _folded(table: Table) -> Iterable[str]:
    """Yield a table that GitHub shows when asked to."""
    _, *blocks = _table(table)
    yield from (f"<details><summary>{escape_markdown(table.title)}</summary>", *blocks, "</details>")


def _table(table: Table) -> Iterable[str]:
    yield f"### {escape_markdown(table.title)}"
    yield _grid(table, [[_named(row[0]), *map(_cell, row[1:])] for row in table.rows])
    if table.note:
        yield escape_markdown(table.note)
    notes = [[_named(row[0]), *(escape_markdown(cell.note) for cell in row[1:])] for row in table.rows]
    if any(any(row[1:]) for row in notes):
        yield f"### {escape_markdown(table.title)}: 95 % intervals"
        yield _grid(table, notes)


def _grid(table: Table, rows: Sequence[Sequence[str]]) -> str:
    rule = ["---" if table.is_text(column) else "---:" for column in range(len(table.head))]
    lines = [[escape_markdown(name) for name in table.head], rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _named(cell: Cell) -> str:
    return escape_markdown(cell.text) + (f" ({escape_markdown(cell.note)})" if cell.note else "")


def _cell(cell: Cell) -> str:
    text = escape_markdown(cell.text)
    return (f"**{text}**" if cell.best else text) + (f" {MARKS[cell.mark]}" if cell.mark else "")
