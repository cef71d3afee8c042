"""From the name in the configuration to an extractor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hipporag_like.config import ExtractConfig
from hipporag_like.errors import ConfigError
from hipporag_like.models.named_path import named_path
from hipporag_like.models.protocols import LLM, Extractor

if TYPE_CHECKING:
    from hipporag_like.models.prompts import Prompts


def load_extractor(
    config: ExtractConfig, llm: Callable[[], LLM], prompts: Callable[[], Prompts]
) -> Extractor:
    """Return the extractor that ``config.extractor`` names.

    Parameters
    ----------
    config
        ``extractor`` is ``rules``, ``spacy:NAME``, ``llm`` or ``openie:FILE``.
    llm, prompts
        Called for the extractor ``llm``.

    Raises
    ------
    ConfigError
        The name is none of these, the spaCy pipeline is not installed, or no language model is configured.
    InputError
        The file cannot be read or is in no known format.
    """
    kind, _, argument = config.extractor.partition(":")
    if kind == "llm":
        from hipporag_like.models.llm_extractor import LLMExtractor

        return LLMExtractor(llm(), prompts(), config.llm_calls)
    if kind not in EXTRACTORS:
        raise ConfigError(
            f"extractor {config.extractor!r} is unknown; name rules, spacy:NAME, llm or openie:FILE"
        )
    return EXTRACTORS[kind](argument)


def _rules(_: str) -> Extractor:
    from hipporag_like.models.rules import RulesExtractor

    return RulesExtractor()


def _spacy(name: str) -> Extractor:
    from hipporag_like.models.spacy_pipeline import SpacyExtractor

    return SpacyExtractor(name)


def _openie(file: str) -> Extractor:
    from hipporag_like.models.openie import OpenIEExtractor

    return OpenIEExtractor(named_path(file))


EXTRACTORS: dict[str, Callable[[str], Extractor]] = {"rules": _rules, "spacy": _spacy, "openie": _openie}
