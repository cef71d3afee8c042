"""From options to an open index: what every command does before its own work."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hipporag_like.cli._paths import from_anywhere
from hipporag_like.config import Config, SearchConfig
from hipporag_like.errors import IndexOutdatedError, InputError, UsageError
from hipporag_like.progress import Track, silent
from hipporag_like.types import DEFAULT_NAMESPACE, Document, Failure

if TYPE_CHECKING:
    from hipporag_like.rag import HippoRAG

FILTERING = ("graph", "hipporag2")  # methods whose facts a language model may pick from


def configure(
    file: Path | None,
    index: Path | None = None,
    *,
    embedder: str | None = None,
    preset: str | None = None,
    extractor: str | None = None,
    reader: str | None = None,
    llm: str | None = None,
    base_url: str | None = None,
    filter: bool | None = None,
) -> Config | None:
    """Return the configuration that the options make together; None where none was given.

    Parameters
    ----------
    file
        Options in TOML.
    index
        The index whose own options stand where nothing else is asked for; None: the defaults.
    embedder, preset, extractor, reader, llm, base_url, filter
        Instead of those in ``file``.

    Raises
    ------
    ConfigError
        An unknown model, extractor or reader, or a file that is no configuration.
    """
    switch = None if filter is None else "on" if filter else "off"
    asked = {
        "embed": {"model": embedder, "preset": preset},
        "extract": {"extractor": extractor},
        "read": {"reader": reader},
        "llm": {"model": llm, "base_url": base_url},
        "search": {"filter": switch},
    }
    given = {
        stage: chosen
        for stage, options in asked.items()
        if (chosen := {name: value for name, value in options.items() if value is not None})
    }
    if file is None and not given:
        return None
    own = _own_config(index)
    config = own if file is None else Config.from_toml(file, own)
    return from_anywhere(Config.from_dict(given, config), own)


def _own_config(index: Path | None) -> Config:
    if index is None:
        return Config()
    from hipporag_like.indexing.notes import config_of

    return config_of(index)


def open_index(path: Path, config: Config | None = None, *, read_only: bool = True) -> HippoRAG:
    """Open the index at ``path``; models are loaded when they are first needed.

    A snapshot of an older version is made again first, which is said on stderr.
    """
    from hipporag_like.rag import HippoRAG

    try:
        return HippoRAG(path, config=config, read_only=read_only)
    except IndexOutdatedError:
        from hipporag_like.cli._errors import say
        from hipporag_like.indexing.upgrade import upgrade

        done = upgrade(path)
        if done:
            say(done)
        return HippoRAG(path, config=config, read_only=read_only)


def check_search(question: str, k: int | None, method: str | None, filter: bool | None = None) -> str:
    """Return the question without white space around it, before anything is loaded for nothing.

    Raises
    ------
    UsageError
        The question is empty, or there is nothing to filter.
    ConfigError
        There is no such method, or ``k`` is below 1.
    """
    options = {"k": k, "method": method}
    Config.from_dict({"search": {name: value for name, value in options.items() if value is not None}})
    if filter and method not in (None, *FILTERING):
        raise UsageError(
            f"--filter picks the facts to follow, and the method {method} follows none of them; "
            f"use --method {' or '.join(FILTERING)}"
        )
    if not question.strip():
        raise UsageError("the question is empty; give it in quotes after the command")
    return question.strip()


def check_steps(iterative: bool, steps: int | None) -> None:
    """Refuse a number of steps that is none, or that nothing asks for.

    Raises
    ------
    UsageError
        ``steps`` without ``iterative``, or out of range.
    """
    if steps is None:
        return
    SearchConfig(steps=steps)
    if not iterative:
        raise UsageError("--steps is how often --iterative looks up; add --iterative or leave --steps out")


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
        raise InputError(
            f"the questions on stdin are not UTF-8: {error.reason} at byte {error.start}"
        ) from error
    questions = [line.strip() for line in lines if line.strip()]
    if not questions:
        raise InputError("there is no question on stdin; write one a line")
    return questions


def load_sources(
    sources: Sequence[str], namespace: str | None, track: Track = silent
) -> tuple[list[Document], list[Failure]]:
    """Return the documents in ``sources``, and what could not be read and why.

    Raises
    ------
    InputError
        A source does not exist.
    """
    from hipporag_like.indexing.load import load

    documents: list[Document] = []
    failures: list[Failure] = []
    with track("read", None) as advance:
        for item in load(sources, namespace=check_namespace(namespace)):
            if isinstance(item, Document):
                documents.append(item)
            else:
                failures.append(item)
            advance(1)
    return documents, failures


def check_namespace(namespace: str | None) -> str:
    """Return the namespace to index into.

    Raises
    ------
    UsageError
        It is blank or cannot be printed.
    """
    name = DEFAULT_NAMESPACE if namespace is None else namespace
    if not name.strip() or not name.isprintable():
        raise UsageError(f"a namespace is a name of printable characters, got {name!r}")
    return name


def sample_folder() -> Path:
    """Return the folder of the data set that comes with the package."""
    import hipporag_like.eval

    return Path(str(hipporag_like.eval.__file__)).parent / "sample"
