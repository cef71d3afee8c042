"""Hits, paths and answers as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hipporag_like.cli._console import ACCENT, FAINT, GOOD, STRONG, bar, indent
from hipporag_like.cli._costs import Cost, stage_lines
from hipporag_like.text import squeeze
from hipporag_like.types import Answer, Citation, Hit, PathStep

SNIPPET = 220  # characters; three lines of 80 columns
NO_ANSWER = "No answer: the passages found do not hold one."
ARROW = " \u2192 "


def render_hits(hits: Sequence[Hit], question: str | None = None) -> Group:
    """Return the ranked list of passages, under its question where several were asked."""
    parts: list[RenderableType] = [Text(question, style=STRONG)] if question is not None else []
    if not hits:
        parts.append(Text("No passage found; the index is empty, or no document satisfies the filter."))
    top = _largest_signal(hits)
    for hit in hits:
        parts += [_hit_line(hit), indent(_snippet(hit)), indent(_signals(hit, top)), Text()]
    return Group(*(parts[:-1] if hits else parts))


def render_explained_hits(hits: Sequence[Hit]) -> Group:
    """Return the ranked list with the path to each passage in place of its text."""
    top = _largest_signal(hits)
    parts: list[RenderableType] = []
    for hit in hits:
        parts += [_hit_line(hit), indent(_signals(hit, top))]
        if hit.path:
            parts.append(indent(render_path(hit.path)))
        if hit.reasons:
            named = ", ".join(f"{name} {value:+.3f}" for name, value in hit.reasons.items())
            parts.append(indent(Text(f"learned from: {named}", style=FAINT)))
        parts.append(Text())
    return Group(*parts[:-1])


def render_path(path: Sequence[PathStep]) -> Text:
    """Return ``question -> entity -> "fact" -> passage`` as one line of text."""
    line = Text()
    for step in path:
        if line:
            line.append(ARROW, style=FAINT)
        line.append_text(_step(step))
    return line


def render_answer(answer: Answer, cost: Cost | None = None, *, paths: bool = False) -> Group:
    """Return an answer with its citations, and with ``paths`` how the question led to each.

    Parameters
    ----------
    cost
        Of the models called, shown where there were any.
    """
    first = Text(NO_ANSWER, style=STRONG) if answer.text is None else Text(answer.text, style=GOOD)
    return Group(Text.assemble(first, " ", citation_marks(answer)), render_support(answer, cost, paths=paths))


def citation_marks(answer: Answer) -> Text:
    """Return ``[1][2]``, one for each citation."""
    marks = "".join(f"[{number}]" for number in range(1, len(answer.citations) + 1))
    return Text(marks, style=ACCENT)


def render_support(answer: Answer, cost: Cost | None = None, *, paths: bool = False) -> Group:
    """Return what stands below an answer: how sure it is, the steps, what it cost and the citations."""
    told = _told(answer, cost)
    if answer.text is None:
        return Group(*told, *_closest(answer))
    sure = f"confidence {answer.confidence:.2f}, reader {answer.reader}"
    parts: list[RenderableType] = [Text(sure, style=FAINT), *told]
    for number, citation in enumerate(answer.citations, start=1):
        parts += [Text(), *_citation(number, citation, answer, paths)]
    return Group(*parts)


def _told(answer: Answer, cost: Cost | None) -> list[RenderableType]:
    thoughts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    for number, step in enumerate(answer.steps, start=1):
        if step.thought:
            thoughts.add_row(Text(f"step {number}:", style=FAINT), Text(squeeze(step.thought), style=FAINT))
    lines = stage_lines(cost) if cost else []
    if answer.dropped_citations:
        noun = "citation" if answer.dropped_citations == 1 else "citations"
        lines = [f"left out: {answer.dropped_citations} {noun} not borne out by the passages", *lines]
    first: list[RenderableType] = [thoughts] if thoughts.row_count else []
    return [*first, *(Text(line, style=FAINT) for line in lines)]


def _closest(answer: Answer) -> list[RenderableType]:
    if not answer.hits:
        return []
    return [Text("\nClosest passages", style=FAINT), *(_hit_line(hit) for hit in answer.hits[:3])]


def _citation(number: int, citation: Citation, answer: Answer, paths: bool) -> list[RenderableType]:
    hit = next((h for h in answer.hits if h.passage.id == citation.passage_id), None)
    name = Text(citation.title or citation.document_id, style=STRONG)
    place = Text(f"  {citation.passage_id}", style=FAINT)
    parts: list[RenderableType] = [
        Text.assemble((f"[{number}] ", ACCENT), name, place),
        indent(quote_in_sentence(citation, hit.passage.text if hit else citation.quote, answer.text)),
    ]
    if paths and hit is not None and hit.path:
        parts.append(indent(render_path(hit.path)))
    return parts


def quote_in_sentence(citation: Citation, text: str, answer: str | None) -> Text:
    """Return the quote between quotation marks, in the sentence of ``text`` around it, the answer marked.

    Parameters
    ----------
    text
        The passage, in which the citation's offsets count; or the bare quote where there is no passage.
    """
    start, end = citation.start, citation.end
    if text[start:end] != citation.quote:
        text, start, end = citation.quote, 0, len(citation.quote)
    first, last = _sentence_around(text, start, end)
    quote = Text(squeeze(text[start:end]))
    if answer:
        quote.highlight_words([answer], style=GOOD, case_sensitive=False)
    before = squeeze(text[first:start]) + _gap(text[first:start][-1:])
    after = _gap(text[end:last][:1]) + squeeze(text[end:last])
    return Text.assemble((before, FAINT), "\u201c", quote, "\u201d", (after, FAINT))


def _gap(neighbour: str) -> str:
    return " " if neighbour.isspace() else ""


def _sentence_around(text: str, start: int, end: int) -> tuple[int, int]:
    from hipporag_like.sentences import sentence_spans

    touched = [span for span in sentence_spans(text) if span[1] > start and span[0] < end]
    return (min(start, touched[0][0]), max(end, touched[-1][1])) if touched else (start, end)


def _hit_line(hit: Hit) -> Text:
    passage = hit.passage
    return Text.assemble(
        (f"{hit.rank:>2}  ", ACCENT),
        (passage.title or passage.document_id, STRONG),
        (f"  {hit.score:.3f}", GOOD),
        (f"  {passage.id}", FAINT),
    )


def _snippet(hit: Hit) -> Text:
    """The start of the passage, or the fact that led to it where that comes later."""
    text = squeeze(hit.passage.text)
    fact = next((squeeze(step.text) for step in reversed(hit.path) if step.kind == "fact"), "")
    place = text.find(fact) if fact else -1
    if place + len(fact) > SNIPPET:
        text = f"\u2026 {text[place:]}"
    if len(text) > SNIPPET:
        text = text[:SNIPPET].rsplit(" ", 1)[0] + " \u2026"
    return Text(text)


def _largest_signal(hits: Sequence[Hit]) -> float:
    return max((abs(value) for hit in hits for value in hit.signals.values()), default=0.0)


def _signals(hit: Hit, top: float) -> Text:
    line = Text()
    for name, value in hit.signals.items():
        line.append("   " if line else "").append(f"{name} ", style=FAINT)
        line.append_text(bar(value / top if top else 0.0)).append(f" {value:.3f}", style=FAINT)
    return line


def _step(step: PathStep) -> Text:
    if step.kind == "question":
        return Text("question", style=FAINT)
    if step.kind == "fact":
        return Text(f"\u201c{squeeze(step.text)}\u201d")
    return Text(squeeze(step.text), style=ACCENT if step.kind == "entity" else STRONG)
