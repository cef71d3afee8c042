"""From the name in the configuration to an embedder."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

from hipporag_like.config import EmbedConfig, LLMConfig
from hipporag_like.errors import ConfigError, ModelError
from hipporag_like.models.named_path import named_path
from hipporag_like.models.protocols import Embedder
from hipporag_like.models.weights import HUB_NAME, is_official

# Of transformers and of sentence-transformers; a model's folder has one of them.
_DESCRIPTIONS = ("config.json", "modules.json")


def load_embedder(config: EmbedConfig, llm: LLMConfig | None = None) -> Embedder:
    """Return the embedder that ``config.model`` names.

    Parameters
    ----------
    config
        ``model`` is ``minilm``, ``hashing``, a model's folder or a hub name ``OWNER/NAME``. A folder with the
        weights of all-MiniLM-L6-v2 needs no extra; any other needs ``local``. ``openai:MODEL`` is a model
        behind an OpenAI-compatible endpoint and needs ``openai``.
    llm
        How endpoints are called; None: the defaults.

    Raises
    ------
    ConfigError
        The name is none of these.
    MissingExtraError
        The extra ``local`` is not installed.
    ModelError
        The model is missing or cannot be used.
    """
    if config.model in EMBEDDERS:
        return EMBEDDERS[config.model](config)
    kind, _, argument = config.model.partition(":")
    if kind == "openai" and argument:
        from hipporag_like.models.openai_embedder import OpenAIEmbedder

        return OpenAIEmbedder(argument, LLMConfig() if llm is None else llm)
    folder = named_path(config.model)
    if folder.is_dir():
        _require_model(folder)
        return _minilm_in(folder, config) if is_official(folder) else _local(config)
    if _may_be_hub_name(config.model):
        return _local(config)
    near = difflib.get_close_matches(config.model, EMBEDDERS, n=1)
    names = "minilm, hashing, openai:MODEL, a folder or OWNER/NAME on the hub"
    hint = f"did you mean {near[0]}?" if near else f"name {names}."
    raise ConfigError(f"embed.model {config.model!r} is neither a known embedder nor a folder; {hint}")


def _require_model(folder: Path) -> None:
    """Refuse a folder without a model before asking for the extra that would open it."""
    if not any((folder / name).is_file() for name in _DESCRIPTIONS):
        raise ModelError(f"{folder} holds no model ({' or '.join(_DESCRIPTIONS)}); name a model's folder")


def _minilm(config: EmbedConfig) -> Embedder:
    from hipporag_like.models.minilm import MiniLM

    return MiniLM(batch_tokens=config.batch_tokens, dtype=config.dtype)


def _minilm_in(folder: Path, config: EmbedConfig) -> Embedder:
    from hipporag_like.models.minilm import MiniLM

    return MiniLM(folder, batch_tokens=config.batch_tokens, dtype=config.dtype)


def _hashing(_: EmbedConfig) -> Embedder:
    from hipporag_like.models.hashing import HashingEmbedder

    return HashingEmbedder()


def _local(config: EmbedConfig) -> Embedder:
    from hipporag_like.models.local import LocalEmbedder

    dtype = "float32" if config.dtype == "auto" else config.dtype
    return LocalEmbedder(config.model, batch_tokens=config.batch_tokens, dtype=dtype)


def _may_be_hub_name(name: str) -> bool:
    owner, slash, rest = name.partition("/")
    return bool(slash and owner.strip("~.") and rest) and "/" not in rest


EMBEDDERS: dict[str, Callable[[EmbedConfig], Embedder]] = {
    "minilm": _minilm,
    HUB_NAME: _minilm,
    "hashing": _hashing,
}
