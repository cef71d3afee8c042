"""Servers quote what they refuse: the texts that were sent are taken out of what they say."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from hipporag_like.text import squeeze

# So many characters in a row that were sent are a quotation. Names of options and models are shorter or not in the
# texts; a shorter piece of a document tells next to nothing.
QUOTED = 12
LONGEST = 2000  # characters of a message that are looked at; the rest is not shown


def sent_texts(request: Any) -> str:
    """Return the texts of a request of chat completions or embeddings, in one line; empty where there are none.

    Parameters
    ----------
    request
        Of httpx; its body is JSON.
    """
    try:
        body = json.loads(request.content)
    except (ValueError, RuntimeError):  # no JSON, or a body that was streamed
        return ""
    given = [body.get(name) for name in ("messages", "input")] if isinstance(body, dict) else []
    return squeeze("\n".join(_strings(given)))


def without_quotes(message: str, sent: str) -> str:
    """Return ``message`` with ``[...]`` for each run of :data:`QUOTED` characters or more that is in ``sent`` too."""
    message = message[:LONGEST]
    covered = bytearray(len(message))
    for at in range(len(message) - QUOTED + 1):
        if message[at : at + QUOTED] in sent:
            covered[at : at + QUOTED] = b"\1" * QUOTED
    runs = groupby(zip(message, covered, strict=True), key=lambda pair: pair[1])
    return "".join("[...]" if hidden else "".join(sign for sign, _ in run) for hidden, run in runs)


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for part in value for text in _strings(part)] if isinstance(value, list) else []
