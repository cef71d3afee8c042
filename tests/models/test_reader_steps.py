"""What the extractive reader's parts make of toy texts: readings of names, family, lives, classes, scales."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from hipporag_like.models.extractive import ExtractiveReader
from hipporag_like.models.reader_chain import follow, read_chain, start
from hipporag_like.models.reader_classes import in_class
from hipporag_like.models.reader_coverage import covered
from hipporag_like.models.reader_fillers import fillers
from hipporag_like.models.reader_question import take_apart
from hipporag_like.models.reader_readings import readings
from hipporag_like.models.reader_relations import RELATIONS
from hipporag_like.models.reader_spans import find_spans
from hipporag_like.models.reader_trace import build_view
from hipporag_like.models.reader_view import Place, View
from hipporag_like.models.reader_words import life, stem
from hipporag_like.text import words
from hipporag_like.types import Answer, Hit, Passage, Trace

Texts = Sequence[tuple[str, str, str]]  # document, title, text


class SharedWords:
    """Cosines of word counts."""

    fingerprint = "shared words"
    dim = 256

    def embed(self, texts: Sequence[str], kind: str = "passage") -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dim), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in words(text) or ["none"]:
                row[sum(map(ord, word)) * 17 % self.dim] += 1
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows


def traced(question: str, texts: Texts, scores: Sequence[float] = ()) -> Trace:
    """Return a trace of passages, best first."""
    hits = tuple(
        Hit(
            n + 1,
            scores[n] if scores else 1 - 0.1 * n,
            Passage(f"{doc}#{n}", doc, text, 0, len(text), title),
        )
        for n, (doc, title, text) in enumerate(texts)
    )
    return Trace(question, "graph", "graph", "ok", "", hits=hits)


def viewed(question: str, texts: Texts) -> View:
    return build_view(question, traced(question, texts), lambda _, others: [0.5] * len(others))


def asked_of(question: str, texts: Texts, scores: Sequence[float] = ()) -> Answer:
    return ExtractiveReader(SharedWords).read(question, traced(question, texts, scores))


def told(relation: str, text: str, title: str = "Ada Dunn") -> list[str]:
    """Return the fillers that one passage tells, surest first."""
    view = viewed("?", [("d", title, text)])
    return [view.text(place) for place, _ in fillers(view, 0, RELATIONS[relation])]


@pytest.mark.parametrize(
    ("relation", "text", "first"),
    [
        ("father", "Ada Dunn is the daughter of Queen Mira and Karl Dunn.", "Karl Dunn"),
        ("mother", "Ada Dunn is the daughter of Karl Dunn and Mira Holt.", "Mira Holt"),
        ("father", "Ada Dunn was born in Ribe to Karl Dunn and Mira Holt.", "Karl Dunn"),
        ("father", "Ada Dunn was the heir of Karl Dunn and Mira Holt, a daughter of Olaf Holt.", "Karl Dunn"),
        ("father", "Ada Dunn was Karl Dunn's eldest daughter.", "Karl Dunn"),
        ("spouse", "In Ribe she met Olaf Holt whom she married in 1910.", "Olaf Holt"),
        ("father", "Ada Dunn is a daughter of Ernst, Duke of Vale and Mira Holt.", "Ernst, Duke of Vale"),
        ("birth place", "Ada Dunn (born Sara Lund in Ribe) is a Danish singer.", "Ribe"),
    ],
)
def test_relations_are_told(relation: str, text: str, first: str) -> None:
    assert told(relation, text)[0] == first


def test_a_peoples_name_before_a_noun_is_no_place() -> None:
    assert "Danish" not in told("birth place", "Ada Dunn (born 4 May 1900) is a Danish singer from Ribe.")


@pytest.mark.parametrize(
    "text",
    [
        "A (March 25, 1942August 16, 2018) was",
        "A (25 March 194216 August 2018) was",
        "A (25 March 1942 16 August 2018)",
    ],
)
def test_lives_without_their_dash_are_read(text: str) -> None:
    story = life(text)
    assert story.birth is not None and story.birth.order == (1942, 3, 25)
    assert story.death is not None and story.death.order == (2018, 8, 16)


def readings_of(question: str, text: str, name: str, titles: Sequence[str] = ()) -> set[str]:
    view = viewed(question, [("d", "D", text), *((t, t, f"{t} was somebody.") for t in titles)])
    at = text.index(name)
    found = readings(view, Place(0, at, at + len(name)), take_apart(question))
    return {view.text(place) for place in found}


def test_names_have_shorter_and_longer_readings() -> None:
    text = "She was born in Ribe, Jutland to King Olaf Dunn and Karl, Duke of Vale on 4 May 1900."
    assert "Ribe" in readings_of("Where was she born?", text, "Ribe, Jutland")
    assert "Jutland" not in readings_of("Where was she born?", text, "Ribe, Jutland")
    assert "Jutland" in readings_of("In which province was she born?", text, "Ribe, Jutland")
    assert readings_of("Who?", text, "King Olaf Dunn") == {"Olaf Dunn"}
    assert readings_of("Who?", text, "Karl") == set()
    assert readings_of("Who?", text, "Karl", ["Karl, Duke of Vale"]) == {"Karl, Duke of Vale"}
    assert readings_of("In what year?", text, "4 May 1900") == {"1900"}
    assert readings_of("When?", text, "4 May 1900") == set()


def test_a_year_is_asked_for_and_given() -> None:
    texts = [("a", "Ada Dunn", "Ada Dunn (4 May 1900 – 3 June 1960) was a Danish singer.")]
    assert asked_of("In what year was Ada Dunn born?", texts).text == "1900"
    assert asked_of("When was Ada Dunn born?", texts).text == "4 May 1900"


FAMILY = [
    ("a", "Ada Dunn", "Ada Dunn was a singer. She married Karl Holt in 1920."),
    ("k", "Karl Holt", "Karl Holt was a printer. He was the son of Olaf Holt and Mira Lund."),
]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who is the mother-in-law of Ada Dunn?", "Mira Lund"),
        ("Who is the father-in-law of Ada Dunn?", "Olaf Holt"),
    ],
)
def test_parents_in_law_are_told_apart(question: str, answer: str) -> None:
    assert asked_of(question, FAMILY).text == answer


def test_parts_of_one_document_are_about_one_subject() -> None:
    texts = [
        ("f", "Red Orchard", "Red Orchard is a film directed by Karl Munk."),
        ("k", "Karl Munk", "Karl Munk was a Danish director, known for his comedies."),
        ("k", "Karl Munk", "In later years he wrote plays. Munk died in 1950 in Vejle."),
    ]
    assert asked_of("Where did the director of Red Orchard die?", texts).text == "Vejle"
    assert viewed("?", texts).siblings == ((0,), (1, 2), (2, 1))


def test_a_step_told_in_unknown_words_leads_to_the_passage_named() -> None:
    texts = [
        ("s", "Blue Hour", "Blue Hour is a ballad from the pen of Ida Rask, for a girl of the fair."),
        ("n", "Nightfall", "Nightfall is the name of a harbour town."),
        ("i", "Ida Rask", "Ida Rask (4 May 1900 – 3 June 1960) was a Danish songwriter."),
    ]
    question = "When did the producer of Blue Hour die?"
    view = viewed(question, texts)
    chain = read_chain(view)
    assert chain.whole
    assert not [s for s in follow(view, chain.steps, start(view, chain)) if s.passage is not None]
    reached = follow(view, chain.steps, start(view, chain), guess=True)
    assert reached[0].passage == 2
    assert asked_of(question, texts).text == "3 June 1960"


def test_a_chain_is_whole_where_the_question_says_nothing_else() -> None:
    texts = [("f", "Red Orchard", "Red Orchard is a film directed by Karl Munk.")]
    assert read_chain(viewed("Where was the director of Red Orchard born?", texts)).whole
    assert not read_chain(viewed("Where was the bald director of Red Orchard born?", texts)).whole


@pytest.mark.parametrize("scale", [0.01, 1.0, 40.0])
def test_the_scale_of_the_scores_does_not_matter(scale: float) -> None:
    question = "Where did the director of Red Orchard die?"
    texts = [
        ("f", "Red Orchard", "Red Orchard is a film directed by Karl Munk."),
        ("k", "Karl Munk", "Karl Munk was a Danish director. He died in Vejle."),
        ("o", "Ole Brandt", "Ole Brandt was a director. He died in Ribe."),
    ]
    plain = asked_of(question, texts, [0.9, 0.5, 0.2])
    other = asked_of(question, texts, [scale * 0.9 + 3, scale * 0.5 + 3, scale * 0.2 + 3])
    assert (other.text, other.confidence) == (plain.text, pytest.approx(plain.confidence, abs=1e-3))


@pytest.mark.parametrize(
    ("question", "wanted", "head"),
    [
        ("Which award the director of film Red Orchard won?", "award", ("award",)),
        ("Which country Ida Holm's father is from?", "country", ("country",)),
        (
            "At the 2011 census, what was the population of the town where Ida Holm was born?",
            "number",
            ("population",),
        ),
        ("How to Bake, released in which year, is a book by Ida Holm", "year", ("year",)),
    ],
)
def test_the_noun_behind_the_question_word_is_found(
    question: str, wanted: str, head: tuple[str, ...]
) -> None:
    asked = take_apart(question)
    assert (asked.type, asked.head) == (wanted, tuple(stem(h) for h in head))


@pytest.mark.parametrize(
    ("noun", "inside", "outside"),
    [
        ("profession", "aviator", "Amsterdam"),
        ("language", "Danish", "translated books"),
        ("state", "Oregon", "Portland"),
        ("century", "19th century", "1950"),
    ],
)
def test_classes_of_words(noun: str, inside: str, outside: str) -> None:
    head = frozenset({stem(noun)})
    assert in_class(head, inside)
    assert not in_class(head, outside)
    assert not in_class(frozenset({"film"}), inside)


def test_coverage_counts_the_sentence_that_leads_to_a_passage() -> None:
    texts = [
        ("a", "Cape Sorrow", "The lighthouse of Cape Sorrow was kept by Edda Vinter."),
        ("e", "Edda Vinter", "Edda Vinter collected shells."),
    ]
    found = covered(viewed("Who kept the lighthouse of Cape Sorrow and collected shells?", texts))
    assert found.alone[0] > found.alone[1] > 0
    assert found.linked[1] == pytest.approx(1.0)
    assert found.linked[0] == found.alone[0]


def test_spans_of_ranks_and_centuries() -> None:
    text = "In the 19th century the Norwegian King Olaf Dunn ruled."
    found = {(text[s.start : s.end], s.kind) for s in find_spans(text, phrases=False)}
    assert {("19th century", "year"), ("Norwegian King Olaf Dunn", "name"), ("Olaf Dunn", "name")} <= found
