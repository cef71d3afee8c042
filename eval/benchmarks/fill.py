"""A journal full of made-up passages: ``python -m hipporag_like.eval.benchmarks.fill --passages 100000 --index DIR``.

It holds what a run would find that was stopped right before building: documents with their passages, extractions under
the fingerprint of the extractor ``rules``, and vectors under that of ``SyntheticEmbedder``. Building from it costs no
model, so that scale can be measured without the days that embedding a million passages takes. Prints JSON.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from hipporag_like.config import EXACT_LIMIT, Config
from hipporag_like.eval.benchmarks.synthetic import QUESTIONS, Corpus
from hipporag_like.eval.benchmarks.synthetic_cut import Batch
from hipporag_like.eval.benchmarks.synthetic_vectors import SyntheticEmbedder
from hipporag_like.eval.benchmarks.timing import print_json
from hipporag_like.indexing.chunk import chunk_document
from hipporag_like.indexing.ingest import chunk_fingerprint
from hipporag_like.indexing.notes import note_config, open_journal
from hipporag_like.indexing.texts import passage_text, sentence_text
from hipporag_like.models.rules import RulesExtractor
from hipporag_like.store.journal import Journal
from hipporag_like.store.lock import WriterLock
from hipporag_like.text import STOPWORDS, content_hash
from hipporag_like.types import Document, Extraction, Passage

PRESETS = ("light", "full")
# Passages between two commits: a commit costs a wait for the disk, and 8 MB of vectors are little memory.
_TOGETHER = 5_000


@dataclass
class _Writing:
    """The open journal, what was written, and the seconds that it took by kind."""

    journal: Journal
    config: Config
    full: bool
    embedder: SyntheticEmbedder = field(default_factory=SyntheticEmbedder)
    extractor: RulesExtractor = field(default_factory=RulesExtractor)
    seconds: dict[str, float] = field(default_factory=dict)
    passages: int = 0
    vectors: int = 0

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + perf_counter() - start


def preset_for(passages: int) -> str:
    """Return the preset that ``auto`` stands for in a namespace of so many passages."""
    return "full" if passages <= EXACT_LIMIT else "light"


def fill_journal(
    folder: Path,
    passages: int,
    *,
    seed: int = 0,
    questions: int = QUESTIONS,
    preset: str | None = None,
    config: Config | None = None,
) -> dict[str, Any]:
    """Write a made-up corpus with extractions and vectors into the journal of an index.

    Parameters
    ----------
    folder
        The index; made where it is missing.
    passages, seed, questions
        Of the corpus; see :class:`hipporag_like.eval.benchmarks.synthetic.Corpus`.
    preset
        ``light``: vectors of passages and of single words. ``full``: of passages, facts and names. None: by size.
    config
        Options to note for building; the defaults where None.

    Returns
    -------
    dict
        ``passages``, ``vectors``, ``preset`` and ``seconds`` by kind of work.

    Raises
    ------
    IndexLockedError
        Another writer is at work.
    StoreError
        The folder cannot be written.
    """
    corpus, chosen = Corpus(passages, seed, questions), preset or preset_for(passages)
    with WriterLock(folder), open_journal(folder) as journal:
        writing = _Writing(journal, config or Config(), chosen == "full")
        note_config(journal, writing.config)
        for batch in _gathered(writing, corpus):
            _write(writing, batch)
        if not writing.full:
            words = {surface.lower() for surface in writing.embedder.surfaces} - STOPWORDS
            _put_vectors(writing, sorted(words))
    return {
        "passages": writing.passages,
        "vectors": writing.vectors,
        "preset": chosen,
        "seconds": {part: round(value, 2) for part, value in writing.seconds.items()},
    }


def _gathered(writing: _Writing, corpus: Corpus) -> Iterator[Batch]:
    documents: list[Document] = []
    extractions: list[Extraction] = []
    batches = corpus.batches()
    while True:
        with writing.timed("text"):
            batch = next(batches, None)
        if batch is not None:
            documents += batch.documents
            extractions += batch.extractions
        if documents and (batch is None or len(documents) >= _TOGETHER):
            yield Batch(documents, extractions)
            documents, extractions = [], []
        if batch is None:
            return


def _write(writing: _Writing, batch: Batch) -> None:
    """Write documents, their extractions and their vectors."""
    chunk = writing.config.chunk
    with writing.timed("documents"):
        rows = [(document, chunk_document(document.text, chunk)) for document in batch.documents]
        writing.journal.put_documents(rows, chunk_fingerprint(chunk))
    with writing.timed("extractions"):
        # A document of five sentences is one passage, the whole of it, so its extraction is the passage's.
        passages = [_passage(document) for document in batch.documents]
        keys = [writing.extractor.key(passage) for passage in passages]
        found = list(zip(keys, batch.extractions, strict=True))
        writing.journal.put_extractions(writing.extractor.fingerprint, found)
    writing.passages += len(passages)
    texts = [passage_text(passage) for passage in passages]
    if writing.full:
        texts += _facts_and_names(passages, batch.extractions)
    _put_vectors(writing, texts)


def _passage(document: Document) -> Passage:
    text = document.text
    return Passage(f"{document.id}#0", document.id, text, 0, len(text), document.title)


def _facts_and_names(passages: Sequence[Passage], extractions: Sequence[Extraction]) -> list[str]:
    texts = []
    for passage, extraction in zip(passages, extractions, strict=True):
        texts += [sentence_text(passage.title, passage.text[a:b]) for a, b in extraction.sentences]
        texts += [passage.text[mention.start : mention.end] for mention in extraction.mentions]
        texts.append(passage.title)
    return list(dict.fromkeys(texts))


def _put_vectors(writing: _Writing, texts: Sequence[str]) -> None:
    embedder = writing.embedder
    for at in range(0, len(texts), _TOGETHER):
        part = texts[at : at + _TOGETHER]
        with writing.timed("vectors"):
            vectors = embedder.embed(part)
        with writing.timed("vectors_to_disk"):
            hashes = [content_hash(text) for text in part]
            writing.journal.put_vectors(embedder.fingerprint, hashes, vectors)
        writing.vectors += len(part)


def main() -> None:
    """Fill and print."""
    parser = argparse.ArgumentParser(description="A journal of made-up passages, ready to be built from.")
    parser.add_argument("--passages", type=int, default=10_000, help="how many")
    parser.add_argument("--index", type=Path, required=True, help="folder of the index")
    parser.add_argument("--seed", type=int, default=0, help="another one makes another corpus")
    parser.add_argument("--preset", choices=PRESETS, help="which texts get vectors; by size if not given")
    given = parser.parse_args()
    print_json(partial(fill_journal, given.index, given.passages, seed=given.seed, preset=given.preset))


if __name__ == "__main__":
    main()
