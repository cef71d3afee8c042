"""Reads what a chat endpoint sends back; whatever is no answer raises."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hipporag_like.models.endpoint_faults import UnreadableError, UnusableError

# What may follow a model's name in the name of the same model: a tag (llama3:latest), and after a dash a date, a
# version, a size or one of these words. Not "mini" or "turbo": those are other models.
_SAME = {"latest", "preview", "exp", "beta", "instruct", "chat", "it"}
_ENDS = {"content_filter": "its filter held the answer back", "error": "it broke off with an error"}


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a server counted; ``None`` where it does not say."""

    input: int | None = None
    output: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a streamed answer, or all of another one."""

    text: str = ""
    end: str = ""
    tokens: Tokens | None = None


def read_json(content: bytes) -> dict[str, Any]:
    """Return the JSON object of a body; raises :class:`UnreadableError`."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise UnreadableError("its answer is no JSON object")
    return body


def read_tokens(body: dict[str, Any]) -> Tokens:
    """Return what a body says about its tokens."""
    said = body.get("usage")
    if not isinstance(said, dict):
        return Tokens()
    return Tokens(_whole(said.get("prompt_tokens")), _whole(said.get("completion_tokens")))


def require_model(body: dict[str, Any], asked: str) -> None:
    """Raise :class:`UnusableError` where another model answered than the one asked."""
    said = body.get("model")
    if isinstance(said, str) and said and not same_model(asked, said):
        raise UnusableError(f"it answered with the model {said!r}")


def same_model(asked: str, said: str) -> bool:
    """Return whether two names mean one model: equal, or one is the other's beginning but for a version or tag."""
    one, other = _bare(asked), _bare(said)
    short, long = sorted((one, other), key=len)
    if not short or not long.startswith(short):
        return False
    rest = long[len(short) :]
    if not rest or rest[0] in ":@":
        return True
    if rest[0] not in "-_.":
        return False
    words = [word for word in re.split(r"[-_.:@]", rest) if word]
    return all(word in _SAME or re.search(r"\d", word) for word in words)


def read_answer(body: dict[str, Any]) -> Piece:
    """Return the text of a body that is not streamed, and how it ended; raises :class:`UnusableError`."""
    choice = _choice(body)
    if choice is None:
        raise UnusableError(_why_empty(body))
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    end = _end(choice)
    _require_good(end, message)
    text = message.get("content")
    if not isinstance(text, str) or not text.strip():
        raise UnusableError(f"its answer holds no text{' (its room was full)' if end == 'length' else ''}")
    return Piece(_whole_characters(text), end)


def read_pieces(chunks: Iterable[object], asked: str) -> Iterator[Piece]:
    """Yield the pieces of a stream until it ends; what comes after the end is only read for its tokens."""
    half = ""  # of a character whose other half comes with the next piece
    for chunk in chunks:
        if not isinstance(chunk, dict):
            raise UnreadableError("a part of its stream is no JSON object")
        require_model(chunk, asked)
        choice = _choice(chunk) or {}
        delta = choice.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        end = _end(choice)
        _require_good(end, delta)
        said = delta.get("content")
        text = half + (said if isinstance(said, str) else "")
        half = text[-1:] if not end and "\ud800" <= text[-1:] <= "\udbff" else ""
        tokens = read_tokens(chunk) if chunk.get("usage") else None
        yield Piece(_whole_characters(text.removesuffix(half)), end, tokens)


def _whole_characters(text: str) -> str:
    """Return ``text`` with halves of characters joined, and replaced where one is alone: no file can hold those."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _bare(name: str) -> str:
    """Return a model's name without its owner, in small letters; ``-latest`` stands for any version."""
    last = name.strip().lower().rstrip("/").rpartition("/")[2]
    return last.removesuffix("-latest")


def _choice(body: dict[str, Any]) -> dict[str, Any] | None:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else None


def _end(choice: dict[str, Any]) -> str:
    end = choice.get("finish_reason")
    return end if isinstance(end, str) else ""


def _require_good(end: str, message: dict[str, Any]) -> None:
    if end in _ENDS:
        raise UnusableError(_ENDS[end])
    if message.get("refusal"):
        raise UnusableError(f"the model refused: {message['refusal']}")


def _why_empty(body: dict[str, Any]) -> str:
    error = body.get("error")
    if error:
        said = error.get("message", error) if isinstance(error, dict) else error
        return f"it answered with an error: {said}"
    return "its answer is empty"


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
