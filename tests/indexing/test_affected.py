"""Which passages are read again because of others: each way in which one passage bears on another, by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hipporag_like.config import Config, ExtractConfig
from hipporag_like.indexing.affected import affected, comparable
from hipporag_like.indexing.build import Models, index_documents
from hipporag_like.indexing.census import count
from hipporag_like.indexing.context import Context
from hipporag_like.indexing.index import Index, Segment
from hipporag_like.indexing.state import census_of, corpus_of
from hipporag_like.indexing.surfaces import Surfaces
from hipporag_like.progress import silent
from hipporag_like.store.snapshot import open_snapshot
from hipporag_like.types import Document, Extraction, Mention, Passage

BYSTANDER = Document("Olga Krag saw Bodo.", "z")
PAIR = re.compile(r"[A-Z]\w+ and [A-Z]\w+")


def pairing(extractor: Any) -> Any:
    """Let an extractor find "Berg and Lind" too, before the names in it."""
    whole = extractor.extract

    def extract(passages: Sequence[Passage]) -> Iterator[Extraction]:
        for passage, found in zip(passages, whole(passages), strict=True):
            pairs = [Mention(m.start(), m.end()) for m in PAIR.finditer(passage.text)]
            mentions = sorted([*pairs, *found.mentions], key=lambda m: (m.start, -m.end))
            yield replace(found, mentions=tuple(mentions))

    extractor.extract = extract
    return extractor


@pytest.fixture
def judge(tmp_path: Path, make_extractor: Any, embedder: Any) -> Any:
    """Ids to be read again when documents come or go, and the entities of one of them before and after."""

    def indexed(name: str, documents: Sequence[Document], gazetteer: bool) -> Segment:
        extractor = pairing(make_extractor())
        config = Config(extract=ExtractConfig(mine_terms=False, gazetteer=gazetteer))
        models = Models(extractor, lambda: embedder, embedder.fingerprint, embedder.dim)
        index_documents(tmp_path / name, documents, config, models, silent)
        return Index(open_snapshot(tmp_path / name)).segments["default"]

    def mentioned(segment: Segment, document_id: str) -> list[str]:
        facts = map(segment.fact, range(segment.n_facts))
        return sorted(e for f in facts if f.passage_id == f"{document_id}#0" for e in f.entities)

    def judged(
        old: Sequence[Document],
        new: Sequence[Document] = (),
        gone: str = "",
        look: str = "a",
        gazetteer: bool = True,
        lost: bool = False,
    ) -> tuple[list[str], list[str], list[str]]:
        segment = indexed("before", [*old, BYSTANDER], gazetteer)
        census, surfaces, extractor = census_of(segment), Surfaces(), pairing(make_extractor())
        before = Context(census, gazetteer=gazetteer)
        for documents, sign in ((new, 1), ([d for d in old if d.id == gone], -1)):
            passages = [Passage(f"{d.id}#0", d.id, d.text, 0, len(d.text), d.title) for d in documents]
            census.add(count(passages, list(extractor.extract(passages)), surfaces), sign)
        now = Context(census, gazetteer=gazetteer)
        assert comparable(before, now)

        def extracted(passages: Sequence[Passage]) -> list[Extraction] | None:
            return None if lost else list(extractor.extract(passages))

        found = [
            segment.passage(i).document_id
            for i in affected(before, now, corpus_of(segment), segment, extracted).tolist()
        ]
        after = indexed("after", [*(d for d in old if d.id != gone), *new, BYSTANDER], gazetteer)
        assert mentioned(segment, "z") == mentioned(after, "z")
        return sorted(i for i in found if i != gone), mentioned(segment, look), mentioned(after, look)

    return judged


def test_a_stranger_concerns_nobody(judge: Any):
    old = [Document("We met Anna Berg and later Anna left.", "a"), Document("Otto Lind saw Oslo.", "b")]
    again, before, after = judge(old, [Document("Emil Holt ran to Vik.", "n", "Emil Holt")])
    assert again == []
    assert before == after == ["Anna", "Anna Berg"]


def test_a_word_becomes_common(judge: Any):
    old = [Document("We heard Otto play Wings.", "a"), Document("Otto heard Bach.", "b")]
    again, before, after = judge(old, [Document("It has wings, two wings.", "n")])
    assert (again, before, after) == (["a"], ["Otto", "Wings"], ["Otto"])


@pytest.mark.parametrize("lost", [False, True])
def test_a_word_becomes_common_where_it_is_no_name(judge: Any, lost: bool):
    """Who only writes it in small letters is not read again, unless nobody knows any more what was found there."""
    old = [Document("We heard Otto play Wings.", "a"), Document("It has wings.", "b")]
    again, before, after = judge(old, [Document("It flaps its wings.", "n")], lost=lost)
    assert (again, before, after) == (["a", "b"] if lost else ["a"], ["Otto", "Wings"], ["Otto"])


def test_a_word_ceases_to_be_common(judge: Any):
    old = [Document("We heard Otto play Wings.", "a"), Document("It has wings, two wings.", "b")]
    again, before, after = judge(old, gone="b")
    assert (again, before, after) == (["a"], ["Otto"], ["Otto", "Wings"])


def test_a_name_becomes_repeated(judge: Any):
    """Then it is found in small letters too; the passage that has named it may join it with others."""
    old = [Document("they saw anna berg there.", "a"), Document("We saw Anna Berg.", "b")]
    again, before, after = judge(old, [Document("We like Anna Berg.", "n")])
    assert (again, before, after) == (["a", "b"], [], ["Anna Berg"])


def test_a_name_ceases_to_be_repeated(judge: Any):
    old = [Document("they saw anna berg there.", "a"), Document("We saw Anna Berg.", "b")]
    again, before, after = judge([*old, Document("We like Anna Berg.", "n")], gone="n")
    assert (again, before, after) == (["a", "b"], ["Anna Berg"], [])


def test_a_new_title_is_found_in_an_old_text(judge: Any):
    old = [Document("we saw the blue lagoon there.", "a"), Document("A blue day.", "b")]
    again, before, after = judge(old, [Document("It is warm.", "n", "Blue Lagoon (film)")])
    assert (again, before, after) == (["a"], [], ["Blue Lagoon"])


def test_a_title_that_goes_is_not_found_any_more(judge: Any):
    old = [Document("we saw the blue lagoon there.", "a"), Document("It is warm.", "b", "Blue Lagoon (film)")]
    again, before, after = judge(old, gone="b")
    assert (again, before, after) == (["a"], ["Blue Lagoon"], [])


def test_a_first_name_ceases_to_be_rare(judge: Any):
    """In five passages it may stand for Anna Berg, in six not."""
    old = [Document("We met Anna Berg. Then we saw Anna leave.", "a")]
    old += [Document(f"They know Anna {name}.", f"b{name}") for name in ("Falk", "Moe", "Lie", "Aas")]
    again, before, after = judge(old, [Document("They like Anna Dahl.", "n")])
    assert (again, before, after) == (["a"], ["Anna", "Anna Berg", "Anna Berg"], ["Anna", "Anna Berg"])


def test_a_surname_becomes_a_title_of_its_own(judge: Any):
    old = [
        Document("We met Anna Berg. So later Berg left. Then more.", "a"),
        Document("Otto Lind slept.", "b"),
    ]
    again, before, after = judge(old, [Document("A hill.", "n", "Berg")])
    assert (again, before) == (["a"], ["Anna Berg", "Anna Berg", "Berg"])
    assert after == ["Anna Berg", "Berg", "Berg"]  # found in the longer name too, which nothing repeats


def test_an_opening_word_is_judged_differently(judge: Any):
    """Written in small letters once it is part of the name, twice perhaps not, twenty times surely not."""
    old = [Document("Next Mattos came.", "a"), Document("the next day.", "b")]
    assert judge(old, [Document("a new day.", "n")]) == ([], ["Next Mattos"], ["Next Mattos"])
    again, before, after = judge(old, [Document("and next.", "n")])
    assert (again, before, after) == (["a"], ["Next Mattos"], ["Mattos", "Next Mattos"])
    again, before, after = judge([*old, Document("and next.", "d")], [Document("next " * 20, "n")])
    assert (again, before, after) == (["a"], ["Mattos", "Next Mattos"], ["Mattos"])


def test_an_opening_name_is_found_within_a_sentence(judge: Any):
    """Then it is a name as a whole, whatever its first word is elsewhere."""
    old = [Document("Next Mattos came.", "a"), Document("the next and next day.", "b")]
    again, before, after = judge(old, [Document("We saw Next Mattos.", "n")])
    assert (again, before, after) == (["a"], ["Mattos", "Next Mattos"], ["Next Mattos"])


def test_names_that_open_two_passages_are_found_within_a_sentence(judge: Any):
    """They were repeated before; that they are known is what is new."""
    old = [Document("Next Mattos came.", "a"), Document("Next Mattos left.", "b")]
    old.append(Document(" next" * 40, "c"))
    again, before, after = judge(old, [Document("We saw Next Mattos.", "n")])
    assert again == ["a", "b"]
    assert (before, after) == (["Mattos", "Next Mattos"], ["Next Mattos"])


def test_a_repeated_surname_becomes_a_title(judge: Any):
    """It was sought before; but a title is no short form of a longer name."""
    old = [Document("We met Anna Berg. So later Berg left.", "a"), Document("We saw Berg and Otto.", "b")]
    again, before, after = judge(old, [Document("A hill.", "n", "Berg")])
    assert (again, before) == (["a", "b"], ["Anna Berg", "Anna Berg", "Berg", "Berg"])
    assert after == ["Anna Berg", "Berg", "Berg"]


@pytest.mark.parametrize("gazetteer", [True, False])
@pytest.mark.parametrize(
    "new", [Document("As Berg and Lind.", "n"), Document("A firm.", "n", "Berg and Lind")]
)
def test_two_names_become_one(judge: Any, gazetteer: bool, new: Document):
    """Where "X and Y" is a title, or repeated; also where what is known is not found again everywhere."""
    old = [Document("We met Berg and Lind.", "a"), Document("We met Olga and Emil.", "b")]
    again, before, after = judge(old, [new], gazetteer=gazetteer)
    assert (again, before, after) == (["a"], ["Berg", "Lind"], ["Berg", "Berg and Lind", "Lind"])


def test_what_depends_on_everything_at_once_cannot_be_compared(make_extractor: Any):
    def context(*texts: str, terms: Sequence[str] = ()) -> Context:
        passages = [Passage(f"{i}#0", str(i), text, 0, len(text)) for i, text in enumerate(texts)]
        return Context(count(passages, list(make_extractor().extract(passages)), Surfaces()), terms)

    assert comparable(context("Anna."), context("Anna.", "Otto."))
    assert not comparable(context("Anna."), context("Anna.", *["otto."] * 5))  # capitals cease to count
    assert not comparable(context("Anna."), context("Anna.", terms=["heart failure"]))
    assert not comparable(context("Anna.", terms=["heart failure"]), context("Anna."))
