"""What language models were asked and what that costs, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hipporag_like.config import Config, is_llm
from hipporag_like.types import Usage

READ = "read"  # the stage of the reader, which may have a model of its own
PRICES = "llm.input_price and llm.output_price"
EMBED_PRICE = "llm.embed_price"
NO_PRICE = "no price given: set [llm] input_price and output_price"


@dataclass(frozen=True, slots=True)
class Cost:
    """What was used, and its price.

    Attributes
    ----------
    usage
        By stage.
    money
        Of the stages that have a price or are free, in ``currency``; None where a paid service was used and
        nothing that was used has a price.
    unpriced
        The stages that ``money`` leaves out: paid for, and no price is configured.
    hint
        What to set for them, in words; empty where no price is configured at all, for then nobody asked for one.
    """

    usage: Mapping[str, Usage]
    money: float | None
    currency: str
    unpriced: tuple[str, ...] = ()
    hint: str = ""


def cost(usage: Mapping[str, Usage], config: Config) -> Cost:
    """Return ``usage`` with its price; a reader of its own name counts as the paid service that it is."""
    llm = config.llm
    if not usage:
        return Cost(usage, 0.0, llm.currency)
    from hipporag_like.models.costs import EMBED, price

    found = price(usage, llm, config.read.reader if is_llm(config.read.reader) else "")
    spoken = [stage for stage in found.unpriced if stage != EMBED]
    missing = [(spoken, PRICES)] if spoken else []
    missing += [([EMBED], EMBED_PRICE)] if EMBED in found.unpriced else []
    hints = [f"{', '.join(map(_words, stages))}: no price, set {option}" for stages, option in missing]
    asked = llm.input_price or llm.output_price or llm.embed_price
    return Cost(usage, found.money, llm.currency, found.unpriced, "; ".join(hints) if asked else "")


def stage_lines(cost: Cost) -> list[str]:
    """Return a line for each stage, and one for the money where a price is configured and something was paid."""
    lines = [stage_line(stage, usage) for stage, usage in cost.usage.items() if usage != Usage()]
    said = [price_words(cost.money, cost.currency)] if cost.money else []
    said += [cost.hint] if cost.hint else []
    return [*lines, f"cost: {'; '.join(said)}"] if said else lines


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
    return f"{_words(stage)}: " + ", ".join(filter(None, [*said, tokens]))


def price_words(money: float | None, currency: str) -> str:
    """Return an amount to the cent, or to the hundredth of one where it is less than one unit."""
    if money is None:
        return NO_PRICE
    if 0 < money < 1e-4:
        return f"less than 0.0001 {currency}"
    return f"{money:,.2f} {currency}" if money >= 1 or money == 0 else f"{money:.4f} {currency}"


def _words(stage: str) -> str:
    return stage.replace("_", " ")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}" if number else ""
