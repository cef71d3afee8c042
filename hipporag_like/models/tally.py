"""What one call to an endpoint comes to, all its attempts together."""

from __future__ import annotations

from dataclasses import dataclass

from hipporag_like.types import Usage


@dataclass(slots=True)
class Tally:
    """Filled while a call is under way; tokens of answers that were of no use count, for they are paid too."""

    retries: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def tokens(self) -> int:
        """In and out."""
        return self.input_tokens + self.output_tokens

    def usage(self) -> Usage:
        """Return it as the usage of one answered call."""
        return Usage(1, 0, 0, self.retries, self.input_tokens, self.output_tokens)
