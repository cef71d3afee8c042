"""Paths given from one folder, to be kept in an index and used from another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hipporag_like.config import Config

KINDS = ("transformers", "scripted", "openie")  # of models and extractors that are KIND:PATH


def from_anywhere(config: Config, own: Config) -> Config:
    """Return ``config`` with absolute paths where a relative one leads to something from the working directory.

    What leads nowhere stays as it is: a hub name, or a mistake that is reported in the user's words.

    Parameters
    ----------
    config
        As asked for.
    own
        The index's own, whose values were given from wherever it was made and are left alone.
    """
    for stage, name, made in OPTIONS:
        part = getattr(config, stage)
        value = getattr(part, name)
        if value != getattr(getattr(own, stage), name):
            config = replace(config, **{stage: replace(part, **{name: made(value)})})
    return config


def _model(value: str) -> str:
    kind, _, path = value.partition(":")
    return f"{kind}:{_absolute(path)}" if kind in KINDS else value


def _embedder(value: str) -> str:
    from hipporag_like.models.embedders import EMBEDDERS

    return value if value in EMBEDDERS else _absolute(value)


def _absolute(path: str) -> str:
    if not path.strip() or not Path(path).exists():
        return path
    return str(Path(path).absolute())


OPTIONS = (
    ("llm", "prompts", _absolute),
    ("llm", "model", _model),
    ("read", "reader", _model),
    ("extract", "extractor", _model),
    ("embed", "model", _embedder),
)
