"""Passages: exact slices, whole sentences, within the budget, sensible places to stop."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.config import ChunkConfig
from hipporag_like.indexing.chunk import chunk_document
from hipporag_like.indexing.ingest import ingest
from hipporag_like.progress import silent
from hipporag_like.sentences import sentence_spans
from hipporag_like.store.journal import Journal
from hipporag_like.text import words
from hipporag_like.types import Document

PARTS = st.sampled_from(
    "One two three. |Four five! |seven |word, |\n\n|# Head\n|- item\n|你好。|...|John's |C++ |Dr. X ".split(
        "|"
    )
    + ["long " * 30]
)
TEXTS = st.one_of(st.text(max_size=300), st.lists(PARTS, max_size=60).map("".join))
CONFIGS = st.integers(8, 40).flatmap(
    lambda budget: st.integers(0, budget // 2).map(lambda overlap: ChunkConfig(budget, overlap))
)


def sentence_of(number: int, tokens: int = 10) -> str:
    return " ".join([f"S{number}"] + ["word"] * (tokens - 1)) + "."


@given(TEXTS, CONFIGS)
@settings(max_examples=300, deadline=None)
def test_passages_hold_every_sentence_within_the_budget(text: str, config: ChunkConfig) -> None:
    spans = chunk_document(text, config)
    assert bool(spans) == bool(text.strip())
    for start, end in sentence_spans(text):
        if len(words(text[start:end])) <= config.max_tokens:
            assert any(a <= start and end <= b for a, b in spans)
        else:
            holes = [i for i in range(start, end) if not any(a <= i < b for a, b in spans)]
            assert all(text[i].isspace() for i in holes)
    for number, (start, end) in enumerate(spans):
        last = number == len(spans) - 1
        assert text[start:end] == text[start:end].strip() != ""
        assert len(words(text[start:end])) <= config.max_tokens * (1.25 if last else 1)


@given(TEXTS, CONFIGS)
@settings(max_examples=200, deadline=None)
def test_neighbours_advance_and_share_no_more_than_the_overlap(text: str, config: ChunkConfig) -> None:
    spans = chunk_document(text, config)
    for (a, b), (c, d) in zip(spans, spans[1:], strict=False):
        assert a < c and b < d
        assert not text[b:c].strip()
        assert len(words(text[c:b])) <= config.overlap
    if len(spans) > 1:
        own = text[max(spans[-1][0], spans[-2][1]) : spans[-1][1]]
        assert len(words(own)) >= config.max_tokens / 4


def test_a_short_document_is_one_passage_and_a_blank_one_none() -> None:
    assert chunk_document("  A short one. Really.\n", ChunkConfig()) == [(2, 22)]
    assert chunk_document(" \n\t", ChunkConfig()) == []
    assert chunk_document("", ChunkConfig()) == []


def test_hand_worked_overlap() -> None:
    text = " ".join(sentence_of(i) for i in range(6))  # six sentences of ten tokens
    parts = [text[a:b] for a, b in chunk_document(text, ChunkConfig(30, 10))]
    assert parts == [
        " ".join(map(sentence_of, (0, 1, 2))),
        " ".join(map(sentence_of, (2, 3, 4))),
        " ".join(map(sentence_of, (4, 5))),
    ]
    assert [text[a:b][:2] for a, b in chunk_document(text, ChunkConfig(30, 9))] == ["S0", "S3"]


def test_a_tiny_last_passage_joins_the_one_before() -> None:
    text = " ".join(sentence_of(i) for i in range(4)) + " Four more words here."
    assert chunk_document(text, ChunkConfig(40, 0)) == [(0, len(text))]
    longer = text + " " + sentence_of(9)
    assert [longer[a:b][:2] for a, b in chunk_document(longer, ChunkConfig(40, 0))] == ["S0", "Fo"]


@pytest.mark.parametrize("joint", ["\n\n", "\n\n# Heading\n\n"])
def test_stops_at_a_paragraph_or_heading_when_full_enough(joint: str) -> None:
    first, second = " ".join(map(sentence_of, range(3))), " ".join(map(sentence_of, range(3, 6)))
    text = first + joint + second
    parts = [text[a:b] for a, b in chunk_document(text, ChunkConfig(50, 0))]
    assert parts == [first, (joint + second).strip()]
    # Under 60 % full the paragraph goes on.
    assert len(chunk_document(text, ChunkConfig(52, 0))[0]) == 2
    assert text[slice(*chunk_document(text, ChunkConfig(55, 0))[0])] != first


def test_a_sentence_over_the_budget_is_cut_between_tokens() -> None:
    text = "word " * 100
    cut = [len(words(text[a:b])) for a, b in chunk_document(text, ChunkConfig(30, 15))]
    assert cut == [30, 30, 30, 10]


def test_ids_and_fields_of_passages(tmp_path: Path) -> None:
    text = " ".join(sentence_of(i) for i in range(6))
    document = Document(text, id="d/1.txt", title="T", metadata={"year": 1999})
    spaced = Document("Hi there.", id="a", namespace="team")
    with Journal.open(tmp_path) as journal:
        ingest(journal, [document, spaced], ChunkConfig(30, 0), silent)
        passages, others = list(journal.passages("default")), list(journal.passages("team"))
    assert [p.id for p in passages] == ["d/1.txt#0", "d/1.txt#1"]
    assert all(document.text[p.start : p.end] == p.text for p in passages)
    assert all((p.document_id, p.title, p.metadata) == ("d/1.txt", "T", {"year": 1999}) for p in passages)
    assert [(p.id, p.document_id, p.namespace) for p in others] == [("team/a#0", "a", "team")]
