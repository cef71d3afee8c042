"""From what is written to the key of an entity, as far as the writing alone can tell."""

from __future__ import annotations

import re

from hipporag_like.text import STOPWORDS, entity_key, is_unspaced

MAX_KEY_TOKENS = 12
# "I've" and "Don't", capitalised because a sentence starts there; in talk they are the most frequent names otherwise.
CONTRACTION = re.compile(
    r"(?:\w+n['\u2019]t|(?:i|you|he|she|it|we|they|there|here|this|that|what|who|where|when|how|why|let)"
    r"['\u2019](?:m|re|ve|ll|d|s))",
    re.IGNORECASE,
)


class Surfaces:
    """Keys of what was written, each worked out once; an empty key is none."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._terms: dict[str, str] = {}

    def key(self, surface: str) -> str:
        """Return the key of a title or of the end of a triple."""
        key = self._keys.get(surface)
        if key is None:
            key = self._keys[surface] = entity_key(surface)
        return key

    def name(self, surface: str) -> str:
        """Return the key of a name that an extractor found."""
        key = self._names.get(surface)
        if key is None:
            key = "" if CONTRACTION.fullmatch(surface) is not None else self.term(surface)
            self._names[surface] = key
        return key

    def term(self, surface: str) -> str:
        """Return the key of a term that an extractor found."""
        key = self._terms.get(surface)
        if key is None:
            key = self.key(surface)
            single = len(key) == 1 and not is_unspaced(key)
            none = single or key in STOPWORDS or key.count(" ") >= MAX_KEY_TOKENS
            key = self._terms[surface] = "" if none else key
        return key


def title_forms(title: str) -> tuple[str, ...]:
    """Return a title, and the title without its parenthesis where it has one."""
    if not title:
        return ()
    if "(" not in title:
        return (title,)
    base = title.split("(", 1)[0]
    full, short = entity_key(title), entity_key(base)
    return (title, base) if short not in ("", full) and full else (title,)
