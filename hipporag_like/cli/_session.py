"""From options to an open index: what every command does before its own work."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hipporag_like.config import Config, SearchConfig
from hipporag_like.errors import InputError, UsageError

if TYPE_CHECKING:
    from hipporag_like.rag import HippoRAG


def configure(
    file: Path | None, *, embedder: str | None = None, extractor: str | None = None, reader: str | None = None
) -> Config | None:
    """Return the configuration that the options make together; None where none was given.

    Raises
    ------
    ConfigError
        An unknown model, extractor or reader, or a file that is no configuration.
    """
    if file is None and embedder is None and extractor is None and reader is None:
        return None
    config = Config() if file is None else Config.from_toml(file)
    if embedder is not None:
        config = replace(config, embed=replace(config.embed, model=embedder))
    if extractor is not None:
        config = replace(config, extract=replace(config.extract, extractor=extractor))
    if reader is not None:
        config = replace(config, read=replace(config.read, reader=reader))
    return config


def open_index(path: Path, config: Config | None = None, *, read_only: bool = True) -> HippoRAG:
    """Open the index at ``path``; models are loaded when they are first needed."""
    from hipporag_like.rag import HippoRAG

    return HippoRAG(path, config=config, read_only=read_only)


def check_search(question: str, method: str | None) -> str:
    """Return the question without white space around it, before anything is loaded for nothing.

    Raises
    ------
    UsageError
        The question is empty.
    ConfigError
        There is no such method.
    """
    if method is not None:
        SearchConfig(method=method)
    if not question.strip():
        raise UsageError("the question is empty; give it in quotes after the command")
    return question.strip()


def read_questions() -> Sequence[str]:
    """Return the questions on stdin, one a line; empty lines are skipped.

    Raises
    ------
    InputError
        There is none, or stdin is not UTF-8.
    """
    try:
        lines = sys.stdin.buffer.read().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"the questions on stdin are not UTF-8: {error.reason} at byte {error.start}") from error
    questions = [line.strip() for line in lines if line.strip()]
    if not questions:
        raise InputError("there is no question on stdin; write one a line")
    return questions
