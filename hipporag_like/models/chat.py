"""A conversation to the tokens that a model of transformers was taught to answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hipporag_like.errors import LLMError
from hipporag_like.models.model_files import reason
from hipporag_like.models.protocols import Message

# Where a tokenizer has no chat template: each turn after its speaker's name, the system's words without one; the
# answer ends where the model starts to write the user's next turn.
PLAIN_NAMES = {"system": "", "user": "User: ", "assistant": "Assistant: "}
PLAIN_END = "\n\nUser:"
_SHORTEST_CONTROL = (
    3  # characters; a control token as short as a word's letter or sign is one of the text, too
)


def encode_chat(tokenizer: Any, name: str, messages: Sequence[Message]) -> list[int]:
    """Return the tokens of a conversation, up to where the answer starts.

    Text in a message that spells a control token of the model, say ``<|im_end|>``, gets a space after its first
    character: passages are data and must not end their own turn.

    Parameters
    ----------
    tokenizer
        Of transformers. Its chat template is used; where that takes no system turn, the system's words go before
        the first user turn. Without a template the turns are written as ``PLAIN_NAMES`` says.
    name
        What the model is called in errors.

    Raises
    ------
    LLMError
        The template refuses the conversation.
    """
    turns = [_harmless(message, _controls(tokenizer)) for message in messages]
    if not has_template(tokenizer):
        text, special = _plain(turns), True
    else:
        text, special = (
            _by_template(tokenizer, name, turns),
            False,
        )  # a template writes the first token itself
    ids: list[int] = tokenizer(text, add_special_tokens=special, truncation=False, verbose=False)["input_ids"]
    return ids


def has_template(tokenizer: Any) -> bool:
    """Return whether a tokenizer comes with a chat template."""
    return bool(getattr(tokenizer, "chat_template", None))


def clean(text: str) -> str:
    """Return ``text`` without lone surrogates, which no tokenizer takes; its length stays."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _plain(messages: Sequence[Message]) -> str:
    turns = [PLAIN_NAMES[message.role] + message.content.strip() for message in messages]
    return "\n\n".join([*turns, PLAIN_NAMES["assistant"].strip()])


def _by_template(tokenizer: Any, name: str, messages: Sequence[Message]) -> str:
    from jinja2 import TemplateError

    system = [message.content.strip() for message in messages if message.role == "system"]
    try:
        text = _render(tokenizer, messages)
        # Some templates pass over what they have no place for.
        if all(content in text for content in system):
            return text
    except TemplateError as error:
        if not system:
            raise _refused(name, error) from error
    try:
        return _render(tokenizer, _merged(messages))
    except TemplateError as error:
        raise _refused(name, error) from error


def _render(tokenizer: Any, messages: Sequence[Message]) -> str:
    text: str = tokenizer.apply_chat_template(
        [{"role": message.role, "content": message.content} for message in messages],
        tokenize=False,
        add_generation_prompt=True,
        # Templates of models that think aloud know this name, others pass over it: thoughts would fill the room
        # that is kept for the answer.
        enable_thinking=False,
    )
    return text


def _merged(messages: Sequence[Message]) -> list[Message]:
    """Return the conversation with the system's words at the start of its first user turn."""
    system = [message.content for message in messages if message.role == "system"]
    turns = [message for message in messages if message.role != "system"]
    first = next((number for number, turn in enumerate(turns) if turn.role == "user"), None)
    if first is None:
        return [Message("user", "\n\n".join(system)), *turns]
    turns[first] = Message("user", "\n\n".join([*system, turns[first].content]))
    return turns


def _controls(tokenizer: Any) -> re.Pattern[str] | None:
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    spelled = {str(token.content) for token in added if token.special} | set(
        map(str, tokenizer.all_special_tokens)
    )
    found = sorted(text for text in spelled if len(text) >= _SHORTEST_CONTROL)
    return re.compile("|".join(map(re.escape, found))) if found else None


def _harmless(message: Message, controls: re.Pattern[str] | None) -> Message:
    text = clean(message.content)
    if controls is not None:
        text = controls.sub(lambda match: f"{match.group()[0]} {match.group()[1:]}", text)
    return Message(message.role, text)


def _refused(name: str, error: Exception) -> LLMError:
    return LLMError(
        f"The chat template of {name} refuses this conversation ({reason(error)}); use another model."
    )
