"""A language model that says what it was told to say: for tests, notebooks and trying things out.

The file of ``scripted:FILE`` is JSON::

    {"rules": [{"stage": "entities", "contains": "Tarn", "answer": {"entities": ["Tarn"]}}, ...],
     "default": {"entities": [], "triples": []}}

The first rule that fits answers: ``stage`` is what the call is for (left out: any), ``contains`` a text that
must stand in the last turn (left out: any). An ``answer`` or ``default`` that is no text is written as JSON. Without
a ``default``, a prompt that no rule fits is a failed call.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hipporag_like.errors import InputError, LLMError
from hipporag_like.models.protocols import Prompt, Reply
from hipporag_like.plain_files import read_plain
from hipporag_like.text import content_hash, words
from hipporag_like.types import Usage

Answers = Callable[[Prompt], str] | Mapping[str, Any] | Sequence[str]

_PIECES = 8  # characters of a streamed piece
_FIX = 'give {"rules": [{"stage": ..., "contains": ..., "answer": ...}], "default": ...}'


class ScriptedLLM:
    """An ``LLM`` that calls nothing.

    Parameters
    ----------
    answers
        A function from prompt to answer; or a list, given out in the order of the calls; or rules as in the
        module's description.
    context
        Tokens that fit a prompt and its answer; a token is a word here.
    width
        Calls at once.
    name
        Tells scripted models apart whose answers come from a function.
    cut
        Whether answers longer than ``prompt.max_tokens`` are cut there, as a model's are.

    Raises
    ------
    InputError
        The rules are not of the form.
    """

    def __init__(
        self,
        answers: Answers,
        context: int = 8192,
        *,
        width: int = 1,
        name: str = "function",
        cut: bool = True,
    ) -> None:
        self.context = context
        self.width = width
        self._cut = cut
        self._lock = threading.Lock()
        self._prompts: list[Prompt] = []
        self._usage = Usage()
        if callable(answers):
            self._answer, content = answers, name
        elif isinstance(answers, Mapping):
            rules, default = _rules(answers, "the script")
            self._answer, content = _by_rules(rules, default), json.dumps([rules, default])
        else:
            self._answer, content = _by_turns(list(answers)), json.dumps(list(answers))
        self.fingerprint = f"scripted:1:{content_hash(content, str(cut))}"

    @classmethod
    def from_file(cls, path: Path | str, context: int = 8192) -> ScriptedLLM:
        """Return the model that a JSON file of rules describes.

        Raises
        ------
        InputError
            The file cannot be read or is not of the form.
        """
        try:
            values = json.loads(read_plain(path).decode("utf-8-sig"))
        except OSError as error:
            raise InputError(f"cannot read the script {path}: {error.strerror}; {_FIX}") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"the script {path} is no JSON ({error}); {_FIX}") from error
        _rules(values, str(path))
        return cls(values, context)

    @property
    def prompts(self) -> list[Prompt]:
        """What was asked so far, in order."""
        with self._lock:
            return list(self._prompts)

    @property
    def usage(self) -> Usage:
        """All calls so far."""
        with self._lock:
            return self._usage

    def count(self, text: str) -> int:
        """Return the number of words and signs between blanks, whichever is more."""
        return max(len(words(text)), len(text.split()))

    def complete(self, prompt: Prompt) -> Reply:
        """Return the scripted answer; see ``models.protocols.LLM``."""
        with self._lock:
            self._prompts.append(prompt)
        text = self._answer(prompt)
        kept = _first_words(text, prompt.max_tokens) if self._cut else text
        tokens = sum(self.count(m.content) for m in prompt.messages)
        usage = Usage(calls=1, input_tokens=tokens, output_tokens=self.count(kept))
        with self._lock:
            self._usage += usage
        return Reply(kept, kept != text, usage)

    def stream(self, prompt: Prompt) -> Iterator[str | Reply]:
        """Yield the scripted answer in small pieces; see ``models.protocols.LLM``."""
        reply = self.complete(prompt)
        for at in range(0, len(reply.text), _PIECES):
            yield reply.text[at : at + _PIECES]
        yield reply


def _first_words(text: str, number: int) -> str:
    """Return ``text`` up to the end of its so many-th piece between blanks."""
    at = 0
    for piece in text.split()[:number]:
        at = text.index(piece, at) + len(piece)
    return text if text[at:].strip() == "" else text[:at]


def _by_turns(answers: list[str]) -> Callable[[Prompt], str]:
    lock = threading.Lock()
    left = iter(answers)

    def answer(prompt: Prompt) -> str:
        with lock:
            text = next(left, None)
        if text is None:
            raise LLMError(f"the script has {len(answers)} answers and was asked once more ({prompt.stage})")
        return text

    return answer


def _by_rules(rules: list[dict[str, str]], default: str | None) -> Callable[[Prompt], str]:
    def answer(prompt: Prompt) -> str:
        last = prompt.messages[-1].content
        for rule in rules:
            if rule.get("stage", prompt.stage) == prompt.stage and rule.get("contains", "") in last:
                return rule["answer"]
        if default is None:
            raise LLMError(f"no rule of the script answers this prompt ({prompt.stage}); add a default")
        return default

    return answer


def _rules(values: Any, source: str) -> tuple[list[dict[str, str]], str | None]:
    """Return checked rules and the default, answers as texts."""
    if not isinstance(values, Mapping) or not values.keys() <= {"rules", "default"}:
        raise InputError(f"{source} must be an object with rules and default; {_FIX}")
    given = values.get("rules", [])
    if not isinstance(given, list) or not all(isinstance(rule, Mapping) for rule in given):
        raise InputError(f"the rules of {source} must be a list of objects; {_FIX}")
    rules = []
    for number, rule in enumerate(given, start=1):
        unknown = sorted(rule.keys() - {"stage", "contains", "answer"})
        texts = all(isinstance(rule.get(key, ""), str) for key in ("stage", "contains"))
        if unknown or not texts or "answer" not in rule:
            raise InputError(f"rule {number} of {source} is not of the form; {_FIX}")
        rules.append({**rule, "answer": _as_text(rule["answer"])})
    return rules, _as_text(values["default"]) if "default" in values else None


def _as_text(answer: Any) -> str:
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
