"""A plot as part of a page: its colours follow the page's, and its ids stay its own."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hipporag_like.eval.report_page import Figure
from hipporag_like.eval.report_style import COLOURS, INK, MUTED, PAPER, RULE

_VARIABLES = {
    **{colour: f"var(--series-{number})" for number, colour in enumerate(COLOURS)},
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    RULE: "var(--rule)",
    PAPER: "var(--paper)",
}
_COLOUR = re.compile("|".join(map(re.escape, _VARIABLES)), re.IGNORECASE)
_FAMILY = re.compile(r"(font:[^;]{0,200}?px)[^;]*")
_LEFT_OUT = {"metadata", "style"}  # the style would hold for the whole page; report.css says the same


def inline_svg(figure: Figure) -> str:
    """Return the plot as an ``<svg>`` element for an HTML page."""
    root = ElementTree.fromstring(figure.svg)  # what report_plots has written, nothing from outside
    _clean(root, f"{figure.stem}-")
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.set("role", "img")
    root.set("aria-label", f"{figure.title}. {figure.words}")
    return ElementTree.tostring(root, encoding="unicode")


def _clean(element: ElementTree.Element, prefix: str) -> None:
    """Take namespaces off, which HTML does not need, and rewrite attributes; text is left as it is."""
    element.tag = _local(element.tag)
    for name, value in list(element.attrib.items()):
        del element.attrib[name]
        element.set(_local(name), _attribute(_local(name), value, prefix))
    for child in list(element):
        if _local(child.tag) in _LEFT_OUT:
            element.remove(child)
        else:
            _clean(child, prefix)


def _attribute(name: str, value: str, prefix: str) -> str:
    if name == "id":
        return prefix + value
    if name == "href":
        return value.replace("#", f"#{prefix}", 1)
    value = value.replace("url(#", f"url(#{prefix}")
    if name in ("style", "fill", "stroke"):
        value = _COLOUR.sub(lambda match: _VARIABLES[match[0].lower()], value)
        value = _FAMILY.sub(r"\1 var(--font)", value)
    return value


def _local(name: str) -> str:
    return name.rpartition("}")[2]
