"""Trained spaCy pipelines, stood in for by tiny ones made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from hipporag_like.errors import ConfigError
from hipporag_like.models.dependency import dependency_triples
from hipporag_like.models.spacy_pipeline import SpacyExtractor
from hipporag_like.types import Extraction, Passage, Triple

PATTERNS = [
    {"label": "PERSON", "pattern": "Ada Lovelace"},
    {"label": "DATE", "pattern": "June 1833"},
    {"label": "ORDINAL", "pattern": "first"},
    {"label": "GPE", "pattern": "北京"},
]


# (word, head, dependency, part of speech)
Row = tuple[str, int, str, str]


@Language.component("tests_hand_parsed")
def hand_parsed(doc: Doc) -> Doc:
    """Parse "DET ADJ NOUN VERB DET NOUN ." texts of seven tokens by place; leave others alone."""
    if len(doc) != 7:
        return doc
    heads, deps = [2, 2, 3, 3, 5, 3, 3], ["det", "amod", "nsubj", "ROOT", "det", "dobj", "punct"]
    tags = ["DET", "ADJ", "NOUN", "VERB", "DET", "NOUN", "PUNCT"]
    for token, head, dep, tag in zip(doc, heads, deps, tags, strict=True):
        token.head, token.dep_, token.pos_ = doc[head], dep, tag
    return doc


def saved_pipeline(folder: Path, *pipes: str, patterns: list[dict[str, Any]] = PATTERNS) -> str:
    """Save a blank English pipeline with an entity ruler and return its path."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns(patterns)  # type: ignore[attr-defined]
    for pipe in pipes:
        nlp.add_pipe(pipe)
    nlp.to_disk(folder)
    return str(folder)


def extract_text(extractor: SpacyExtractor, *texts: str) -> list[Extraction]:
    return list(extractor.extract([Passage(f"{i}#0", str(i), t, 0, len(t)) for i, t in enumerate(texts)]))


def found_in(text: str, extraction: Extraction) -> list[tuple[str, str]]:
    return [(text[m.start : m.end], m.kind) for m in extraction.mentions]


def doc_of(rows: list[Row], ents: list[str] | None = None) -> Doc:
    words, heads, deps, pos = (list(column) for column in zip(*rows, strict=True))
    return Doc(spacy.blank("en").vocab, words=words, heads=heads, deps=deps, pos=pos, ents=ents)


def test_a_pipeline_with_names_only(tmp_path: Path) -> None:
    text = "Ada Lovelace wrote first. That was in June 1833, in 北京."
    (found,) = extract_text(SpacyExtractor(saved_pipeline(tmp_path / "p")), text)
    assert found_in(text, found) == [("Ada Lovelace", "name"), ("June 1833", "date"), ("北京", "name")]
    assert [text[a:b] for a, b in found.sentences] == [
        "Ada Lovelace wrote first.",
        "That was in June 1833, in 北京.",
    ]
    assert (found.triples, found.error) == ((), None)


def test_the_pipelines_own_sentences_are_used(tmp_path: Path) -> None:
    text = "  One here! Two there.  "
    (found,) = extract_text(SpacyExtractor(saved_pipeline(tmp_path / "p", "sentencizer")), text)
    assert [text[a:b] for a, b in found.sentences] == ["One here!", "Two there."]


def test_a_parser_gives_noun_phrases_and_triples(tmp_path: Path) -> None:
    text = "The old director made a film ."
    (found,) = extract_text(SpacyExtractor(saved_pipeline(tmp_path / "p", "tests_hand_parsed")), text)
    assert found_in(text, found) == [("old director", "term"), ("film", "term")]
    assert found.triples == (Triple("old director", "made", "film"),)


def test_many_passages_come_back_in_order(tmp_path: Path) -> None:
    texts = ["Ada Lovelace.", "", "nothing", *["x Ada Lovelace"] * 100]
    found = extract_text(SpacyExtractor(saved_pipeline(tmp_path / "p")), *texts)
    assert [len(e.mentions) for e in found] == [1, 0, 0, *[1] * 100]


def test_a_text_over_the_limit_is_an_error_not_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extractor = SpacyExtractor(saved_pipeline(tmp_path / "p"))
    monkeypatch.setattr(extractor._nlp, "max_length", 20)
    long, short = extract_text(extractor, "Ada Lovelace was here and there", "Ada Lovelace")
    assert long.error is not None and "limit of 20" in long.error
    assert (short.error, len(short.mentions)) == (None, 1)


def test_a_missing_pipeline_says_how_to_get_it() -> None:
    with pytest.raises(ConfigError, match="python -m spacy download en_absent_sm") as caught:
        SpacyExtractor("en_absent_sm")
    assert "\n" not in str(caught.value)


def test_a_folder_that_holds_no_pipeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not the folder of a spaCy pipeline"):
        SpacyExtractor(str(tmp_path))
    (tmp_path / "config.cfg").write_text("[nlp]\nlang = 'nonsense'\n")
    (tmp_path / "meta.json").write_text("{}")
    with pytest.raises(ConfigError):
        SpacyExtractor(str(tmp_path))


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    one = SpacyExtractor(saved_pipeline(tmp_path / "one"))
    same = SpacyExtractor(saved_pipeline(tmp_path / "two"))
    other = SpacyExtractor(saved_pipeline(tmp_path / "three", patterns=PATTERNS[:1]))
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert spacy.__version__ in one.fingerprint


def test_active_passive_and_prepositions() -> None:
    rows: list[Row] = [
        ("Titanic", 2, "nsubjpass", "PROPN"),
        ("was", 2, "auxpass", "AUX"),
        ("directed", 2, "ROOT", "VERB"),
        ("by", 2, "agent", "ADP"),
        ("James", 5, "compound", "PROPN"),
        ("Cameron", 3, "pobj", "PROPN"),
        ("in", 2, "prep", "ADP"),
        ("Mexico", 6, "pobj", "PROPN"),
    ]
    rows[4] = ("James", 5, "compound", "PROPN")
    assert dependency_triples(doc_of(rows)) == [
        Triple("Titanic", "was directed by", "James Cameron"),
        Triple("Titanic", "was directed in", "Mexico"),
    ]


def test_coordination_shares_subjects_and_objects() -> None:
    rows: list[Row] = [
        ("Ada", 1, "nsubj", "PROPN"),
        ("met", 1, "ROOT", "VERB"),
        ("Bob", 1, "dobj", "PROPN"),
        ("and", 2, "cc", "CCONJ"),
        ("Cyd", 2, "conj", "PROPN"),
        ("and", 1, "cc", "CCONJ"),
        ("wrote", 1, "conj", "VERB"),
        ("notes", 6, "dobj", "NOUN"),
    ]
    assert dependency_triples(doc_of(rows)) == [
        Triple("Ada", "met", "Bob"),
        Triple("Ada", "met", "Cyd"),
        Triple("Ada", "wrote", "notes"),
    ]


def test_universal_dependencies() -> None:
    rows: list[Row] = [
        ("Ada", 2, "nsubj", "PROPN"),
        ("war", 2, "cop", "AUX"),
        ("Mathematikerin", 2, "ROOT", "NOUN"),
    ]
    assert dependency_triples(doc_of(rows)) == [Triple("Ada", "war", "Mathematikerin")]
    rows = [
        ("Ada", 1, "nsubj", "PROPN"),
        ("wohnte", 1, "ROOT", "VERB"),
        ("in", 3, "case", "ADP"),
        ("London", 1, "obl", "PROPN"),
    ]
    assert dependency_triples(doc_of(rows)) == [Triple("Ada", "wohnte in", "London")]


def test_entities_give_the_whole_name_and_pronouns_give_nothing() -> None:
    rows: list[Row] = [
        ("Countess", 3, "nsubj", "PROPN"),
        ("of", 0, "prep", "ADP"),
        ("Lovelace", 1, "pobj", "PROPN"),
        ("met", 3, "ROOT", "VERB"),
        ("Bob", 3, "dobj", "PROPN"),
    ]
    doc = doc_of(rows, ents=["B-PERSON", "I-PERSON", "I-PERSON", "O", "B-PERSON"])
    assert dependency_triples(doc) == [Triple("Countess of Lovelace", "met", "Bob")]
    rows = [("She", 1, "nsubj", "PRON"), ("met", 1, "ROOT", "VERB"), ("Bob", 1, "dobj", "PROPN")]
    assert dependency_triples(doc_of(rows)) == []


def test_negation_and_particles_stay_in_the_relation() -> None:
    rows: list[Row] = [
        ("Ada", 3, "nsubj", "PROPN"),
        ("did", 3, "aux", "AUX"),
        ("not", 3, "neg", "PART"),
        ("give", 3, "ROOT", "VERB"),
        ("up", 3, "prt", "ADP"),
        ("mathematics", 3, "dobj", "NOUN"),
    ]
    assert dependency_triples(doc_of(rows)) == [Triple("Ada", "not give up", "mathematics")]
