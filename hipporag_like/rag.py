"""The one object a user holds: composition of the stages, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from hipporag_like.config import Config
from hipporag_like.errors import UsageError
from hipporag_like.parts import Given, Parts
from hipporag_like.progress import Track, silent
from hipporag_like.text import words
from hipporag_like.types import Answer, Document, Failure, Hit, IndexReport, Trace

if TYPE_CHECKING:
    from hipporag_like.indexing.estimate import Estimate
    from hipporag_like.indexing.repair import Repaired
    from hipporag_like.models.protocols import LLM, Embedder, Extractor, Reader
    from hipporag_like.models.streaming import AnswerStream
    from hipporag_like.store.finding import Finding

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
    llm
        Any object with the members of ``models.protocols.LLM``; stands in for ``config.llm.model``.
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
        llm: LLM | None = None,
        read_only: bool = False,
    ) -> None:
        self.path = Path(path)
        self._parts = Parts(self.path, Given(config, embedder, extractor, reader, llm), upgrade=not read_only)
        self._read_only = read_only
        if read_only:
            self._parts.index()

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
        self._parts.close()

    @property
    def config(self) -> Config:
        """The options in force: those given, else the index's own, else the defaults."""
        return self._parts.config

    @property
    def embedder(self) -> Embedder:
        """The embedder, loaded now if it was not yet."""
        return self._parts.embedder

    @property
    def reader(self) -> Reader:
        """The reader that answers."""
        return self._parts.reader

    @property
    def llm(self) -> LLM:
        """The language model, without the cache of its answers.

        Raises
        ------
        ConfigError
            None is configured.
        """
        return self._parts.language.llm

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
        models = self._parts.models()
        self.close()  # an open snapshot is kept, and with it the text that is replaced
        report = index_documents(self.path, documents, self.config, models, track, failures)
        self.close()
        return report

    def estimate(self, documents: Iterable[Document | str]) -> Estimate:
        """Return what :meth:`index` would cost in calls, tokens and money; calls nothing, writes nothing.

        Parameters
        ----------
        documents
            As for :meth:`index`.
        """
        from hipporag_like.indexing.estimate import estimate

        llm = self._parts.language.session() if self._parts.asks_to_extract() else None
        return estimate(self.path, documents, self.config, self._parts.extractor(llm), llm)

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
        self._parts.segments(namespace)
        with Journal.open_readonly(self.path) as journal:
            for document_id in dict.fromkeys(ids):
                found = [n for n in journal.namespaces_of(document_id) if namespace in (None, n)]
                if len(found) > 1:
                    names = ", ".join(sorted(found))
                    raise UsageError(f"document {document_id!r} is in the namespaces {names}; say which one")
                keys += [(n, document_id) for n in found]
                if not found:
                    failures.append(Failure(document_id, "no document of this id is in the index"))
        models = self._parts.models()
        self.close()  # an open snapshot is kept, and with it what is to be deleted
        report = delete_documents(self.path, keys, self.config, models, track, failures)
        self.close()
        return report

    # Looking after

    def verify(self) -> tuple[Finding, ...]:
        """Read every file of the index and return what is wrong with it; empty where it is sound.

        Raises
        ------
        IndexNotFoundError
            There is no index.
        """
        from hipporag_like.indexing.verify import verify

        return verify(self.path)

    def repair(self, *, models: bool = False, track: Track = silent) -> Repaired:
        """Make a damaged index whole from what is left of it; a second call finds nothing to do.

        Snapshots are made again from the journal, and from a damaged journal what SQLite can read is saved; the
        damaged file is kept. No model is called: the journal holds what they made.

        Parameters
        ----------
        models
            Let the embedder and the extractor make what the journal lacks.
        track
            Told about progress; silent by default.

        Raises
        ------
        IndexLockedError
            Another process is writing to the index.
        ModelError
            The journal lacks what only a model can make, and ``models`` is False.
        StoreError
            Nothing can be saved; the message says what remains to be done.
        UsageError
            The index was opened read-only.
        """
        from hipporag_like.indexing.repair import repair

        self._require_writable()
        self.close()  # an open snapshot would be kept
        done = repair(self.path, (lambda: (self.config, self._parts.models())) if models else None, track)
        self.close()
        return done

    # Reading

    def retrieve(
        self,
        question: str,
        k: int | None = None,
        *,
        method: str | None = None,
        where: Mapping[str, Any] | None = None,
        namespace: str | None = None,
        filter: bool | None = None,
    ) -> list[Hit]:
        """Return the best passages for a question, best first.

        Parameters
        ----------
        question
            In words.
        k
            At most so many; None takes the configuration's, 5.
        method
            ``graph`` (default), ``hipporag``, ``hipporag2``, ``dense``, ``bm25`` or ``hybrid``.
        where
            Metadata filter such as ``{"year": 2020}`` or ``{"year": {"gte": 2000, "lt": 2010}}``; exact. Scores
            are those of the whole namespace, but nothing that stands in other passages only is shown.
        namespace
            Only this one; None searches all.
        filter
            Whether a language model picks the facts to follow (recognition memory, HippoRAG 2); None takes
            the configuration's: ``hipporag2`` does where a model is configured, ``graph`` does not.

        Raises
        ------
        UsageError
            An empty question, a bad filter, or an unknown namespace.
        ConfigError
            An unknown method, or k below 1.
        IndexNotFoundError
            Nothing was indexed yet.
        """
        search = self._parts.search_config(k, method, filter)
        _require_question(question)
        with self._parts.reading(namespace) as segments:
            return list(self._parts.look(segments, question, search, where, told=False).hits)

    def retrieve_many(
        self,
        questions: Sequence[str],
        k: int | None = None,
        *,
        method: str | None = None,
        where: Mapping[str, Any] | None = None,
        namespace: str | None = None,
        filter: bool | None = None,
    ) -> list[list[Hit]]:
        """Return the hits of each question; the questions are embedded together.

        Parameters and errors are those of :meth:`retrieve`.
        """
        if isinstance(questions, str):
            raise UsageError("retrieve_many takes a list of questions, got a single one; use retrieve")
        search = self._parts.search_config(k, method, filter)
        for question in questions:
            _require_question(question)
        found: list[list[Hit]] = []
        with self._parts.reading(namespace) as segments:
            for at in range(0, len(questions), QUESTIONS_AT_ONCE):
                part = questions[at : at + QUESTIONS_AT_ONCE]
                found += self._parts.hits(segments, part, search, where)
        return found

    def explain(
        self,
        question: str,
        k: int | None = None,
        *,
        method: str | None = None,
        where: Mapping[str, Any] | None = None,
        namespace: str | None = None,
        filter: bool | None = None,
        iterative: bool = False,
        steps: int | None = None,
    ) -> Trace:
        """Return how a question was answered: seeds, facts, walk, and hits with signals and paths.

        Parameters
        ----------
        iterative
            Retrieve again with what a language model makes of the passages (IRCoT, Trivedi et al. 2023); each
            retrieval is in ``Trace.steps``.
        steps
            Retrievals at most, of an iterative question; None takes the configuration's, 3.

        The other parameters and errors are those of :meth:`retrieve`; also:

        Raises
        ------
        ConfigError
            A language model is needed and none is configured.
        LLMError
            It did not answer.
        """
        search = self._parts.search_config(k, method, filter, steps)
        _require_question(question)
        with self._parts.reading(namespace) as segments:
            if not iterative:
                return self._parts.look(segments, question, search, where)
            from hipporag_like.retrieval.iterate import iterate
            from hipporag_like.retrieval.step_fusion import DEPTH

            deep = replace(search, k=max(search.k, DEPTH))
            language = self._parts.language
            return iterate(
                question,
                lambda query: self._parts.look(segments, query, deep, where),
                language.session(),
                language.prompts,
                search.steps,
                search.k,
                self.config.read.passages,
            )

    def ask(
        self,
        question: str,
        k: int | None = None,
        *,
        method: str | None = None,
        where: Mapping[str, Any] | None = None,
        namespace: str | None = None,
        filter: bool | None = None,
        iterative: bool = False,
        steps: int | None = None,
    ) -> Answer:
        """Return an answer read from the best passages, with verbatim citations.

        ``k`` is the number of passages read (None: the configuration's ``read.passages``). Other parameters
        and errors are those of :meth:`explain`.
        """
        asked = {"method": method, "where": where, "namespace": namespace, "filter": filter}
        trace = self._to_read(question, k, asked, iterative, steps)
        return _with_trace(self.reader.read(question, trace), trace)

    def stream(
        self,
        question: str,
        k: int | None = None,
        *,
        method: str | None = None,
        where: Mapping[str, Any] | None = None,
        namespace: str | None = None,
        filter: bool | None = None,
        iterative: bool = False,
        steps: int | None = None,
    ) -> AnswerStream:
        """Return the answer of :meth:`ask` as it comes in: iterate over its pieces, then take ``.answer``.

        A reader that does not stream gives its answer in one piece.
        """
        from hipporag_like.models.streaming import streamed

        asked = {"method": method, "where": where, "namespace": namespace, "filter": filter}
        trace = self._to_read(question, k, asked, iterative, steps)
        return streamed(self.reader, question, trace).then(lambda answer: _with_trace(answer, trace))

    # Inspecting

    def stats(self, *, namespace: str | None = None) -> dict[str, Any]:
        """Return counts, sizes, models, format and failures of the index, or of one namespace and nothing else."""
        from hipporag_like.indexing.inspect import stats

        with self._parts.holding() as index:
            return stats(index, self.path, namespace)

    def export(self, format: str, out: str | Path, *, namespace: str | None = None) -> dict[str, Any]:
        """Write the graph to a file: ``graphml``, ``json`` or ``csv``; return what was written."""
        from hipporag_like.indexing.export import export

        with self._parts.holding() as index:
            return dict(export(index, format, Path(out), namespace))

    def to_networkx(self, *, namespace: str | None = None) -> Any:
        """Return the graph as a ``networkx.Graph``."""
        from hipporag_like.indexing.export import to_networkx

        with self._parts.holding() as index:
            return to_networkx(index, namespace)

    def to_igraph(self, *, namespace: str | None = None) -> Any:
        """Return the graph as an ``igraph.Graph``."""
        from hipporag_like.indexing.export import to_igraph

        with self._parts.holding() as index:
            return to_igraph(index, namespace)

    def _to_read(
        self, question: str, k: int | None, asked: dict[str, Any], iterative: bool, steps: int | None
    ) -> Trace:
        """Return the trace whose hits are read."""
        passages = self.config.read.passages if k is None else k
        return self.explain(question, passages, iterative=iterative, steps=steps, **asked)

    def _require_writable(self) -> None:
        if self._read_only:
            raise UsageError("the index was opened read-only; open it without read_only to change it")


def _with_trace(answer: Answer, trace: Trace) -> Answer:
    """Return an answer with what finding its passages cost, and how they were found."""
    return replace(answer, usage={**trace.usage, **answer.usage}, steps=trace.steps)


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
