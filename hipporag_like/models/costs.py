"""Tokens to money, by the prices that the user states; this package knows nobody's price list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hipporag_like.config import LLMConfig
from hipporag_like.types import Usage

EMBED = "embed"  # the stage of an embedder behind an API
READ = "read"  # the stage of the reader
LOCAL = ("transformers:", "scripted:")  # models that nobody sends a bill for
_MILLION = 1_000_000


def total(usage: Mapping[str, Usage]) -> Usage:
    """Return the sum over all stages."""
    return sum(usage.values(), Usage())


@dataclass(frozen=True, slots=True)
class Price:
    """What was used, in money.

    Attributes
    ----------
    money
        Of all stages that have a price or are free, in the currency of the configuration; None where a paid
        stage has no price and no other one has.
    unpriced
        The stages that are paid for and have no price, by name.
    """

    money: float | None
    unpriced: tuple[str, ...] = ()


def price(usage: Mapping[str, Usage], config: LLMConfig, reader: str = "") -> Price:
    """Return what ``usage`` costs, as far as prices are stated.

    Parameters
    ----------
    usage
        By stage. The stage ``embed`` has the price ``embed_price``, every other one the language model's.
    config
        The prices of a million tokens, and the model: a local or scripted one, known by its name, is free unless a
        price says otherwise. One without a name is the user's own object, and may be paid for.
    reader
        The model of the stage ``read``, where it has one of its own.
    """
    bought = {stage: part for stage, part in usage.items() if part.input_tokens or part.output_tokens}
    priced = {stage: _priced(stage, config) for stage in bought}
    unpriced = tuple(
        stage
        for stage, known in priced.items()
        if not known and not _free(stage, (stage == READ and reader) or config.model)
    )
    if unpriced and not any(priced.values()):
        return Price(None, unpriced)
    return Price(float(sum(_cost(stage, part, config) for stage, part in bought.items())), unpriced)


def money(usage: Mapping[str, Usage], config: LLMConfig) -> float | None:
    """Return the money of :func:`price`."""
    return price(usage, config).money


def _free(stage: str, model: str) -> bool:
    return stage != EMBED and model.startswith(LOCAL)


def _priced(stage: str, config: LLMConfig) -> bool:
    return bool(config.embed_price if stage == EMBED else config.input_price or config.output_price)


def _cost(stage: str, part: Usage, config: LLMConfig) -> float:
    if stage == EMBED:
        return part.input_tokens * config.embed_price / _MILLION
    return (part.input_tokens * config.input_price + part.output_tokens * config.output_price) / _MILLION
