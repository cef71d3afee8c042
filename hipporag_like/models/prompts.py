"""What language models are told: data files with named slots, which a user's own may stand in for.

A file is UTF-8 text. A line ``## system``, ``## user`` or ``## assistant`` opens a turn; ``$name`` is a slot and
``$$`` a dollar sign. Values are data: they are filled in once and never read as a template, and text of others is
put between marks that it cannot hold itself, so that no passage can pose as the end of its own quotation.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template
from types import MappingProxyType

from hipporag_like.errors import ConfigError
from hipporag_like.models.named_path import named_path
from hipporag_like.models.protocols import Message
from hipporag_like.plain_files import read_plain
from hipporag_like.text import content_hash, squeeze

# The slots of each file: all of them must be there, and no other.
SLOTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "entities": frozenset({"title", "passage"}),
        "triples": frozenset({"title", "passage", "entities"}),
        "entities_and_triples": frozenset({"title", "passage"}),
        "question_entities": frozenset({"question"}),
        "filter": frozenset({"question", "facts"}),
        "answer": frozenset({"question", "passages"}),
        "thought": frozenset({"question", "passages", "thoughts"}),
        "repair": frozenset({"error"}),
    }
)
NAMES = tuple(SLOTS)
# What others wrote, or a model that read it; what the person who asks wrote is marked where nothing else is asked.
_MARKED = frozenset({"passage", "passages", "facts", "thoughts"})
_QUOTED = frozenset({"title"})
_TOKEN_DIGITS = 12  # of a mark; short for the reader, and exact all the same: see `_marked`
_TURN = re.compile(r"^##[ \t]+(system|user|assistant)[ \t]*$", re.MULTILINE)
_SUFFIX = ".md"


class Prompts:
    """All prompts; see the module's description for their form. Immutable.

    Parameters
    ----------
    texts
        The text of each file of :data:`NAMES`.
    sources
        Where each comes from, for messages.

    Raises
    ------
    ConfigError
        A text is not of the form.
    """

    def __init__(self, texts: Mapping[str, str], sources: Mapping[str, str]) -> None:
        self._turns = {name: _parse(sources[name], texts[name], name) for name in NAMES}
        digests = {
            name: content_hash(*(part for role, body in turns for part in (role, body.template)))
            for name, turns in self._turns.items()
        }
        self._digests: Mapping[str, str] = MappingProxyType(digests)

    @classmethod
    def load(cls, folder: str = "") -> Prompts:
        """Return our prompts, where a file of the same name in ``folder`` stands in for one.

        Parameters
        ----------
        folder
            Holds files such as ``entities.md``; empty: ours alone.

        Raises
        ------
        ConfigError
            The folder or a file cannot be read, a file has a name of no prompt, or is not of the form.
        """
        ours = resources.files("hipporag_like.models").joinpath("prompt_files")
        texts = {name: ours.joinpath(name + _SUFFIX).read_text(encoding="utf-8") for name in NAMES}
        sources = {name: f"the prompt {name}{_SUFFIX}" for name in NAMES}
        if folder:
            for path in _own_files(named_path(folder)):
                texts[path.stem], sources[path.stem] = _read(path), str(path)
        return cls(texts, sources)

    @property
    def digests(self) -> Mapping[str, str]:
        """The hash of each prompt's content, 32 hexadecimal digits."""
        return self._digests

    def digest(self, name: str) -> str:
        """Return the hash of one prompt's content."""
        return self._digests[name]

    def fill(self, name: str, **slots: str) -> tuple[Message, ...]:
        """Return a prompt's turns with its slots filled.

        Parameters
        ----------
        name
            One of :data:`NAMES`.
        **slots
            A value for each slot of the prompt. ``passage``, ``passages``, ``facts`` and ``thoughts`` are put
            between marks, as is the ``question`` of ``question_entities``; ``title`` is put in quotation marks.

        Raises
        ------
        ValueError
            A slot is missing, or there is none of the name.
        """
        if slots.keys() != SLOTS[name]:
            raise ValueError(f"{name} has the slots {sorted(SLOTS[name])}, not {sorted(slots)}")
        marked = _MARKED | {"question"} if name == "question_entities" else _MARKED
        values = {slot: _value(slot, text, marked) for slot, text in slots.items()}
        return tuple(Message(role, body.substitute(values)) for role, body in self._turns[name])  # type: ignore[arg-type]


def _value(slot: str, text: str, marked: frozenset[str]) -> str:
    if slot in marked:
        return _marked(text)
    return json.dumps(squeeze(text), ensure_ascii=False) if slot in _QUOTED else text


def _marked(text: str) -> str:
    """Return ``text`` between marks with a token that it does not hold; equal texts get equal marks."""
    number = 0
    while (token := content_hash("mark", str(number), text)[:_TOKEN_DIGITS]) in text.lower():
        number += 1
    return f"<data {token}>\n{text}\n</data {token}>"


def _own_files(folder: Path) -> list[Path]:
    """Return a user's files; one with a name of no prompt would silently do nothing, so it is refused."""
    try:
        found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise ConfigError(
            f"cannot read the folder of prompts {folder} ({error.strerror}); check llm.prompts"
        ) from error
    for path in found:
        if path.suffix != _SUFFIX or path.stem not in SLOTS:
            near = difflib.get_close_matches(path.stem, NAMES, n=1, cutoff=0.0)[0]
            raise ConfigError(
                f"{path} is no prompt; rename it to {near}{_SUFFIX} or move it away (prompts are "
                f"{', '.join(name + _SUFFIX for name in NAMES)})"
            )
    return found


def _read(path: Path) -> str:
    try:
        return read_plain(path).decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise ConfigError(f"cannot read the prompt {path} ({error.strerror}); check the file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"the prompt {path} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from error


def _parse(source: str, text: str, name: str) -> list[tuple[str, Template]]:
    """Return the turns of a file, checked."""
    start, *rest = _TURN.split(text)
    turns = [(role, Template(body.strip())) for role, body in zip(rest[::2], rest[1::2], strict=True)]
    if start.strip() or not turns:
        raise ConfigError(f"{source} must begin with a line '## system' or '## user'")
    _check_roles(source, [role for role, _ in turns], name)
    found: set[str] = set()
    for role, body in turns:
        if not body.template:
            raise ConfigError(f"{source} has an empty turn '## {role}'; fill it or remove its line")
        found |= _slots(source, body.template)
    missing, unknown = sorted(SLOTS[name] - found), sorted(found - SLOTS[name])
    if missing:
        raise ConfigError(f"{source} lacks the slot ${missing[0]}; put ${missing[0]} where it belongs")
    if unknown:
        wanted = ", ".join(f"${slot}" for slot in sorted(SLOTS[name]))
        raise ConfigError(
            f"{source} has an unknown slot ${unknown[0]}; use {wanted}, and write $$ for a dollar sign"
        )
    return turns


def _check_roles(source: str, roles: list[str], name: str) -> None:
    """Refuse what chat templates of local models refuse: turns that do not alternate."""
    talk = roles[1:] if roles[0] == "system" else roles
    expected = ["user", "assistant"] * len(talk)
    if not talk or talk != expected[: len(talk)] or talk[-1] != "user":
        raise ConfigError(
            f"{source} has the turns {', '.join(roles)}; after an optional '## system', '## user' and "
            "'## assistant' must alternate and the last one must be '## user'"
        )
    if name == "repair" and roles != ["user"]:
        raise ConfigError(f"{source} follows a conversation, so it must have one turn '## user' and no other")


def _slots(source: str, template: str) -> set[str]:
    found = set()
    for match in Template.pattern.finditer(template):
        if match["invalid"] is not None:
            around = template[match.start() : match.start() + 12].split("\n")[0]
            raise ConfigError(
                f"{source} has a $ that names no slot, at {around!r}; write $$ for a dollar sign"
            )
        name = match["named"] or match["braced"]
        if name:
            found.add(name)
    return found
