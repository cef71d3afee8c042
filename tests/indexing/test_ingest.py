"""What becomes of documents handed in: new, changed, unchanged, refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hipporag_like.config import ChunkConfig
from hipporag_like.errors import InputError
from hipporag_like.indexing import ingest as ingesting
from hipporag_like.indexing.ingest import MAX_NAME, Ingested, ingest, recut
from hipporag_like.progress import silent
from hipporag_like.store.journal import Journal
from hipporag_like.types import Document

CONFIG = ChunkConfig()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "index") as opened:
        yield opened


def put(journal: Journal, *documents: Document | str, config: ChunkConfig = CONFIG) -> Ingested:
    return ingest(journal, list(documents), config, silent)


def counts(done: Ingested) -> tuple[int, int, int]:
    return done.added, done.updated, done.unchanged


def test_new_changed_and_unchanged_are_counted(journal: Journal):
    assert counts(put(journal, Document("One.", "a"), Document("Two.", "b"))) == (2, 0, 0)
    assert counts(put(journal, Document("One.", "a"), Document("Two!", "b"), Document("Three.", "c"))) == (
        1,
        1,
        1,
    )
    assert [d.text for d in sorted(journal.documents("default"), key=lambda d: d.id)] == [
        "One.",
        "Two!",
        "Three.",
    ]


@pytest.mark.parametrize(
    "changed",
    [
        Document("One!", "a", "T", {"x": 1}),
        Document("One.", "a", "U", {"x": 1}),
        Document("One.", "a", "T", {"x": 2}),
    ],
)
def test_text_title_and_metadata_all_count(journal: Journal, changed: Document):
    put(journal, Document("One.", "a", "T", {"x": 1}))
    assert counts(put(journal, Document("One.", "a", "T", {"x": 1}))) == (0, 0, 1)
    assert counts(put(journal, changed)) == (0, 1, 0)


def test_nothing_is_written_for_unchanged_documents(journal: Journal):
    put(journal, Document("One.", "a"))
    before = journal.revision()
    done = put(journal, Document("One.", "a"))
    assert journal.revision() == before
    assert done.touched == frozenset()


def test_only_changed_namespaces_are_touched(journal: Journal):
    put(journal, Document("One.", "a"), Document("One.", "a", namespace="n"))
    done = put(journal, Document("One.", "a"), Document("Two.", "a", namespace="n"))
    assert (counts(done), done.touched) == ((0, 1, 1), {"n"})


def test_of_one_id_twice_the_last_counts(journal: Journal):
    assert counts(put(journal, Document("One.", "a"), Document("Two.", "a"))) == (1, 0, 0)
    assert [d.text for d in journal.documents("default")] == ["Two."]


def test_of_one_id_in_two_batches_the_last_counts(journal: Journal, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ingesting, "COMMIT_EVERY", 2)
    put(journal, *(Document(f"Text {i}.", f"d{i % 3}") for i in range(7)))
    assert {d.id: d.text for d in journal.documents("default")} == {
        "d0": "Text 6.", "d1": "Text 4.", "d2": "Text 5.",
    }  # fmt: skip


def test_plain_texts_get_an_id_from_their_content(journal: Journal):
    assert counts(put(journal, "One.", "Two.", "One.")) == (2, 0, 0)
    assert counts(put(journal, Document("Two."), Document("Two.", title="T"))) == (1, 0, 1)
    ids = {d.id for d in journal.documents("default")}
    assert len(ids) == 3
    assert all(len(name) == 16 for name in ids)


def test_other_chunk_options_cut_again(journal: Journal):
    text = "One two three four five six. " * 10
    put(journal, Document(text, "a"))
    assert len(list(journal.passages("default"))) == 1
    small = ChunkConfig(max_tokens=12, overlap=0)
    assert counts(put(journal, Document(text, "a"), config=small)) == (0, 1, 0)
    assert len(list(journal.passages("default"))) == 5


def test_recutting_reaches_what_is_not_handed_in(journal: Journal, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ingesting, "COMMIT_EVERY", 2)
    text = "One two three four five six. " * 10
    put(journal, *(Document(f"{i} {text}", str(i)) for i in range(5)), Document(text, "n", namespace="n"))
    small = ChunkConfig(max_tokens=14, overlap=0)
    recut(journal, small, silent)
    assert len(list(journal.passages("default"))) == 25
    assert len(list(journal.passages("n"))) == 5
    revision = journal.revision()
    recut(journal, small, silent)
    assert journal.revision() == revision


GOOD = Document("A fine text.", "good")


@pytest.mark.parametrize(
    ("document", "source", "reason"),
    [
        (Document("", "d"), "d", "holds no words"),
        (Document("🙂 … ---", "d"), "d", "holds no words"),
        ("   ", None, "holds no words"),
        (Document("a\x00b", "d"), "d", "NUL"),
        (Document("text", "d", "ti\x00tle"), "d", "NUL"),
        (Document("half \ud800 pair", "d"), "d", "its text holds half of a surrogate pair"),
        (Document("text", "d", "\udfff"), "d", "its title holds half of a surrogate pair"),
        (Document("text", "line\nbreak"), "line\nbreak", "its id must be"),
        (Document("text", "x" * (MAX_NAME + 1)), "x" * (MAX_NAME + 1), "its id must be 1 to 512 printable"),
        (Document("text", 7), "7", "its id must be"),  # type: ignore[arg-type]
        (Document("text", "d", namespace=""), "d", "its namespace must be"),
        (Document("text", "d", namespace="a\tb"), "d", "its namespace must be"),
        (Document("text", "d", namespace=None), "d", "its namespace must be"),  # type: ignore[arg-type]
        (Document(b"bytes", "d"), "d", "its text must be a text, got bytes"),  # type: ignore[arg-type]
        (Document(None), "(a text without id)", "its text must be a text, got NoneType"),  # type: ignore[arg-type]
        (Document("text", title=None), "(a text without id)", "its title must be a text"),  # type: ignore[arg-type]
        (Document("text", "d", metadata={"x": object()}), "d", "metadata"),
        (Document("text", "d", metadata={"x": float("nan")}), "d", "metadata"),
        (Document("text", "d", metadata={1: "x"}), "d", "must have texts as names"),  # type: ignore[dict-item]
        (Document("text", "d", metadata={"x": {1: 2, "b": 3}}), "d", "metadata"),
        (Document("text", "d", metadata={"x": "\ud800"}), "d", "its metadata holds half of a surrogate pair"),
        (Document("text", "d", metadata=None), "d", "metadata"),  # type: ignore[arg-type]
        (Document("text", "d", metadata=[("a", 1)]), "d", "metadata"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_indexed_is_named_and_the_rest_goes_in(
    journal: Journal, document: Any, source: str | None, reason: str
):
    done = put(journal, document, GOOD)
    assert counts(done) == (1, 0, 0)
    (failure,) = done.failures
    assert reason in failure.reason
    assert source is None or failure.source == source
    assert [d.id for d in journal.documents("default")] == ["good"]


def test_metadata_nested_beyond_reason_is_refused(journal: Journal):
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    done = put(journal, Document("text", "d", metadata={"x": deep}), GOOD)
    assert [f.source for f in done.failures] == ["d"]
    while isinstance(deep, list):  # taken apart by hand: letting go of it at once overflows the stack too
        deep = deep.pop()


@pytest.mark.parametrize("given", ["a text", Document("a text", "a")])
def test_a_single_document_is_no_list(journal: Journal, given: Any):
    with pytest.raises(InputError, match=r"put it in brackets: index\(\[\.\.\.\]\)"):
        ingest(journal, given, CONFIG, silent)


def test_something_else_is_no_document(journal: Journal):
    with pytest.raises(InputError, match="takes Document values or texts, got dict"):
        put(journal, {"text": "x"})  # type: ignore[arg-type]


def test_documents_may_come_from_a_generator(journal: Journal):
    done = ingest(journal, (f"Text number {i}." for i in range(3)), CONFIG, silent)
    assert counts(done) == (3, 0, 0)
