"""Extractor ``spacy:NAME``: entities, noun phrases and triples of a trained spaCy pipeline.

Whatever the pipeline has is used: named entities, noun phrases and triples where it has a parser, its own
sentences where it marks them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hipporag_like.errors import ConfigError
from hipporag_like.models.dependency import dependency_triples
from hipporag_like.models.token_classes import spacy_text
from hipporag_like.sentences import sentence_spans
from hipporag_like.text import content_hash
from hipporag_like.types import Extraction, Mention, Passage

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Span

# Numbers name nothing that two texts could share.
_SKIPPED = frozenset({"ORDINAL", "CARDINAL", "PERCENT"})
_LEADING = frozenset({"DET", "PRON", "PUNCT", "SPACE"})
_BATCH = 64  # passages a call of nlp.pipe; spaCy's own default for its large pipelines is 64 to 256


class SpacyExtractor:
    """Extractor ``spacy:NAME``.

    Parameters
    ----------
    name
        An installed pipeline ("en_core_web_sm") or the folder of one.

    Raises
    ------
    ConfigError
        There is no such pipeline, or it cannot be loaded.
    """

    def __init__(self, name: str) -> None:
        import spacy

        self._nlp = _load(name)
        meta = self._nlp.meta
        made = f"{meta['lang']}_{meta['name']}:{meta['version']}"
        folder = Path(name)
        self._fingerprint = (
            f"spacy:{made}:{_folder_hash(folder) if folder.is_dir() else ''}:spacy{spacy.__version__}"
        )

    @property
    def fingerprint(self) -> str:
        """Name, version and (of a folder) content of the pipeline, and spaCy's version."""
        return self._fingerprint

    def key(self, passage: Passage) -> str:
        """Return the hash of the passage's text: nothing else matters to the pipeline."""
        return content_hash(passage.text)

    def extract(self, passages: Sequence[Passage]) -> Iterator[Extraction]:
        """Yield one extraction a passage, in order; a text too long for the pipeline is an error."""
        limit = self._nlp.max_length
        texts = (spacy_text(p.text) if len(p.text) <= limit else "" for p in passages)
        for passage, doc in zip(passages, self._nlp.pipe(texts, batch_size=_BATCH), strict=True):
            if len(passage.text) > limit:
                yield Extraction(
                    error=f"{len(passage.text)} characters are more than the pipeline's limit of {limit}"
                )
            else:
                yield _extraction(doc, passage.text)


def _load(name: str) -> Language:
    import spacy

    try:
        return spacy.load(name)
    except OSError as error:
        if Path(name).exists():
            raise ConfigError(
                f"{name} is not the folder of a spaCy pipeline: {_first_line(error)}"
            ) from error
        raise ConfigError(
            f"the spaCy pipeline {name!r} is not installed; install it with: python -m spacy download {name}"
        ) from error
    except (ValueError, ImportError) as error:
        raise ConfigError(f"the spaCy pipeline {name!r} cannot be loaded: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["unknown reason"])[0]


def _folder_hash(folder: Path) -> str:
    """Return a hash of all files: a rule added to a pipeline does not change its version."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(hashlib.blake2b(path.read_bytes()).digest())
    return digest.hexdigest()


def _extraction(doc: Doc, text: str) -> Extraction:
    mentions = {
        Mention(ent.start_char, ent.end_char, "date" if ent.label_ == "DATE" else "name")
        for ent in doc.ents
        if ent.label_ not in _SKIPPED and ent.text.strip()
    }
    parsed = doc.has_annotation("DEP")
    if parsed:
        mentions.update(_noun_phrases(doc))
    return Extraction(
        sentences=tuple(_sentences(doc, text)),
        mentions=tuple(sorted(mentions, key=lambda m: (m.start, -m.end, m.kind))),
        triples=tuple(dependency_triples(doc)) if parsed else (),
    )


def _sentences(doc: Doc, text: str) -> list[tuple[int, int]]:
    if not doc.has_annotation("SENT_START"):
        return sentence_spans(text)
    spans = []
    for sentence in doc.sents:
        start = sentence.start_char + len(sentence.text) - len(sentence.text.lstrip())
        end = sentence.start_char + len(sentence.text.rstrip())
        if end > start:
            spans.append((start, end))
    return spans


def _noun_phrases(doc: Doc) -> Iterator[Mention]:
    """Yield noun phrases that are no entities; none for a language that spaCy has no rules for."""
    if doc.vocab.get_noun_chunks is None:
        return
    for chunk in doc.noun_chunks:
        phrase = _bare(chunk)
        if len(phrase) == 0 or phrase.root.pos_ == "PRON" or all(t.ent_type_ for t in phrase):
            continue
        yield Mention(phrase.start_char, phrase.end_char, "name" if phrase.root.pos_ == "PROPN" else "term")


def _bare(chunk: Span) -> Span:
    start = chunk.start
    while start < chunk.end and chunk.doc[start].pos_ in _LEADING:
        start += 1
    return chunk.doc[start : chunk.end]
