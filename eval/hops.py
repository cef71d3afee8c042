"""How many facts a question needs, where its id or its gold says so."""

from __future__ import annotations

import re

# MuSiQue's ids start with the shape of the reasoning: 2hop__, 3hop1__ (a chain of three), 3hop2__ (two facts
# meet in a third), up to 4hop3__.
_SHAPE = re.compile(r"((\d)hop\d?)__")


def musique_shape(id_: str) -> tuple[str, int]:
    """Return the shape of the reasoning and its number of hops from a MuSiQue id; ``("", 0)`` for others."""
    found = _SHAPE.match(id_)
    return (found.group(1), int(found.group(2))) if found else ("", 0)
