"""What an open index is made of, each part made when it is first needed."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hipporag_like.config import Config, SearchConfig
from hipporag_like.errors import (
    IndexCorruptError,
    IndexMismatchError,
    IndexNotFoundError,
    IndexOutdatedError,
    UsageError,
)
from hipporag_like.once import once
from hipporag_like.opened import OpenIndex
from hipporag_like.types import Hit, Trace, Usage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hipporag_like.indexing.build import Models
    from hipporag_like.indexing.index import Index, Segment
    from hipporag_like.language import Language
    from hipporag_like.models.protocols import LLM, Embedder, Extractor, Reader


@dataclass(frozen=True, slots=True)
class Given:
    """What stands in for what the configuration names."""

    config: Config | None
    embedder: Embedder | None
    extractor: Extractor | None
    reader: Reader | None
    llm: LLM | None


class Parts:
    """The configuration, the snapshot and the models of one index folder; any number of threads may share them.

    Parameters
    ----------
    path
        The index folder.
    given
        What the user brought along.
    upgrade
        Whether a snapshot of an older format may be made again.
    """

    def __init__(self, path: Path, given: Given, upgrade: bool = True) -> None:
        self._path = path
        self._given = given
        self._making = threading.RLock()  # see once.py
        self._opened = OpenIndex(path, upgrade)

    @once
    def config(self) -> Config:
        """The options in force: those given, else the index's own, else the defaults."""
        if self._given.config is not None:
            return self._given.config
        try:
            return Config.from_dict(self._stored()["config"])
        except (IndexNotFoundError, IndexCorruptError, IndexOutdatedError):
            from hipporag_like.indexing.notes import noted_config

            return noted_config(self._path)

    @once
    def reader(self) -> Reader:
        """The reader that answers."""
        from hipporag_like.indexing.known import KnownVectors
        from hipporag_like.models.readers import Helpers, load_reader

        if self._given.reader is not None:
            return self._given.reader
        helpers = Helpers(
            embedder=lambda: KnownVectors(self._path, self.embedder),
            own=self.language.session,
            kept=self.language.kept,
        )
        return load_reader(self.config.read, self.config.llm, helpers)

    @once
    def embedder(self) -> Embedder:
        """The embedder, loaded now if it was not yet."""
        from hipporag_like.models.embedders import load_embedder

        if self._given.embedder is not None:
            return self._given.embedder
        return load_embedder(self.config.embed, self.config.llm)

    @once
    def language(self) -> Language:
        """The language model, its prompts and the cache of its answers."""
        from hipporag_like.language import Language

        return Language(self._path, self.config.llm, self._given.llm)

    def close(self) -> None:
        """Let go of the open snapshot and the cache; the parts may go on being used."""
        self._opened.close()
        with self._making:
            if "language" in self.__dict__:
                self.language.close()

    def index(self) -> Index:
        """Return the newest published index, opened once; a rewritten one is opened anew by ``close``."""
        return self._opened.index()

    def reading(self, namespace: str | None) -> AbstractContextManager[list[Segment]]:
        """Hold the snapshot while one namespace, or all of them, are searched."""
        return self._opened.reading(namespace)

    def holding(self) -> AbstractContextManager[Index]:
        """Hold the snapshot while its arrays are read."""
        return self._opened.holding()

    def segments(self, namespace: str | None) -> list[Segment]:
        """Return one namespace, or all of them; an unknown one is a ``UsageError``."""
        from hipporag_like.indexing.elements import segments_of

        return segments_of(self.index(), namespace)

    def search_config(
        self, k: int | None, method: str | None, filter: bool | None = None, steps: int | None = None
    ) -> SearchConfig:
        """Return the configuration's options of a search with what was asked for instead."""
        if filter not in (None, True, False):
            raise UsageError(f"filter must be True, False or None, got {filter!r}")
        switch = None if filter is None else "on" if filter else "off"
        asked = {"k": k, "method": method, "filter": switch, "steps": steps}
        given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
        return replace(self.config.search, **given)

    def vectors(self, questions: Sequence[str], method: str) -> Sequence[NDArray[np.float32] | None]:
        """Return each question's unit vector; None where the method needs none."""
        if method == "bm25":
            return [None] * len(questions)
        made_with = self.index().manifest["embedder"]
        if self.embedder.fingerprint != made_with:
            raise IndexMismatchError(
                f"the index was made with the embedder {made_with}, not {self.embedder.fingerprint}; "
                "ask with that one, or index again into another folder"
            )
        return list(self._embed(questions))

    def look(
        self,
        segments: Sequence[Segment],
        question: str,
        config: SearchConfig,
        where: Mapping[str, Any] | None,
        told: bool = True,
    ) -> Trace:
        """Return what a search for a question found and how; see :meth:`trace`."""
        return self.trace(segments, question, self.vectors([question], config.method)[0], config, where, told)

    def hits(
        self,
        segments: Sequence[Segment],
        questions: Sequence[str],
        config: SearchConfig,
        where: Mapping[str, Any] | None,
    ) -> list[list[Hit]]:
        """Return the hits of each question: embedded together, then searched by one thread a core.

        One by one where a language model is asked: how many calls it gets at a time is for ``llm`` to say.
        """
        from hipporag_like.models.threads import cores, map_threads

        vectors = self.vectors(questions, config.method)
        threads = 1 if self.language.needed_by(config) else cores()

        def find(number: int) -> list[Hit]:
            found = self.trace(segments, questions[number], vectors[number], config, where, told=False)
            return list(found.hits)

        return map_threads(find, range(len(questions)), threads)

    def trace(
        self,
        segments: Sequence[Segment],
        question: str,
        vector: NDArray[np.float32] | None,
        config: SearchConfig,
        where: Mapping[str, Any] | None,
        told: bool = True,
    ) -> Trace:
        """Return what a search found and how; see ``retrieval.search.search`` and ``retrieval.query.Query``."""
        from hipporag_like.retrieval.query import Options, Query
        from hipporag_like.retrieval.search import search

        session = self.language.session() if self.language.needed_by(config) else None
        options = Options(
            search=config,
            lexical=self.config.lexical,
            hipporag=self.config.hipporag,
            embed=self._embed,
            keep_facts=None if session is None else self.language.filter_of(config, session),
            find_entities=self.language.finder_of(config, session),
        )
        trace = search(segments, Query(question, vector, config.k, config.method, where, told), options)
        return trace if session is None else replace(trace, usage=session.spent)

    def _embed(self, questions: Sequence[str]) -> NDArray[np.float32]:
        """Return the questions' vectors as the search reads them, whatever float type the embedder gives."""
        import numpy as np

        return np.ascontiguousarray(self.embedder.embed(list(questions), "query"), dtype=np.float32)

    def models(self) -> Models:
        """Return what indexing calls."""
        from hipporag_like.indexing.build import Models
        from hipporag_like.models.protocols import Metered

        llm = self.language.session(must_keep=True) if self.asks_to_extract() else None
        embedder = self.embedder
        before = embedder.usage if isinstance(embedder, Metered) else Usage()

        def usage() -> dict[str, Usage]:
            spent = {} if llm is None else dict(llm.spent)
            after = embedder.usage if isinstance(embedder, Metered) else before
            return spent if after == before else {**spent, "embed": after - before}

        return Models(
            extractor=self.extractor(llm),
            embedder=lambda: embedder,
            fingerprint=embedder.fingerprint,
            dim=self._dim(embedder),
            prompts={} if llm is None else self.language.prompts.digests,
            usage=usage,
        )

    def _dim(self, embedder: Embedder) -> int:
        """Return the length of its vectors, from the index where that knows: a server would have to be asked."""
        try:
            manifest = self._stored()
        except (IndexNotFoundError, IndexCorruptError, IndexOutdatedError):
            return embedder.dim
        return int(manifest["dim"]) if manifest["embedder"] == embedder.fingerprint else embedder.dim

    def _stored(self) -> Mapping[str, Any]:
        """Return how the index was made.

        One of an older format is not opened: that would repair it, and a repair may be what asks for this.
        """
        from hipporag_like.store.check_snapshot import published_manifest
        from hipporag_like.store.manifest import is_outdated

        published = published_manifest(self._path)
        if published is not None and is_outdated(published):
            return published.fields
        return self.index().manifest

    def asks_to_extract(self) -> bool:
        """Return whether indexing calls the language model."""
        return self._given.extractor is None and self.config.extract.extractor == "llm"

    def extractor(self, llm: LLM | None) -> Extractor:
        """Return the extractor; ``llm`` stands in for the language model where it is the one that extracts."""
        from hipporag_like.models.extractors import load_extractor

        if self._given.extractor is not None:
            return self._given.extractor
        return load_extractor(
            self.config.extract,
            lambda: self.language.llm if llm is None else llm,
            lambda: self.language.prompts,
        )
