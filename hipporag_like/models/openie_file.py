"""Reads files of entities and triples: JSON lines by document id, or OSU HippoRAG's JSON by passage text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hipporag_like.errors import InputError
from hipporag_like.plain_files import read_plain
from hipporag_like.sentences import sentence_spans
from hipporag_like.text import entity_key, squeeze
from hipporag_like.types import Triple


@dataclass(frozen=True, slots=True)
class Row:
    """What is known about one document or passage; no duplicates, none empty."""

    entities: tuple[str, ...]
    triples: tuple[Triple, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """A file's rows.

    Attributes
    ----------
    digest
        Hash of the file's bytes.
    by_id
        By document id.
    by_text
        By squeezed text, with and without its first line (which holds the title).
    by_sentence
        Squeezed texts by each of their squeezed sentences, for passages that are parts of them.
    dropped
        How many ``rows``, ``entities`` and ``triples`` could not be used.
    """

    digest: str
    by_id: Mapping[str, Row] = field(default_factory=dict)
    by_text: Mapping[str, Row] = field(default_factory=dict)
    by_sentence: Mapping[str, Sequence[str]] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)

    def containing(self, text: str) -> Row | None:
        """Return the first row whose text holds ``text``."""
        spans = sentence_spans(text)
        if not spans:
            return None
        whole = squeeze(text)
        for candidate in self.by_sentence.get(squeeze(text[spans[0][0] : spans[0][1]]), ()):
            if whole in candidate:
                return self.by_text[candidate]
        return None


def read_openie(file: Path) -> Rows:
    """Return the rows of a file.

    Raises
    ------
    InputError
        The file cannot be read, is no JSON, or holds no usable row.
    """
    try:
        data = read_plain(file)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise InputError(
            f"cannot read {file}: {error.strerror}; name a file of extracted entities and triples"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    digest = hashlib.blake2b(data, digest_size=16).hexdigest()
    dropped = {"rows": 0, "entities": 0, "triples": 0}
    whole = _whole(text)
    if isinstance(whole, dict) and "docs" in whole:
        rows = _read_osu(file, whole["docs"], digest, dropped)
    else:
        rows = Rows(digest, by_id=_read_lines(file, text, whole, dropped), dropped=dropped)
    if not rows.by_id and not rows.by_text:
        raise InputError(
            f"{file} holds no usable row; give JSON lines with _id, entities and triples, or HippoRAG's docs"
        )
    return rows


def _whole(text: str) -> Any:
    """Return the text as one JSON value; None where it is several lines of them."""
    try:
        return json.loads(text)
    except (
        ValueError,
        RecursionError,
    ):  # where the text is one value, reading it as lines says what is wrong
        return None


def _read_lines(file: Path, text: str, whole: Any, dropped: dict[str, int]) -> dict[str, Row]:
    values = enumerate(whole, start=1) if isinstance(whole, list) else _lines(file, text)
    gathered: dict[str, tuple[list[str], list[Triple]]] = {}
    for _, value in values:
        name = value.get("_id", value.get("id")) if isinstance(value, dict) else None
        if (
            not isinstance(name, (str, int))
            or isinstance(name, bool)
            or not _is_row(value, "entities", "triples")
        ):
            dropped["rows"] += 1
            continue
        entities, triples = gathered.setdefault(str(name), ([], []))
        entities += _entities(value.get("entities", []), dropped)
        triples += _triples(value.get("triples", []), dropped)
    return {name: _row(*parts) for name, parts in gathered.items()}


def _lines(file: Path, text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:  # besides JSON's own: a number of 5,000 digits, or [[[[
            said = error.msg if isinstance(error, json.JSONDecodeError) else error
            raise InputError(
                f"{file}, line {number}: not valid JSON ({said}); fix or remove the line"
            ) from error


def _read_osu(file: Path, docs: Any, digest: str, dropped: dict[str, int]) -> Rows:
    if not isinstance(docs, list):
        raise InputError(f"{file}: docs must be a list, as HippoRAG writes it, not {type(docs).__name__}")
    by_text: dict[str, Row] = {}
    by_sentence: dict[str, list[str]] = {}
    for value in docs:
        if not isinstance(value, dict) or not isinstance(value.get("passage"), str):
            dropped["rows"] += 1
            continue
        if not _is_row(value, "extracted_entities", "extracted_triples"):
            dropped["rows"] += 1
            continue
        entities = _entities(value.get("extracted_entities", []), dropped)
        row = _row(entities, _triples(value.get("extracted_triples", []), dropped))
        passage = value["passage"]
        for text in (passage, passage.partition("\n")[2]):
            whole = squeeze(text)
            if whole and whole not in by_text:
                by_text[whole] = row
                for start, end in sentence_spans(text):
                    by_sentence.setdefault(squeeze(text[start:end]), []).append(whole)
    return Rows(digest, by_text=by_text, by_sentence=by_sentence, dropped=dropped)


def _is_row(value: Mapping[str, Any], entities: str, triples: str) -> bool:
    named = [value[key] for key in (entities, triples) if key in value]
    return bool(named) and all(isinstance(part, list) for part in named)


def _entities(values: Sequence[Any], dropped: dict[str, int]) -> list[str]:
    good = [squeeze(v) for v in values if isinstance(v, str) and entity_key(v)]
    dropped["entities"] += len(values) - len(good)
    return good


def _triples(values: Sequence[Any], dropped: dict[str, int]) -> list[Triple]:
    read = [_triple(value) for value in values]
    good = [triple for triple in read if triple is not None]
    dropped["triples"] += len(values) - len(good)
    return good


def _triple(value: Any) -> Triple | None:
    """Return three texts as a triple; a number is the text it is written as, as in ["Ada", "born in", 1815]."""
    if not (isinstance(value, list) and len(value) == 3):
        return None
    parts = [str(v) if isinstance(v, (int, float)) and not isinstance(v, bool) else v for v in value]
    if not all(isinstance(part, str) for part in parts):
        return None
    subject, relation, target = (squeeze(part) for part in parts)
    if not (entity_key(subject) and relation and entity_key(target)):
        return None
    return Triple(subject, relation, target)


def _row(entities: Sequence[str], triples: Sequence[Triple]) -> Row:
    return Row(tuple(dict.fromkeys(entities)), tuple(dict.fromkeys(triples)))
