"""``hipporag-like demo``: the whole way on the sample corpus, in a minute."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hipporag_like.cli import _options as opt

if TYPE_CHECKING:
    from hipporag_like.eval.questions import Question
    from hipporag_like.rag import HippoRAG

# Three kinds: a bridge, a chain, a comparison. The reader gets about 60 % of the sample's 40 questions right;
# `hipporag-like eval sample` asks all of them.
ASKED = ("q02", "q04", "q35")


def run(
    index: Annotated[
        Path, typer.Option("--index", metavar="DIR", help="Where to keep the sample's index.")
    ] = Path("hipporag_like_demo"),
    embedder: opt.EmbedderOption = None,
    quiet: opt.QuietOption = False,
) -> None:
    """Index a sample corpus and ask it hard questions.

    Each question needs two documents or more. All of it runs offline, in a folder of its own; run it again
    and only the questions cost time.

    Example:
      hipporag-like demo
    """
    from hipporag_like.cli._console import show
    from hipporag_like.cli._progress import track_for
    from hipporag_like.cli._render_report import render_report
    from hipporag_like.cli._session import configure, open_index, sample_folder
    from hipporag_like.eval.datasets import load_dataset

    sample = load_dataset(sample_folder())
    rag = open_index(index, configure(None, index, embedder=embedder), read_only=False)
    report = rag.index(sample.documents, track=track_for(quiet))
    if not quiet:
        show(render_report(report))
    for question in pick(sample.questions):
        _answer(rag, question)
    if not quiet:
        _farewell(index)


def pick(questions: Sequence[Question]) -> list[Question]:
    """Return the demo's questions, in their order."""
    return [question for question in questions if question.id in ASKED]


def _answer(rag: HippoRAG, question: Question) -> None:
    from rich.text import Text

    from hipporag_like.cli._console import STRONG, indent, show
    from hipporag_like.cli._render import render_answer

    answer = rag.ask(question.question)
    show(Text(), Text(question.question, style=STRONG), indent(render_answer(answer, paths=True), 2))


def _farewell(index: Path) -> None:
    from rich.text import Text

    from hipporag_like.cli._console import FAINT, show

    show(
        Text("\nNow yours:", style=FAINT),
        Text("  hipporag-like eval sample", style=FAINT, end=""),
        Text("    all 40 questions of the sample, scored", style=FAINT),
        Text(f'  hipporag-like ask "your question" --index {index}'),
        Text("  hipporag-like index your_documents/ --index your_index"),
    )
