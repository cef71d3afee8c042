"""Tokens to money, by the prices that the user states; this package knows nobody's price list."""

from __future__ import annotations

from collections.abc import Mapping

from hipporag_like.config import LLMConfig
from hipporag_like.types import Usage

EMBED = "embed"  # the stage of an embedder behind an API
_MILLION = 1_000_000


def total(usage: Mapping[str, Usage]) -> Usage:
    """Return the sum over all stages."""
    return sum(usage.values(), Usage())


def money(usage: Mapping[str, Usage], config: LLMConfig) -> float | None:
    """Return what ``usage`` costs in ``config.currency``; None where a paid service was used and no price is stated.

    Parameters
    ----------
    usage
        By stage. The stage ``embed`` has the price ``embed_price``, every other one the language model's.
    config
        The prices of a million tokens, and the model: one that is not behind an API costs nothing unless a price
        says otherwise.
    """
    embedded = usage.get(EMBED, Usage())
    spoken = total({stage: part for stage, part in usage.items() if stage != EMBED})
    prices = config.input_price or config.output_price
    unknown = config.model.startswith("openai:") and not prices and spoken.input_tokens + spoken.output_tokens
    if unknown or (embedded.input_tokens and not config.embed_price):
        return None
    return (
        spoken.input_tokens * config.input_price
        + spoken.output_tokens * config.output_price
        + embedded.input_tokens * config.embed_price
    ) / _MILLION
