"""From the name in the configuration to a reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from hipporag_like.config import LLMConfig, ReadConfig, is_llm
from hipporag_like.errors import ConfigError
from hipporag_like.models.protocols import LLM, Embedder, Reader


@dataclass(frozen=True, slots=True)
class Helpers:
    """What a reader may call; each is made when it is first needed.

    Attributes
    ----------
    embedder
        The index's embedder.
    own
        The language model of the configuration.
    kept
        Puts the cache of answers before a language model.
    """

    embedder: Callable[[], Embedder]
    own: Callable[[], LLM]
    kept: Callable[[LLM], LLM]


def load_reader(config: ReadConfig, llm: LLMConfig, helpers: Helpers) -> Reader:
    """Return the reader that ``config.reader`` names.

    Parameters
    ----------
    config
        ``reader`` is ``extractive``, ``llm`` (the configured language model), or one by its name:
        ``openai:MODEL``, ``transformers:PATH``, ``scripted:FILE``.
    llm
        Options of language models.
    helpers
        What the reader may call.

    Raises
    ------
    ConfigError
        There is no such reader, or it is ``llm`` and none is configured.
    MissingExtraError
        The reader needs an extra that is not installed.
    ModelError
        The model is missing or cannot be used.
    """
    if config.reader == "extractive":
        from hipporag_like.models.extractive import ExtractiveReader

        return ExtractiveReader(helpers.embedder)
    if config.reader == "llm":
        return _by_llm(config, llm, helpers.own())
    if not is_llm(config.reader):
        known = "extractive, llm, openai:MODEL, transformers:PATH or scripted:FILE"
        raise ConfigError(f"reader must be {known}, got {config.reader!r}")
    kind, _, argument = config.reader.partition(":")
    if kind == "transformers":
        from hipporag_like.models.qa_reader import QAReader, is_question_answering

        if is_question_answering(argument):
            return QAReader(argument, llm, config.reader)
    from hipporag_like.models.llms import load_llm

    return _by_llm(config, llm, helpers.kept(load_llm(replace(llm, model=config.reader))))


def _by_llm(config: ReadConfig, llm: LLMConfig, model: LLM) -> Reader:
    from hipporag_like.models.llm_reader import LLMReader
    from hipporag_like.models.prompts import Prompts

    return LLMReader(model, Prompts.load(llm.prompts), config.reader, config.answer_tokens)
