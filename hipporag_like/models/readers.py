"""From the name in the configuration to a reader."""

from __future__ import annotations

from collections.abc import Callable

from hipporag_like.config import ReadConfig
from hipporag_like.errors import ConfigError
from hipporag_like.models.protocols import Embedder, Reader


def load_reader(config: ReadConfig, embedder: Callable[[], Embedder]) -> Reader:
    """Return the reader that ``config.reader`` names.

    Parameters
    ----------
    config
        ``reader`` is ``extractive``.
    embedder
        Called when the reader needs vectors.

    Raises
    ------
    ConfigError
        There is no such reader.
    """
    if config.reader not in READERS:
        raise ConfigError(f"reader must be one of {', '.join(READERS)}, got {config.reader!r}")
    return READERS[config.reader](embedder)


def _extractive(embedder: Callable[[], Embedder]) -> Reader:
    from hipporag_like.models.extractive import ExtractiveReader

    return ExtractiveReader(embedder)


READERS: dict[str, Callable[[Callable[[], Embedder]], Reader]] = {"extractive": _extractive}
