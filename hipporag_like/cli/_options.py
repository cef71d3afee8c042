"""The options that commands share, each declared once, and what the shell completes them with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hipporag_like.config import METHODS, PRESETS

LLMS = ("openai:", "transformers:", "scripted:")
EXTRACTORS = ("rules", "spacy:", "llm", "openie:")
EMBEDDERS = ("minilm", "hashing", "openai:")
READERS = ("extractive", "llm", *LLMS)
FORMATS = ("graphml", "json", "csv")


def _starting(incomplete: str, choices: tuple[str, ...]) -> list[str]:
    return [choice for choice in choices if choice.startswith(incomplete)]


def complete_method(incomplete: str) -> list[str]:
    """Return the methods that start with what was typed."""
    return _starting(incomplete, METHODS)


def complete_extractor(incomplete: str) -> list[str]:
    """Return the extractors that start with what was typed."""
    return _starting(incomplete, EXTRACTORS)


def complete_embedder(incomplete: str) -> list[str]:
    """Return the embedders that start with what was typed."""
    return _starting(incomplete, EMBEDDERS)


def complete_preset(incomplete: str) -> list[str]:
    """Return the presets that start with what was typed."""
    return _starting(incomplete, PRESETS)


def complete_llm(incomplete: str) -> list[str]:
    """Return the kinds of language models that start with what was typed."""
    return _starting(incomplete, LLMS)


def complete_reader(incomplete: str) -> list[str]:
    """Return the readers that start with what was typed."""
    return _starting(incomplete, READERS)


def complete_format(incomplete: str) -> list[str]:
    """Return the export formats that start with what was typed."""
    return _starting(incomplete, FORMATS)


QuestionArgument = Annotated[
    str, typer.Argument(metavar="QUESTION", help="The question, in quotes.", show_default=False)
]
IndexOption = Annotated[
    Path,
    typer.Option(
        "--index",
        metavar="DIR",
        envvar="HIPPORAG_LIKE_INDEX",
        readable=False,  # not asked here: opening it says more
        help="The folder of the index.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no talk; errors only.")]
KOption = Annotated[
    int | None,
    typer.Option("-k", metavar="N", help="How many passages; 5 where none is given.", show_default=False),
]
ReadKOption = Annotated[
    int | None,
    typer.Option(
        "-k", metavar="N", help="How many passages are read; 8 where none is given.", show_default=False
    ),
]
MethodOption = Annotated[
    str | None,
    typer.Option(
        metavar="METHOD",
        help=f"How to search: {', '.join(METHODS)}; graph where none is given.",
        autocompletion=complete_method,
        show_default=False,
    ),
]
WhereOption = Annotated[
    list[str],
    typer.Option(
        metavar="CONDITION",
        help="Only documents whose metadata satisfies this, as 'year>=2000' or 'lang in en,de' "
        "(= != >= <= > <); repeat it to ask for more.",
        show_default=False,
    ),
]
NamespaceOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Which namespace; they share nothing.", show_default=False),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Options in a TOML file.", show_default=False),
]
EmbedderOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="minilm, hashing, openai:MODEL, or a path or hub name; the index's own where none is given, "
        "minilm for a new one.",
        autocompletion=complete_embedder,
        show_default=False,
    ),
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        metavar="PRESET",
        help="What is embedded: full (passages, sentences, entities), light (passages and single words: less than "
        "half the time, a third of the disk), or auto: light above 100,000 passages; the index's own where none "
        "is given, auto for a new one.",
        autocompletion=complete_preset,
        show_default=False,
    ),
]
ExtractorOption = Annotated[
    str | None,
    typer.Option(
        metavar="EXTRACTOR",
        help="What finds entities and facts: rules, spacy:NAME, llm (the model of --llm) or openie:FILE; the "
        "index's own where none is given, rules for a new one.",
        autocompletion=complete_extractor,
        show_default=False,
    ),
]
ReaderOption = Annotated[
    str | None,
    typer.Option(
        metavar="READER",
        help="Who reads the passages: extractive, which needs no model; llm (the model of --llm); or "
        "openai:MODEL, transformers:PATH, scripted:FILE.",
        autocompletion=complete_reader,
        show_default=False,
    ),
]
LLMOption = Annotated[
    str | None,
    typer.Option(
        "--llm",
        metavar="MODEL",
        help="The language model, for what needs one: openai:MODEL (any server that speaks its protocol), "
        "transformers:PATH or scripted:FILE; the index's own where none is given.",
        autocompletion=complete_llm,
        show_default=False,
    ),
]
BaseUrlOption = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="Where openai:MODEL is served, as http://localhost:11434/v1.",
        show_default=False,
    ),
]
FilterOption = Annotated[
    bool | None,
    typer.Option(
        "--filter/--no-filter",
        help="Let the language model pick the facts to follow; hipporag2 does where there is one, graph only "
        "with --filter.",
        show_default=False,
    ),
]
IterativeOption = Annotated[
    bool,
    typer.Option(
        "--iterative", help="Look up again what the language model makes of the passages found, in steps."
    ),
]
StepsOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="With --iterative: at most so many look-ups; 3 where none is given.",
        show_default=False,
    ),
]
