"""What language models were asked and what that costs, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hipporag_like.config import Config, is_llm
from hipporag_like.types import Usage

READ = "read"  # the stage of the reader, which may have a model of its own
NO_PRICE = "no price given: set [llm] input_price and output_price"


@dataclass(frozen=True, slots=True)
class Cost:
    """What was used, and its price.

    Attributes
    ----------
    usage
        By stage.
    money
        In ``currency``; None where a paid service was used and no price is configured.
    """

    usage: Mapping[str, Usage]
    money: float | None
    currency: str


def cost(usage: Mapping[str, Usage], config: Config) -> Cost:
    """Return ``usage`` with its price; a reader of its own name counts as the paid service that it is."""
    if not usage:
        return Cost(usage, 0.0, config.llm.currency)
    from hipporag_like.models.costs import money

    reader = config.read.reader
    model = reader if is_llm(reader) else config.llm.model
    read = {stage: part for stage, part in usage.items() if stage == READ}
    other = {stage: part for stage, part in usage.items() if stage != READ}
    prices = [money(read, replace(config.llm, model=model)), money(other, config.llm)]
    known = [price for price in prices if price is not None]
    return Cost(usage, sum(known) if len(known) == len(prices) else None, config.llm.currency)


def stage_lines(cost: Cost) -> list[str]:
    """Return a line for each stage, and one for the money where a price is configured and something was paid."""
    lines = [stage_line(stage, usage) for stage, usage in cost.usage.items() if usage != Usage()]
    return [*lines, f"cost: {price_words(cost.money, cost.currency)}"] if cost.money else lines


def stage_line(stage: str, usage: Usage) -> str:
    """Return the calls, failures and tokens of a stage as a person says them."""
    asides = [
        _counted(usage.retries, "retry", "retries"),
        f"{usage.cached:,} from the cache" if usage.cached else "",
        f"{usage.failed:,} failed" if usage.failed else "",
    ]
    said = [_counted(usage.calls, "call", "calls"), *asides]
    tokens = (
        f"{usage.input_tokens:,} tokens in, {usage.output_tokens:,} out"
        if usage.calls or usage.input_tokens
        else ""
    )
    return f"{stage.replace('_', ' ')}: " + ", ".join(filter(None, [*said, tokens]))


def price_words(money: float | None, currency: str) -> str:
    """Return an amount to the cent, or to the hundredth of one where it is less than one unit."""
    if money is None:
        return NO_PRICE
    if 0 < money < 1e-4:
        return f"less than 0.0001 {currency}"
    return f"{money:,.2f} {currency}" if money >= 1 or money == 0 else f"{money:.4f} {currency}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}" if number else ""
