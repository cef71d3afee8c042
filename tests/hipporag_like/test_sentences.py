"""Sentence spans: exact, bounded, linear, and right on a table of cases in several languages."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hipporag_like import sentences
from hipporag_like.sentences import MAX_WORDS, sentence_spans
from hipporag_like.text import words

SNIPPETS = st.sampled_from(
    """Dr. |e.g. |U.S. |J. K. |No. 5|...|. |! |?\u201d |\u3002|؟ |।|a|B|the|The |1. |- |# |\u201c|"|[3]|(|)|你
    |แ|\uff0e|\n\n|\n|\r\n| |\t|\u2029|\x1c|\x00""".split("|")
    + ["x" * 60]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(SNIPPETS, max_size=80).map("".join))


def pieces(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@given(TEXTS)
@example("foo" + " " * 60 + "\nbar")
@settings(max_examples=400, deadline=None)
def test_spans_are_ordered_trimmed_and_cover_everything(text: str) -> None:
    at = 0
    for start, end in sentence_spans(text):
        assert at <= start < end <= len(text)
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip()
        at = end
    assert not text[at:].strip()


@given(st.lists(st.sampled_from(["word ", "word, ", "你", "แ", "...", "x-y "]), max_size=1500).map("".join))
@settings(max_examples=40, deadline=None)
def test_no_sentence_is_longer_than_the_bound(text: str) -> None:
    assert all(len(words(piece)) <= MAX_WORDS for piece in pieces(text))
    assert sum(len(words(piece)) for piece in pieces(text)) == len(words(text))


ONE_SENTENCE = [
    "Dr. Smith met Mrs. Jones in St. Louis.",
    "J. K. Rowling wrote to George W. Bush Jr. Foundation.",
    "He works at Apple Inc. Tower B, e.g. The Loft, i.e. Upstairs.",
    "See p. 5, pp. 7 and No. 9 of vol. 3.",
    "It rose by 3.14 to 1.000.000 at 5 p.m. on Nov. 5.",
    "The U.S. Senate v. Smith vs. Jones.",
    "Well... it went on \u2026 and on.",
    "Wait . . . what?",
    "Open report.final.txt or https://example.org/a.b?c=d!e for more.",
    "\u201cGo!\u201d he said.",
    "He typed yes? and left.",
    "1. Introduction",
    "2.3. Methods and Data",
    "a line of running text that was wrapped at about seventy columns by an\nEditor of old.",
    "a short line of the\npoem",
    "Он родился в 1990 г. в Москве.",
    "\u2014 Привет! \u2014 сказал он.",
    "Am 5. Mai des 19. Jahrhunderts kam Prof. Müller, d.h. Otto.",
    "价格是\uff13\uff0e\uff15元\u3002",
    "first,\nSecond",
]


@pytest.mark.parametrize("text", ONE_SENTENCE)
def test_one_sentence_stays_whole(text: str) -> None:
    assert pieces(text) == [text]


SEVERAL = [
    ["He left.", "She stayed!", "Why?", "Nobody knows."],
    ["He moved to the U.S.", "The weather was fine."],
    ["It ended World War I.", "Nobody won."],
    ["The firm is Apple Inc.", "It was founded in 1976."],
    ["He went.[3]", "Then (see below.)", "Done."],
    ["\u201cGo.\u201d", "He went."],
    ["\u201eJa.\u201c", "Er ging."],
    ["It was 1990.", "23 people came."],
    ["Hmm . . .", "Next one."],
    ["Он пришёл.", "Т.е. ушёл.", "Где он?"],
    ["هل أنت بخير؟", "نعم.", "أنا بخير."],
    ["یہ ایک جملہ ہے۔", "یہ دوسرا ہے۔"],
    ["यह एक वाक्य है।", "यह दूसरा है।"],
]  # fmt: skip


@pytest.mark.parametrize("expected", SEVERAL)
def test_sentences_joined_by_spaces_come_apart(expected: list[str]) -> None:
    assert pieces(" ".join(expected)) == expected


def test_scripts_without_spaces() -> None:
    assert pieces("他说\uff1a\u201c你好\u3002\u201d然后走了\u3002是吗\uff1f") == [
        "他说\uff1a\u201c你好\u3002\u201d",
        "然后走了\u3002",
        "是吗\uff1f",
    ]


LINES = [
    "# Title\nText under it",
    "Shopping\n- milk and\n- bread\n* eggs",
    "1. One\n2) Two\n(3) Three",
    "Bob: hi\nAnn: hello there, Bob\nBob: bye",
    "Name | Age\n| Ann | 3",
    "First heading\nSecond heading",
    "a paragraph without an end\n\nand another one",
    "12:30 started the job that reads all the files of the folder and the rest\n12:31 ended it",
]


@pytest.mark.parametrize("text", LINES)
def test_lines_that_stand_alone(text: str) -> None:
    assert pieces(text) == [line for line in text.split("\n") if line]


def test_long_runs_are_cut_at_clause_marks_then_spaces_then_anywhere() -> None:
    clauses = "one two three four five six seven, " * 100
    assert all(piece.endswith(",") for piece in pieces(clauses))
    assert len(pieces(clauses)) == 2
    assert [len(words(piece)) for piece in pieces("word " * 1000)] == [400, 400, 200]
    assert [len(piece) for piece in pieces("你" * 900)] == [400, 400, 100]


ADVERSARIAL = [
    ".",
    '"',
    ". ",
    "\n",
    "a\n",
    "a.",
    '."',
    "[1]",
    ".[1",
    "\u201c",
    ".\u201c",
    "- ",
    "\r",
    ".\n\n",
    "(",
    " \n",
    ". . ",
]


class CountingText(str):
    """A text that counts the characters read one by one."""

    reads = 0

    def __getitem__(self, key: object) -> str:
        found = super().__getitem__(key)  # type: ignore[index]
        CountingText.reads += len(found)
        return found


@pytest.mark.parametrize("unit", ADVERSARIAL)
def test_work_grows_with_the_text_and_not_with_its_square(unit: str) -> None:
    costs = []
    for size in (2_000, 4_000):
        CountingText.reads = 0
        sentence_spans(CountingText(unit * size))
        costs.append(CountingText.reads)
    assert costs[1] <= 2.5 * costs[0] + 100


@pytest.mark.parametrize("unit", ADVERSARIAL)
def test_the_pattern_never_fails_after_its_first_character(unit: str) -> None:
    """Every candidate character starts a match or lies in one: nothing is scanned twice."""
    text = unit * 50 + "x"
    covered = {i for match in sentences._CANDIDATE.finditer(text) for i in range(*match.span())}
    assert {match.start() for match in re.finditer(r"[.!?\n\r]", text)} <= covered


def test_text_without_capitals_is_still_cut_into_sentences() -> None:
    text = "he met dr. smith in paris. then j. k. rowling came to the u.s. embassy. it rained."
    got = [text[a:b] for a, b in sentences.sentence_spans(text)]
    assert got == [
        "he met dr. smith in paris.",
        "then j. k. rowling came to the u.s. embassy.",
        "it rained.",
    ]
