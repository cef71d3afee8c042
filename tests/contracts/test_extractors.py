"""What every extractor promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import spacy

from hipporag_like.config import ExtractConfig
from hipporag_like.errors import ConfigError, InputError
from hipporag_like.models.extractors import EXTRACTORS, load_extractor
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.protocols import Extractor, Prompt
from hipporag_like.models.scripted import ScriptedLLM
from hipporag_like.text import word_spans
from hipporag_like.types import Extraction, Passage

SAMPLES = [
    "Ada Lovelace met Charles Babbage in London. He built engines!",
    "",
    " \n\t ",
    "Москва, القاهرة, 東京, हिन्दी and Łódź 🙂",
    "a lone \ud800 surrogate and a \x00 zero",
    "x" * 5000,
    "one\n\ntwo\n\nthree",
]


def sample_passages() -> list[Passage]:
    return [Passage(f"d{i}#0", f"d{i}", text, 0, len(text), "Title") for i, text in enumerate(SAMPLES)]


def obliging(prompt: Prompt) -> str:
    """Answer as a model that finds the names of the first sample in any passage."""
    names = ["Ada Lovelace", "London", "Charles Babbage"]
    return json.dumps({"entities": names, "triples": [["Ada Lovelace", "met", "Charles Babbage"]]})


def load(name: str, **options: Any) -> Extractor:
    llm = ScriptedLLM(obliging, width=3)
    return load_extractor(ExtractConfig(extractor=name, **options), lambda: llm, Prompts.load)


@pytest.fixture(params=[*sorted(EXTRACTORS), "llm", "llm in one call"])
def extractor(request: pytest.FixtureRequest, tmp_path: Path) -> Extractor:
    if request.param == "rules":
        return load("rules")
    if request.param.startswith("llm"):
        return load("llm", llm_calls=2 if request.param == "llm" else 1)
    if request.param == "spacy":
        nlp = spacy.blank("en")
        nlp.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": "Ada Lovelace"}])  # type: ignore[attr-defined]
        nlp.to_disk(tmp_path / "pipeline")
        return load(f"spacy:{tmp_path / 'pipeline'}")
    rows = [
        {"_id": f"d{i}", "entities": ["Ada Lovelace", "東京"], "triples": [["Ada Lovelace", "met", "東京"]]}
        for i in range(len(SAMPLES))
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return load(f"openie:{tmp_path / 'rows.jsonl'}")


def test_it_has_the_members(extractor: Extractor) -> None:
    assert isinstance(extractor, Extractor)
    assert extractor.fingerprint
    assert extractor.fingerprint == extractor.fingerprint


def test_one_extraction_a_passage_in_order(extractor: Extractor) -> None:
    found = list(extractor.extract(sample_passages()))
    assert len(found) == len(SAMPLES)
    assert all(isinstance(e, Extraction) and e.error is None for e in found)
    assert found[0].mentions


def test_nothing_asked_nothing_given(extractor: Extractor) -> None:
    assert list(extractor.extract([])) == []


def test_spans_lie_inside_in_order_and_cover_the_words(extractor: Extractor) -> None:
    for passage, found in zip(sample_passages(), extractor.extract(sample_passages()), strict=True):
        text, sentences = passage.text, found.sentences
        assert all(0 <= a < b <= len(text) for a, b in sentences)
        assert all(before[1] <= after[0] for before, after in zip(sentences, sentences[1:], strict=False))
        assert all(any(a <= start < b for a, b in sentences) for _, start, _ in word_spans(text))
        assert all(0 <= m.start < m.end <= len(text) for m in found.mentions)


def test_the_same_again(extractor: Extractor) -> None:
    first = list(extractor.extract(sample_passages()))
    assert list(extractor.extract(sample_passages())) == first
    assert [next(extractor.extract([p])) for p in sample_passages()] == first


def test_keys_are_32_hexadecimal_digits_and_follow_the_text(extractor: Extractor) -> None:
    keys = [extractor.key(p) for p in sample_passages()]
    assert all(len(k) == 32 and set(k) <= set("0123456789abcdef") for k in keys)
    assert len(set(keys)) == len(keys)
    assert keys == [extractor.key(p) for p in sample_passages()]


def test_fingerprints_tell_extractors_apart(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"_id": "a", "entities": ["A"], "triples": []}', encoding="utf-8")
    by_file = load(f"openie:{path}")
    several = [by_file, load("rules"), load("llm"), load("llm", llm_calls=1)]
    assert len({extractor.fingerprint for extractor in several}) == 4


def test_what_is_missing_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="spacy download"):
        load("spacy:xx_not_there")
    with pytest.raises(InputError, match="cannot read"):
        load(f"openie:{tmp_path / 'absent'}")
