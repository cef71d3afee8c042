"""Each content is extracted once; failures are told, leave the passage findable, and are tried again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hipporag_like.errors import EndpointDownError
from hipporag_like.indexing import extract as extracting
from hipporag_like.indexing.extract import Extracted, extract_missing, kept_extractions
from hipporag_like.progress import silent
from hipporag_like.store.journal import Journal
from hipporag_like.types import Extraction, Passage


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "index") as opened:
        yield opened


def passages(*texts: str) -> list[Passage]:
    return [Passage(f"d{i}#0", f"d{i}", text, 0, len(text)) for i, text in enumerate(texts)]


def extract(journal: Journal, extractor: Any, given: list[Passage], track: Any) -> Extracted:
    return extract_missing(journal, extractor, iter(given), iter(given), track)


def kept(journal: Journal, extractor: Any, given: list[Passage]) -> list[Extraction]:
    return kept_extractions(journal, extractor, given)


def test_extractions_are_aligned_and_made_once(journal: Journal, extractor: Any):
    given = passages("Anna met Otto. It rained.", "Nobody came.", "Anna met Otto. It rained.")
    done = extract(journal, extractor, given, silent)
    found = kept(journal, extractor, given)
    names = [[p.text[m.start : m.end] for m in e.mentions] for p, e in zip(given, found, strict=True)]
    assert names == [["Anna", "Otto", "It"], ["Nobody"], ["Anna", "Otto", "It"]]
    assert (done.fresh, done.failures) == (2, [])
    again = extract(journal, extractor, given[::-1], silent)
    assert kept(journal, extractor, given[::-1]) == found[::-1]
    assert again.fresh == 0
    assert len(extractor.passages) == 2


def test_another_extractor_extracts_anew(journal: Journal, extractor: Any, make_extractor: Any):
    extract(journal, extractor, passages("Anna."), silent)
    assert extract(journal, make_extractor(fingerprint="other"), passages("Anna."), silent).fresh == 1


def test_a_failure_is_told_and_tried_again(journal: Journal, make_extractor: Any):
    given = passages("Anna met Otto.", "BAD Anna. And more.", "Otto slept.")
    broken = make_extractor(bad="BAD")
    for _ in range(2):
        done = extract(journal, broken, given, silent)
        assert [(f.source, f.reason) for f in done.failures] == [("d1#0", "the model gave up")]
        found = kept(journal, broken, given)
        failed = found[1]
        assert failed.sentences == ((0, 9), (10, 19))  # so that its text can be found
        assert failed.mentions == ()
        assert found[0].mentions
    assert [broken.passages.count(p.text) for p in given] == [1, 2, 1]
    mended = extract(journal, make_extractor(), given, silent)
    assert (mended.fresh, mended.failures) == (1, [])
    assert kept(journal, make_extractor(), given)[1].mentions


def test_batches_are_kept_as_they_finish(journal: Journal, extractor: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(extracting, "COMMIT_EVERY", 2)
    given = passages("Anna.", "Otto.", "Berta.", "Emil.", "STOP.")
    whole = extractor.extract

    def stops(part: Any) -> Any:
        for passage in part:
            if passage.text == "STOP.":
                raise KeyboardInterrupt
            yield from whole([passage])

    extractor.extract = stops
    with pytest.raises(KeyboardInterrupt):
        extract(journal, extractor, given, silent)
    extractor.extract = whole
    assert extract(journal, extractor, given, silent).fresh == 1


def test_no_passages(journal: Journal, extractor: Any):
    done = extract(journal, extractor, [], silent)
    assert (done.failures, done.fresh) == ([], 0)
    assert kept(journal, extractor, []) == []


def test_passages_in_parts_are_extracted_once_each(
    journal: Journal, extractor: Any, monkeypatch: pytest.MonkeyPatch
):
    """What is handed over in one call is bounded; a text that comes again in a later part is not made again."""
    monkeypatch.setattr(extracting, "AT_ONCE", 2)
    whole, handed = extractor.extract, []

    def counted(part: Any) -> Any:
        handed.append(len(part))
        yield from whole(part)

    extractor.extract = counted
    given = passages("Anna.", "Otto.", "Anna.", "Berta.", "Emil.", "Otto.", "Otto.")
    done = extract(journal, extractor, given, silent)
    assert (done.fresh, sorted(extractor.passages)) == (4, ["Anna.", "Berta.", "Emil.", "Otto."])
    assert max(handed) <= 2
    assert all(e.mentions for e in kept(journal, extractor, given))


def test_a_slow_extractor_is_kept_every_few_seconds(
    journal: Journal, extractor: Any, monkeypatch: pytest.MonkeyPatch
):
    kept: list[int] = []
    put = journal.put_extractions
    monkeypatch.setattr(journal, "put_extractions", lambda f, items: (kept.append(len(items)), put(f, items)))
    clock = iter(range(1000))  # a second between any two looks
    monkeypatch.setattr(extracting.time, "monotonic", lambda: float(next(clock)))
    extract(journal, extractor, passages(*(f"Anna{i}." for i in range(9))), silent)
    assert sum(kept) == 9
    assert max(kept) <= 2


@pytest.mark.parametrize("error", [EndpointDownError("nobody answers"), KeyboardInterrupt(), OSError("x")])
def test_whatever_ends_a_run_what_was_made_is_kept(journal: Journal, extractor: Any, error: BaseException):
    whole, closed = extractor.extract, []

    def stops(part: Any) -> Any:
        try:
            yield from whole(part[:3])
            raise error
        finally:
            closed.append(True)

    extractor.extract = stops
    given = passages("Anna.", "Otto.", "Berta.", "Emil.", "Olga.")
    with pytest.raises(type(error)):
        extract(journal, extractor, given, silent)
    assert closed == [True]
    extractor.extract = whole
    assert extract(journal, extractor, given, silent).fresh == 2


def test_who_is_told_may_end_the_run_too(journal: Journal, extractor: Any):
    """An interruption comes where it likes, say in the middle of a progress bar."""
    steps: list[int] = []
    whole, closed = extractor.extract, []

    def watched(part: Any) -> Any:
        try:
            yield from whole(part)
        finally:
            closed.append(True)

    @contextmanager
    def impatient(label: str, total: int | None) -> Iterator[Any]:
        def advance(number: int) -> None:
            steps.append(number)
            if len(steps) == 3:
                raise KeyboardInterrupt

        yield advance

    extractor.extract = watched
    given = passages("Anna.", "Otto.", "Berta.", "Emil.", "Olga.")
    with pytest.raises(KeyboardInterrupt):
        extract(journal, extractor, given, impatient)
    assert (steps, closed) == ([1, 1, 1], [True])
    extractor.extract = whole
    assert extract(journal, extractor, given, silent).fresh == 2
