"""An LLM's reply taken apart, and its citations checked against the passages."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.models.answer_text import AnswerText
from hipporag_like.models.cited_answer import MAX_GIVEN, CitedAnswer, Given, parse, taken_apart, verify
from hipporag_like.text import words
from hipporag_like.types import Passage

HALL = "Toad Hall is a hall of Fenwick University. It was opened in 1974."
FENWICK = (
    "Fenwick University is \u201clocated\u201d in  Canberra \u2014 a city. "
    'The dean said "yes" to it.\nSt\u00e4dte wachsen.'
)


def passage(text: str, number: int = 0) -> Passage:
    return Passage(f"d{number}#0", f"d{number}", text, 0, len(text), f"Title {number}")


PASSAGES = (passage(HALL, 1), passage(FENWICK, 2))


def cited(reply: str, passages: tuple[Passage, ...] = PASSAGES) -> tuple[list[str], int]:
    """Return the quotes that hold, and how many citations were dropped."""
    verified = verify(parse(reply), passages)
    for citation in verified.citations:
        owner = next(p for p in passages if p.id == citation.passage_id)
        assert owner.text[citation.start : citation.end] == citation.quote
        assert (citation.document_id, citation.title) == (owner.document_id, owner.title)
    return [c.quote for c in verified.citations], verified.dropped


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("ANSWER: Canberra", "Canberra"),
        ("answer : Canberra.\n", "Canberra"),
        ("**ANSWER:** **Canberra**\n[2] \"x\"", "Canberra"),
        ("**Answer: Canberra**", "Canberra"),
        ("Final answer: Canberra", "Canberra"),
        ("## Answer\uff1a Canberra", "Canberra"),
        ("ANSWER:\nCanberra\n\n[2] \"x\"", "Canberra"),
        ("ANSWER: Canberra [2].", "Canberra"),
        ("ANSWER: Canberra[1, 2], a city", "Canberra, a city"),
        ("ANSWER: Canberra [2] \"located in Canberra\"", "Canberra"),
        ("Let me see.\nIt is in passage two.\nANSWER: Canberra\n[2] \"x\"", "Canberra"),
        ("<think>ANSWER: Paris?\nNo.</think>\n\nANSWER: Canberra", "Canberra"),
        ("<think>short</think>Canberra", "Canberra"),
        ("Canberra.\n[2] \"located in Canberra\"", "Canberra"),
        ("```\nANSWER: Canberra\n```", "Canberra"),
        ("ANSWER: Canberra\nCitations:\n1. Fenwick", "Canberra"),
        ("ANSWER: Canberra\nANSWER: Paris", "Canberra"),
        ("ANSWER: Yes.", "Yes"),
        ("ANSWER: no", "no"),
        ("ANSWER: Washington, D.C.", "Washington, D.C."),
        ("ANSWER: St. Louis.", "St. Louis"),
        ("ANSWER: It was opened in 1974 by the dean of the university.", None),
        ("ANSWER: None of them", "None of them"),
        ("ANSWER: Not in the passages of the Bible but in Greece", "Not in the passages of the Bible but in Greece"),
        ("ANSWER: 2**3 and **bold** and [a] list", "2**3 and bold and [a] list"),
        ("ANSWER: two towns:\n- Ribe\n- Vejle\n- [2] \"x\"", "two towns:\n- Ribe\n- Vejle"),
        ('{"answer": "Canberra", "citations": []}', "Canberra"),
        ('```json\n{"Answer": true}\n```', "yes"),
        ('{"answer": 1974, "citations": [', "1974"),
        ('{"name": "no answer in it"}', '{"name": "no answer in it"}'),
    ],
)  # fmt: skip
def test_the_answer_is_found_in_what_comes_near_the_form(reply: str, text: str | None) -> None:
    assert parse(reply).text == (reply.removeprefix("ANSWER: ") if text is None else text)


@pytest.mark.parametrize(
    "reply",
    [
        "ANSWER: NOT IN PASSAGES",
        "answer: not in the passages.",
        '**ANSWER: NOT IN PASSAGES**\n[1] "Toad Hall is a hall"',
        "NOT_IN_PASSAGES",
        "ANSWER: Not found in the provided passages, but I believe it is Paris.",
        '{"answer": null, "citations": []}',
        '{"answer": "NOT IN PASSAGES"}',
        "<think>hm</think>NOT IN PASSAGES",
    ],
)
def test_not_in_the_passages_is_an_answer_without_text_or_citations(reply: str) -> None:
    assert parse(reply) == CitedAnswer(None, ())


@pytest.mark.parametrize(
    "reply", ["", " \n ", "ANSWER:", 'ANSWER:\n[1] "It was opened"', "<think>for ever", '[1] "x"']
)
def test_a_reply_without_answer_has_an_empty_text(reply: str) -> None:
    assert parse(reply).text == ""


@pytest.mark.parametrize(
    ("lines", "quotes"),
    [
        ('[1] "It was opened in 1974."', ["It was opened in 1974."]),
        ("- [1]: \u201cit was  OPENED in 1974\u201d", ["It was opened in 1974"]),
        ("* **[1]** \u00abIt was opened\u00bb", ["It was opened"]),
        ("1. [1] It was opened in 1974", ["It was opened in 1974"]),
        ('[Passage 1] "It was opened"', ["It was opened"]),
        ('[1] "It was opened" [2] "in Canberra"', ["It was opened", "in  Canberra"]),
        ('[2] ""located" in Canberra - a city."', ["\u201clocated\u201d in  Canberra \u2014 a city."]),
        ('[2] "The dean said "yes" to it."', ['The dean said "yes" to it.']),
        ('[2] "yes" to it.\nSta\u0308dte wachsen"', []),
        ('[2] "to it.\nSta\u0308dte wachsen"', ["to it.\nSt\u00e4dte wachsen"]),
        ('[1] "It was opened" which shows "when"', ["It was opened"]),
        ('[1] "Toad Hall ... opened in 1974"', [HALL[:-1]]),
        ('[1, 2] "Fenwick University"', ["Fenwick University", "Fenwick University"]),
        ('[1] "It was opened"\n[1] "It was opened"', ["It was opened"]),
    ],
)
def test_quotes_are_found_and_given_back_verbatim(lines: str, quotes: list[str]) -> None:
    assert cited(f"ANSWER: x\n{lines}")[0] == quotes


@pytest.mark.parametrize(
    "line",
    [
        '[1] "It was closed in 1974."',
        '[2] "It was opened in 1974."',  # it stands in passage 1: not moved there
        '[3] "It was opened in 1974."',
        '[0] "It was opened in 1974."',
        '[999] "It was opened in 1974."',
        '[1] "It"',  # too short
        '[1] "..."',
        '[1] "hall of Fen"',  # half a word
        '[1] "opened in 1974 ... Toad Hall"',  # the wrong way round
        '[1] "Toad Hall ... closed"',
        "[1]",  # no words, and the answer does not stand there
        "[1] \"Title 1 Toad Hall\"",
    ],
)  # fmt: skip
def test_what_the_named_passage_does_not_hold_is_dropped_and_counted(line: str) -> None:
    assert cited(f"ANSWER: x\n{line}") == ([], 1)


def test_a_bare_mark_counts_where_the_answer_stands_in_the_passage() -> None:
    assert cited("ANSWER: 1974 [1]") == (["It was opened in 1974."], 0)
    assert cited("ANSWER: 74 [1]") == ([], 1)
    assert cited("ANSWER: 1974 [2]") == ([], 1)
    assert cited('ANSWER: 1974 [1]\n[1] "It was opened"') == (["It was opened"], 0), "backed by its quote"
    assert cited("ANSWER: 1974 [1][9]") == (["It was opened in 1974."], 1)


def test_citations_of_a_json_answer() -> None:
    reply = '{"answer": "1974", "citations": [{"passage": "[1]", "quote": "It was opened"}, "[2] a city", 1, {"x": 1}]}'
    assert cited(reply) == (["It was opened", "a city"], 0)


def test_the_share_of_citations_that_hold() -> None:
    reply = 'ANSWER: x\n[1] "It was opened"\n[1] "It was closed"\n[2] "a city"\n[9] "a city"'
    assert verify(parse(reply), PASSAGES).share == 0.5
    assert verify(parse("ANSWER: x"), PASSAGES).share == 0.0


def test_more_citations_than_looked_at_are_dropped() -> None:
    lines = "\n".join(f'[1] "It was opened in 1974 {n}"' for n in range(MAX_GIVEN))
    reply = f'ANSWER: x\n{lines}\n[1] "It was opened in 1974."'
    assert cited(reply) == ([], MAX_GIVEN + 1)


SIGNS = '["\u201c\u201d]'
TEXTS = st.text(
    st.sampled_from("abcAB \n.,\"'\u201c\u201d\u2014-[]12\u00e4\u4e2d\u6587\u0130\u00df"), max_size=60
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(TEXTS, min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 60), st.integers(0, 60), TEXTS), max_size=5),
    TEXTS,
)
def test_every_citation_is_verbatim_and_nothing_unverifiable_survives(
    texts: list[str], wishes: list[tuple[int, int, int, str]], answer: str
) -> None:
    passages = tuple(passage(text, number) for number, text in enumerate(texts))
    asked = [
        Given(number, (texts[number - 1][a:b] if 0 < number <= len(texts) and a < b else other))
        for number, a, b, other in wishes
    ]
    verified = verify(CitedAnswer(answer, tuple(asked)), passages)
    assert len(verified.citations) + verified.dropped <= len(asked)
    held = set()
    for citation in verified.citations:
        owner = next(n for n, p in enumerate(passages, start=1) if p.id == citation.passage_id)
        assert citation.quote and passages[owner - 1].text[citation.start : citation.end] == citation.quote
        held.add(owner)
        quoted = [item for item in asked if item.number == owner]
        run = words(citation.quote)
        exact = [words(part) for item in quoted for part in (item.quote, re.split(SIGNS, item.quote)[0])]
        sentence = (
            any(not item.quote for item in quoted) and f" {' '.join(words(answer))} " in f" {' '.join(run)} "
        )
        assert run in exact or sentence or any("..." in item.quote for item in quoted)
    for item in asked:
        line = f" {' '.join(words(texts[item.number - 1]))} " if 0 < item.number <= len(texts) else ""
        run = f" {' '.join(words(item.quote or answer))} "
        if run.strip() and run in line and (not item.quote or sum(map(len, words(item.quote))) >= 4):
            assert item.number in held, "its words stand there"


REPLIES = st.one_of(
    st.text(st.sampled_from("ANSWER: noti passage[12]\"*.\n-{}<think>/"), max_size=80),
    st.lists(
        st.sampled_from(
            ["ANSWER:", "answer :", " ", "\n", "Paris", ".", "[1]", "[2, 3]", '"', "**", "- ", "NOT IN PASSAGES",
             "<think>", "</think>", "Sources:", "```", "...", "not", "in", "[", "]", ",", '{"answer": "x"}']
        ),
        max_size=14,
    ).map("".join),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(REPLIES, st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_a_reply_is_read_alike_however_it_is_cut(reply: str, sizes: list[int]) -> None:
    whole = parse(reply)
    text, shown, at, turn = AnswerText(), [], 0, 0
    while at < len(reply):
        shown.append(text.feed(reply[at : at + sizes[turn % len(sizes)]]))
        at, turn = at + sizes[turn % len(sizes)], turn + 1
    shown.append(text.close())
    assert taken_apart(text) == whole
    assert "".join(shown) == (whole.text or "")


@pytest.mark.parametrize(
    "unit",
    ["[", "[1", "[1]", "\n", "*", ".", ". ", " ", '[1] "', "\n[1] ", "answer:", "<think>", '"', "..."],
)  # fmt: skip
@pytest.mark.parametrize("start", ["", "ANSWER: ", 'ANSWER: x\n[1] "'])
def test_time_is_linear_whatever_the_reply(unit: str, start: str) -> None:
    def seconds(length: int) -> float:
        began = time.process_time()
        verify(parse(start + unit * (length // len(unit))), PASSAGES)
        return time.process_time() - began

    seconds(1000)
    # Measured is at most 0.2 s; what looks at all that follows from each place takes longer.
    assert seconds(50_000) < 2


@pytest.mark.parametrize("unit", ["[", "[1", "\n", "*", ".", ". ", " ", "answer:", "<think>", "n"])
@pytest.mark.parametrize("start", ["", "ANSWER: "])
def test_time_is_linear_in_the_number_of_pieces(unit: str, start: str) -> None:
    text, began = AnswerText(), time.process_time()
    for piece in start + unit * (30_000 // len(unit)):
        text.feed(piece)
    text.close()
    # Measured is at most 0.3 s; what looks at all that came before with each piece takes longer.
    assert time.process_time() - began < 2
