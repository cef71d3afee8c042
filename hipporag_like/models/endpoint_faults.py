"""What can go wrong between us and an OpenAI-compatible endpoint, as values that hold no secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hipporag_like.models.backoff import asked_wait
from hipporag_like.models.quotes import sent_texts, without_quotes
from hipporag_like.text import squeeze

# passing: may be gone the next time. unreachable: no connection at all. unusable: an answer, but none to use.
# refused: the server does not like this request. final: nothing to be done about this one.
# key, money: every call will be answered the same. forbidden, model: likewise, where none was answered before.
Kind = Literal["passing", "unreachable", "unusable", "refused", "final", "key", "forbidden", "model", "money"]
AGAIN: frozenset[Kind] = frozenset({"passing", "unreachable", "unusable"})
# Once the key and the model's name have served, it is this call that is refused: hosts answer 403 to input that
# their moderation dislikes, and a gateway 404 where none of its providers takes the request.
OF_THE_CALL: frozenset[Kind] = frozenset({"forbidden", "model"})

BY_STATUS: dict[int, Kind] = {
    400: "refused",
    401: "key",
    402: "money",
    403: "forbidden",
    404: "model",
    408: "passing",
    422: "refused",
    429: "passing",
}
QUOTA_SPENT = "insufficient_quota"  # OpenAI's code of a 429 that no waiting mends
# Words of a 403 about what was sent (OpenRouter: "... requires moderation ... Your input was flagged"), never the key.
MODERATED = ("flagged", "moderation", "content policy")
MESSAGE_LENGTH = 200  # characters of a server's message that are shown; some send a page of HTML


@dataclass(frozen=True, slots=True)
class Fault:
    """One failed attempt.

    Attributes
    ----------
    reason
        One line without the key, for people.
    said
        All that the server said, without the key; to look for what it refuses.
    wait
        Seconds that the server asks for.
    """

    kind: Kind
    reason: str
    said: str = ""
    wait: float | None = None


class FaultError(Exception):
    """Carries a fault to who decides about it; never leaves the models."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


class UnusableError(Exception):
    """An answer arrived, but none that could be used."""


class UnreadableError(Exception):
    """What arrived is no answer at all: cut off, no JSON, a stream without its end."""


def fault_of(error: Exception, key: str, now: float) -> Fault:
    """Return what an exception of the client, or one of ours, means.

    Parameters
    ----------
    key
        Never to be shown; a server may echo it.
    now
        Seconds since 1970, for dates to wait for.
    """
    import openai

    if isinstance(error, UnusableError):
        return Fault("unusable", scrub(str(error), key))
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, key, now)
    if isinstance(error, openai.APIConnectionError):
        return _of_connection(error, key)
    if isinstance(error, openai.APIError):  # an error inside a stream
        return Fault("passing", scrub(f"it said: {error.message}", key, sent_texts(error.request)))
    if isinstance(error, (UnreadableError, ValueError)):
        said = str(error) if isinstance(error, UnreadableError) else "its answer is no JSON"
        return Fault("passing", scrub(said, key))
    return Fault("final", scrub(f"the client gave up: {error}", key))


def scrub(text: str, key: str, sent: str = "") -> str:
    """Return ``text`` as one short line without the key, and without what it quotes of ``sent``."""
    line = without_quotes(_without(squeeze(text), key), sent)
    return line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 3] + "..."


def _without(text: str, key: str) -> str:
    return text.replace(key, "***") if key else text


def _of_status(error: Any, key: str, now: float) -> Fault:
    status = int(error.status_code)
    said = _without(f"{error.param or ''} {_message(error)}".strip(), key)
    kind: Kind = BY_STATUS.get(status, "passing" if status >= 500 else "final")
    if kind == "forbidden" and any(word in said.casefold() for word in MODERATED):
        kind = "final"
    if error.code == QUOTA_SPENT or error.type == QUOTA_SPENT:
        kind = "money"
    reason = scrub(f"HTTP {status}: {_message(error)}", key, sent_texts(error.request))
    return Fault(kind, reason, said, asked_wait(error.response.headers, now))


def _message(error: Any) -> str:
    """Return what the server says; the client has unpacked ``{"error": ...}`` already, servers differ inside."""
    body = error.body
    if isinstance(body, dict):
        inner = body.get("message") or body.get("detail") or body.get("error") or body
        return inner if isinstance(inner, str) else str(inner)
    return str(body or error.message)


def _of_connection(error: Any, key: str) -> Fault:
    import openai

    cause = error.__cause__
    # By name, because versions of the client come with different libraries under them.
    connected = type(cause).__name__ not in ("ConnectError", "ConnectTimeout")
    if isinstance(error, openai.APITimeoutError):
        return (
            Fault("passing", "no answer in time")
            if connected
            else Fault("unreachable", "no connection in time")
        )
    detail = scrub(str(cause or error), key)
    if connected:
        return Fault("passing", f"the connection was cut: {detail}")
    return Fault("unreachable", detail)
