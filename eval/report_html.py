"""A report as one HTML page that needs nothing else: no script, no font, no file, no network."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from importlib import resources
from string import Template

from hipporag_like.eval.report_page import MARKS, Cell, Figures, Page, Section, Table
from hipporag_like.eval.report_svg import inline_svg

LONG = 28  # characters of a cell that may go over several lines
_WORDS, _LONG = ' class="words"', ' class="words long"'
_MEANING = {
    "better": "better than the baseline beyond chance",
    "worse": "worse than the baseline beyond chance",
}


def escape_html(text: str) -> str:
    """Return text that HTML shows as it is, in elements and quoted attributes; control characters as blanks."""
    return html.escape("".join(c if c.isprintable() or c == "\n" else " " for c in text), quote=True)


def to_html(page: Page) -> str:
    """Return the page."""
    template = resources.files("hipporag_like.eval").joinpath("report_template")
    frame = Template(template.joinpath("report.html").read_text(encoding="utf-8"))
    return frame.substitute(
        title=escape_html(page.title),
        style=template.joinpath("report.css").read_text(encoding="utf-8"),
        lead="\n".join(f"<p>{escape_html(text)}</p>" for text in page.lead),
        facts=_pairs(page.facts),
        contents="\n".join(
            f'<li><a href="#part-{number}">{escape_html(section.title)}</a></li>'
            for number, section in enumerate(page.sections, 1)
        ),
        sections="\n".join(_section(number, section) for number, section in enumerate(page.sections, 1)),
        guide=_pairs(page.guide),
        config=_config(page.config),
    )


def _section(number: int, section: Section) -> str:
    parts = [f'<section id="part-{number}">', f"<h2>{escape_html(section.title)}</h2>"]
    parts += [f"<p>{escape_html(text)}</p>" for text in section.text]
    for n, block in enumerate(section.blocks, 1):
        parts.append(_figures(block) if isinstance(block, Figures) else _table(block, f"table-{number}-{n}"))
    return "\n".join([*parts, "</section>"])


def _figures(block: Figures) -> str:
    title = f"<h3>{escape_html(block.title)}</h3>" if block.title else ""
    items = "\n".join(f"<figure>{inline_svg(figure)}</figure>" for figure in block.items)
    return f'{title}<div class="figures">{items}</div>'


def _table(table: Table, name: str) -> str:
    title = f'<h3 id="{name}">{escape_html(table.title)}</h3>'
    words = [table.is_text(column) for column in range(len(table.head))]
    head = "".join(
        f'<th scope="col"{_WORDS * is_text}>{escape_html(text)}</th>'
        for text, is_text in zip(table.head, words, strict=True)
    )
    box = "\n".join(
        [
            f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{name}"><table>',
            f"<thead><tr>{head}</tr></thead>",
            "<tbody>",
            *_rows(table, words),
            "</tbody></table></div>",
        ]
    )
    note = f'<p class="note">{escape_html(table.note)}</p>' if table.note else ""
    if table.folded:
        return f"<details><summary>{title}</summary>{box}{note}</details>"
    return f"{title}\n{box}\n{note}"


def _rows(table: Table, words: Sequence[bool]) -> Iterable[str]:
    above = ""
    for row in table.rows:
        same = ' class="same"' if row[0].text == above else ""  # as the row above: the eye may skip it
        above = row[0].text
        name = escape_html(row[0].text).replace("_", "_<wbr>")  # where a long name may be broken
        first = f'<th scope="row"{_WORDS}>{name}{_note(row[0])}</th>'
        yield f"<tr{same}>{first}{''.join(map(_cell, row[1:], words[1:]))}</tr>"


def _cell(cell: Cell, words: bool) -> str:
    text = escape_html(cell.text)
    value = f"<strong>{text}</strong>" if cell.best else text
    if cell.mark:
        meaning = _MEANING[cell.mark]
        value += f' <span class="{cell.mark}" role="img" aria-label="{meaning}" title="{meaning}">'
        value += f"{MARKS[cell.mark]}</span>"
    kind = (_LONG if len(cell.text) > LONG else _WORDS) * words
    return f"<td{kind}>{value}{_note(cell)}</td>"


def _note(cell: Cell) -> str:
    return f"<small>{escape_html(cell.note)}</small>" if cell.note else ""


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"<dt>{escape_html(name)}</dt><dd>{escape_html(text)}</dd>" for name, text in pairs)


def _config(config: str) -> str:
    if not config:
        return ""
    return f"<details><summary><h3>Options</h3></summary><pre>{escape_html(config)}</pre></details>"
