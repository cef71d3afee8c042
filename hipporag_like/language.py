"""The language model of an index folder: which one, its prompts, and the cache in front of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from hipporag_like.config import LLMConfig, SearchConfig
from hipporag_like.models.cached_llm import CachedLLM
from hipporag_like.models.llms import load_llm
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.protocols import LLM
from hipporag_like.once import once
from hipporag_like.store.calls import CallTable

KeepFacts = Callable[[str, Sequence[str]], list[int]]


class Language:
    """What an index knows of language models; nothing is loaded or called until it is needed.

    Parameters
    ----------
    folder
        The index, whose journal keeps the answers.
    config
        Which model, and how to call it.
    given
        Stands in for the model of ``config``.
    """

    def __init__(self, folder: Path, config: LLMConfig, given: LLM | None) -> None:
        self._making = threading.RLock()
        self._config = config
        self._given = given
        self._calls = CallTable(folder)

    @property
    def available(self) -> bool:
        """Whether there is a model at all."""
        return self._given is not None or self._config.model != ""

    @once
    def llm(self) -> LLM:
        """The model itself.

        Raises
        ------
        ConfigError
            None is configured.
        """
        return self._given if self._given is not None else load_llm(self._config)

    @once
    def prompts(self) -> Prompts:
        """The prompts in force.

        Raises
        ------
        ConfigError
            A file of the user's cannot be used.
        """
        return Prompts.load(self._config.prompts)

    def session(self, *, must_keep: bool = False) -> CachedLLM:
        """Return the model behind the cache, with a count of costs that starts at nothing."""
        return self.kept(self.llm, must_keep=must_keep)

    def kept(self, llm: LLM, *, must_keep: bool = False) -> CachedLLM:
        """Return any model behind the cache; see ``CachedLLM``."""
        return CachedLLM(llm, self._calls, must_keep=must_keep)

    def filter_of(self, search: SearchConfig, session: CachedLLM | None) -> KeepFacts | None:
        """Return what picks the facts worth following; None where they are not filtered."""
        if session is None or search.method == "hipporag":
            return None
        from hipporag_like.retrieval.memory import keep_facts

        return partial(keep_facts, session, self.prompts)

    def finder_of(self, search: SearchConfig, session: CachedLLM | None) -> Callable[[str], list[str]]:
        """Return what finds the entities that a question names."""

        def find(question: str) -> list[str]:
            from hipporag_like.retrieval.question_entities import entities_by_llm, entities_by_rules

            if session is None or search.question_entities == "rules":
                return entities_by_rules(question)
            return entities_by_llm(session, self.prompts, question)

        return find

    def needed_by(self, search: SearchConfig) -> bool:
        """Return whether a search calls the model: because it was told to, or because there is one to call."""
        if search.method == "hipporag":
            return search.question_entities == "llm" or (
                search.question_entities == "auto" and self.available
            )
        if search.method == "hipporag2":
            return search.filter == "on" or (search.filter == "auto" and self.available)
        return search.method == "graph" and search.filter == "on"

    def close(self) -> None:
        """Let go of the journal; the object may go on being used."""
        self._calls.close()
