"""From the name in the configuration to a language model."""

from __future__ import annotations

from collections.abc import Callable

from hipporag_like.config import LLMConfig
from hipporag_like.errors import ConfigError
from hipporag_like.models.named_path import named_path
from hipporag_like.models.protocols import LLM


def load_llm(config: LLMConfig) -> LLM:
    """Return the language model that ``config.model`` names; nothing is called or loaded yet.

    Parameters
    ----------
    config
        ``model`` is ``openai:MODEL``, ``transformers:PATH`` or ``scripted:FILE``.

    Raises
    ------
    ConfigError
        No model is named, or in no known way.
    MissingExtraError
        The extra ``openai`` or ``local`` is not installed.
    InputError
        The file of a scripted model cannot be read.
    """
    kind, _, argument = config.model.partition(":")
    if kind not in LLMS or not argument:
        raise ConfigError(
            "no language model is configured; name one with --llm openai:MODEL, transformers:PATH or "
            "scripted:FILE, or in the configuration: [llm] model = ..."
        )
    return LLMS[kind](argument, config)


def _openai(model: str, config: LLMConfig) -> LLM:
    from hipporag_like.models.openai_llm import OpenAILLM

    return OpenAILLM(model, config)


def _transformers(path: str, config: LLMConfig) -> LLM:
    from hipporag_like.models.transformers_llm import TransformersLLM

    return TransformersLLM(path, config)


def _scripted(file: str, config: LLMConfig) -> LLM:
    from hipporag_like.models.scripted import ScriptedLLM

    return ScriptedLLM.from_file(named_path(file), context=config.context_tokens)


LLMS: dict[str, Callable[[str, LLMConfig], LLM]] = {
    "openai": _openai,
    "transformers": _transformers,
    "scripted": _scripted,
}
