"""What a server understands of a chat request, learned from what it refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from hipporag_like.config import LLMConfig
from hipporag_like.models.endpoint_faults import Fault
from hipporag_like.models.protocols import Prompt

Structure = Literal["json_schema", "json_object", "none"]

OPTIONAL = ("temperature", "seed", "stream_options")  # what a server may do without
_WEAKER: Mapping[Structure, Structure] = {"json_schema": "json_object", "json_object": "none"}
# How servers name the part they do not like (OpenAI, vLLM, llama.cpp's and Ollama's messages).
_STRUCTURE = re.compile(
    r"response_format|json_schema|json_object|json mode|structured output|grammar|guided", re.I
)
# ... and that they do not take it at all, as opposed to a value out of range.
_NOT_TAKEN = re.compile(
    r"unsupported|not support|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed|no such|extra|"
    r"unavailable|deprecated|invalid (?:parameter|argument|field)|only the default",
    re.I,
)
_TITLE = re.compile(r"[^A-Za-z0-9_-]+")  # what OpenAI allows in a schema's name, the other way round
TITLE_LENGTH = 64  # characters, OpenAI's limit


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to put a request.

    Attributes
    ----------
    structure
        How the form of an answer is asked for.
    fixed
        Whether that was the user's wish, and a refusal is an error.
    limit
        What the room for the answer is called: newer models of OpenAI's take only the second name.
    without
        Optional parameters that the server refuses.
    """

    structure: Structure = "json_schema"
    fixed: bool = False
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    without: frozenset[str] = frozenset()

    @classmethod
    def of(cls, config: LLMConfig) -> Dialect:
        """Return the fullest one that ``config.structured`` allows."""
        wishes: Mapping[str, Structure] = {"schema": "json_schema", "json": "json_object", "none": "none"}
        if config.structured in wishes:
            return cls(wishes[config.structured], fixed=True)
        return cls()

    def request(self, model: str, prompt: Prompt, config: LLMConfig, stream: bool) -> dict[str, Any]:
        """Return the body of a request."""
        body: dict[str, Any] = {
            "model": model,
            # A lone surrogate has no UTF-8 form; JSON could escape it, but servers refuse it.
            "messages": [{"role": m.role, "content": _sendable(m.content)} for m in prompt.messages],
            self.limit: prompt.max_tokens,
            "temperature": config.temperature,
            "seed": config.seed,
        }
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if prompt.schema is not None and self.structure != "none":
            body["response_format"] = _format(self.structure, prompt.schema)
        return {name: value for name, value in body.items() if name not in self.without}

    def weaker(self, fault: Fault, sent: Mapping[str, Any]) -> Dialect | None:
        """Return a dialect without what the server refused of the request ``sent``, or None."""
        if "response_format" in sent and not self.fixed and _STRUCTURE.search(fault.said):
            return replace(self, structure=_WEAKER[self.structure])
        if not _NOT_TAKEN.search(fault.said):
            return None
        for name in OPTIONAL:
            if name in sent and _names(fault.said, name):
                return replace(self, without=self.without | {name})
        if "max_tokens" in sent and _names(fault.said, "max_tokens"):
            return replace(self, limit="max_completion_tokens")
        return None


def _names(said: str, name: str) -> bool:
    return re.search(rf"(?<![A-Za-z_]){name}(?![A-Za-z_])", said) is not None


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _format(structure: Structure, schema: Mapping[str, Any]) -> dict[str, Any]:
    if structure == "json_object":
        return {"type": "json_object"}
    name = _TITLE.sub("_", str(schema.get("title", ""))).strip("_")[:TITLE_LENGTH] or "answer"
    return {
        "type": "json_schema",
        "json_schema": {"name": name, "schema": dict(schema), "strict": _is_closed(schema)},
    }


def _is_closed(schema: Any) -> bool:
    """Return whether every object names all its members as required and allows no other: OpenAI's strict mode."""
    if isinstance(schema, (list, tuple)):
        return all(map(_is_closed, schema))
    if not isinstance(schema, Mapping):
        return True
    members = schema.get("properties")
    if isinstance(members, Mapping):
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", ())) != set(members):
            return False
        return all(map(_is_closed, members.values()))
    if schema.get("type") == "object":
        return False  # any members at all
    return all(map(_is_closed, schema.values()))
