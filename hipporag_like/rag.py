"""The one object a user holds: composition of the stages, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from hipporag_like.config import Config, SearchConfig
from hipporag_like.errors import IndexCorruptError, IndexMismatchError, IndexNotFoundError, UsageError
from hipporag_like.progress import Track, silent
from hipporag_like.text import words
from hipporag_like.types import Answer, Document, Failure, Hit, IndexReport, Trace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hipporag_like.indexing.build import Models
    from hipporag_like.indexing.index import Index, Segment
    from hipporag_like.models.protocols import Embedder, Extractor, Reader

# A question of 1,000,000 characters takes 8 s to link and half a minute to embed; a page of text has 3,000.
MAX_QUESTION = 100_000
# Questions embedded together by retrieve_many; one batch of the default embedder.
QUESTIONS_AT_ONCE = 64


class HippoRAG:
    """An index folder: index documents, retrieve passages, ask questions, see why.

    Opening costs nothing: no model is loaded and no array is read before it is needed.

    Parameters
    ----------
    path
        The index folder; made by the first :meth:`index`.
    config
        Options. Without it, those the index was made with, or the defaults for a new one.
    embedder
        Any object with the members of ``models.protocols.Embedder``; stands in for ``config.embed``.
    extractor
        Any object with the members of ``models.protocols.Extractor``; stands in for ``config.extract.extractor``.
    reader
        Any object with the members of ``models.protocols.Reader``; stands in for ``config.read.reader``.
    read_only
        Refuse to write, and fail at once where there is no index.

    Raises
    ------
    IndexNotFoundError
        ``read_only`` and there is no index at ``path``.

    Examples
    --------
    >>> rag = HippoRAG("my_index")                                        # doctest: +SKIP
    >>> rag.index([Document(id="a", title="A", text="...")])              # doctest: +SKIP
    >>> [hit.passage.title for hit in rag.retrieve("question", k=5)]      # doctest: +SKIP
    """

    def __init__(
        self,
        path: str | Path,
        *,
        config: Config | None = None,
        embedder: Embedder | None = None,
        extractor: Extractor | None = None,
        reader: Reader | None = None,
        read_only: bool = False,
    ) -> None:
        self.path = Path(path)
        self._given = config
        self._embedder = embedder
        self._extractor = extractor
        self._reader = reader
        self._read_only = read_only
        self._opened: Index | None = None
        if read_only:
            self._index()

    def __enter__(self) -> HippoRAG:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"HippoRAG({str(self.path)!r})"

    def close(self) -> None:
        """Let go of the open snapshot; the object may go on being used."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @cached_property
    def config(self) -> Config:
        """The options in force: those given, else the index's own, else the defaults."""
        if self._given is not None:
            return self._given
        try:
            return Config.from_dict(self._index().manifest["config"])
        except (IndexNotFoundError, IndexCorruptError):
            from hipporag_like.indexing.notes import noted_config

            return noted_config(self.path)

    # Writing

    def index(
        self,
        documents: Iterable[Document | str],
        *,
        track: Track = silent,
        failures: Sequence[Failure] = (),
    ) -> IndexReport:
        """Add documents, update those whose id is known, and publish; unchanged ones cost nothing.

        Parameters
        ----------
        documents
            ``Document`` values or plain texts.
        track
            Told about progress; silent by default.
        failures
            What could not be loaded, to appear in the report.

        Returns
        -------
        IndexReport
            Counts, seconds by stage, and every failure with its reason.

        Raises
        ------
        IndexLockedError
            Another process is writing to the index.
        UsageError
            The index was opened read-only.
        """
        from hipporag_like.indexing.build import index_documents

        self._require_writable()
        report = index_documents(self.path, documents, self.config, self._models(), track, failures)
        self.close()
        return report

    def delete(
        self, ids: Sequence[str], *, namespace: str | None = None, track: Track = silent
    ) -> IndexReport:
        """Delete documents by id, with all that was made of them.

        Parameters
        ----------
        ids
            Document ids; unknown ones are reported as failures.
        namespace
            Where; None finds the namespace by itself.

        Raises
        ------
        UsageError
            An id stands in several namespaces and none was named; or there is no such namespace.
        """
        from hipporag_like.indexing.build import delete_documents
        from hipporag_like.store.journal import Journal

        self._require_writable()
        if isinstance(ids, str):
            ids = [ids]
        keys, failures = [], []
        self._segments(namespace)
        with Journal.open_readonly(self.path) as journal:
            for document_id in dict.fromkeys(ids):
                found = [n for n in journal.namespaces_of(document_id) if namespace in (None, n)]
                if len(found) > 1:
                    names = ", ".join(sorted(found))
                    raise UsageError(f"document {document_id!r} is in the namespaces {names}; say which one")
                keys += [(n, document_id) for n in found]
                if not found:
                    failures.append(Failure(document_id, "no document of this id is in the index"))
        report = delete_documents(self.path, keys, self.config, self._models(), track, failures)
        self.close()
        return report

    # Reading

    def retrieve(
        self,
        question: str,
        k: int | None = None,
        *,
        method: str | None = None,
        where: Mapping[str, Any] | None = None,
        namespace: str | None = None,
    ) -> list[Hit]:
        """Return the best passages for a question, best first.

        Parameters
        ----------
        question
            In words.
        k
            At most so many; None takes the configuration's, 5.
        method
            ``graph`` (default), ``dense``, ``bm25`` or ``hybrid``.
        where
            Metadata filter such as ``{"year": 2020}`` or ``{"year": {"gte": 2000, "lt": 2010}}``; exact.
        namespace
            Only this one; None searches all.

        Raises
        ------
        UsageError
            An empty question, a bad filter, or an unknown namespace.
        ConfigError
            An unknown method, or k below 1.
        IndexNotFoundError
            Nothing was indexed yet.
        """
        return list(self.explain(question, k, method=method, where=where, namespace=namespace).hits)

    def retrieve_many(
        self,
        questions: Sequence[str],
        k: int | None = None,
        *,
        method: str | None = None,
        where: Mapping[str, Any] | None = None,
        namespace: str | None = None,
    ) -> list[list[Hit]]:
        """Return the hits of each question; the questions are embedded together.

        Parameters and errors are those of :meth:`retrieve`.
        """
        if isinstance(questions, str):
            raise UsageError("retrieve_many takes a list of questions, got a single one; use retrieve")
        search = self._search_config(k, method)
        for question in questions:
            _require_question(question)
        segments = self._segments(namespace)
        found: list[list[Hit]] = []
        for at in range(0, len(questions), QUESTIONS_AT_ONCE):
            part = questions[at : at + QUESTIONS_AT_ONCE]
            vectors = self._vectors(part, search.method)
            for question, vector in zip(part, vectors, strict=True):
                found.append(list(self._trace(segments, question, vector, search, where).hits))
        return found

    def explain(
        self,
        question: str,
        k: int | None = None,
        *,
        method: str | None = None,
        where: Mapping[str, Any] | None = None,
        namespace: str | None = None,
    ) -> Trace:
        """Return how a question was answered: seeds, facts, walk, and hits with signals and paths.

        Parameters and errors are those of :meth:`retrieve`.
        """
        search = self._search_config(k, method)
        _require_question(question)
        segments = self._segments(namespace)
        return self._trace(segments, question, self._vectors([question], search.method)[0], search, where)

    def ask(
        self,
        question: str,
        k: int | None = None,
        *,
        method: str | None = None,
        where: Mapping[str, Any] | None = None,
        namespace: str | None = None,
    ) -> Answer:
        """Return an answer read from the best passages, with verbatim citations.

        ``k`` is the number of passages read (None: the configuration's ``read.passages``). Other parameters
        and errors are those of :meth:`retrieve`.
        """
        passages = self.config.read.passages if k is None else k
        trace = self.explain(question, passages, method=method, where=where, namespace=namespace)
        return self.reader.read(question, trace)

    @cached_property
    def reader(self) -> Reader:
        """The reader that answers."""
        from hipporag_like.indexing.known import KnownVectors
        from hipporag_like.models.readers import load_reader

        if self._reader is not None:
            return self._reader
        return load_reader(self.config.read, lambda: KnownVectors(self.path, self.embedder))

    @cached_property
    def embedder(self) -> Embedder:
        """The embedder, loaded now if it was not yet."""
        from hipporag_like.models.embedders import load_embedder

        return self._embedder if self._embedder is not None else load_embedder(self.config.embed)

    # Inspecting

    def stats(self) -> dict[str, Any]:
        """Return counts, sizes, models, format and failures of the index."""
        from hipporag_like.indexing.inspect import stats

        return stats(self._index(), self.path)

    def export(self, format: str, out: str | Path, *, namespace: str | None = None) -> dict[str, Any]:
        """Write the graph to a file: ``graphml``, ``json`` or ``csv``; return what was written."""
        from hipporag_like.indexing.export import export

        self._segments(namespace)
        return dict(export(self._index(), format, Path(out), namespace))

    def to_networkx(self, *, namespace: str | None = None) -> Any:
        """Return the graph as a ``networkx.Graph``."""
        from hipporag_like.indexing.export import to_networkx

        self._segments(namespace)
        return to_networkx(self._index(), namespace)

    def to_igraph(self, *, namespace: str | None = None) -> Any:
        """Return the graph as an ``igraph.Graph``."""
        from hipporag_like.indexing.export import to_igraph

        self._segments(namespace)
        return to_igraph(self._index(), namespace)

    # Inside

    def _index(self) -> Index:
        """Return the newest published index, opened once; a rewritten one is opened anew by ``close``."""
        if self._opened is None:
            from hipporag_like.indexing.index import Index
            from hipporag_like.store.snapshot import open_snapshot

            self._opened = Index(open_snapshot(self.path))
        return self._opened

    def _segments(self, namespace: str | None) -> list[Segment]:
        from hipporag_like.indexing.elements import segments_of

        return segments_of(self._index(), namespace)

    def _search_config(self, k: int | None, method: str | None) -> SearchConfig:
        from dataclasses import replace

        base = self.config.search
        return replace(base, k=base.k if k is None else k, method=base.method if method is None else method)

    def _vectors(self, questions: Sequence[str], method: str) -> Sequence[NDArray[np.float32] | None]:
        if method == "bm25":
            return [None] * len(questions)
        made_with = self._index().manifest["embedder"]
        if self.embedder.fingerprint != made_with:
            raise IndexMismatchError(
                f"the index was made with the embedder {made_with}, not {self.embedder.fingerprint}; "
                "ask with that one, or index again into another folder"
            )
        return list(self._embed(questions))

    def _trace(
        self,
        segments: Sequence[Segment],
        question: str,
        vector: NDArray[np.float32] | None,
        config: SearchConfig,
        where: Mapping[str, Any] | None,
    ) -> Trace:
        from hipporag_like.retrieval.search import Options, Query, search

        query = Query(question, vector, config.k, config.method, where)
        return search(segments, query, Options(config, self.config.lexical, self._embed))

    def _embed(self, questions: Sequence[str]) -> NDArray[np.float32]:
        """Return the questions' vectors as the search reads them, whatever float type the embedder gives."""
        import numpy as np

        return np.ascontiguousarray(self.embedder.embed(list(questions), "query"), dtype=np.float32)

    def _models(self) -> Models:
        from hipporag_like.indexing.build import Models
        from hipporag_like.models.extractors import load_extractor

        extractor = self._extractor if self._extractor is not None else load_extractor(self.config.extract)
        return Models(extractor, lambda: self.embedder, self.embedder.fingerprint, self.embedder.dim)

    def _require_writable(self) -> None:
        if self._read_only:
            raise UsageError("the index was opened read-only; open it without read_only to change it")


def _require_question(question: str) -> None:
    if not isinstance(question, str) or not question.strip():
        raise UsageError("the question is empty; ask something in words")
    if len(question) > MAX_QUESTION:
        raise UsageError(
            f"the question has {len(question):,} characters, at most {MAX_QUESTION:,} are allowed; "
            "ask in a sentence, or index the text as a document"
        )
    if not words(question):
        raise UsageError(f"there are no words in the question {question[:40]!r}; ask something in words")
