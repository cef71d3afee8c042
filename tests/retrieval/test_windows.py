"""Windows of a question: by hand, and what holds of any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.retrieval.windows import MOST, SIZE, STRIDE, windows
from hipporag_like.text import word_spans

WORDS = st.text(st.characters(codec="utf-8"), max_size=400) | st.lists(
    st.sampled_from(["who", "Ann", "O'Neil's", "C++", "東", "ไทย", "?", "—", "1969", "the"]), max_size=90
).map(" ".join)


def letters(n: int) -> str:
    """Return a question of n different words."""
    return " ".join(f"w{i}" for i in range(n))


def test_by_hand():
    question = "Who is the mother of the director of the film Polish-Russian War (Film)?"
    # 13 words; windows of 7 start at words 0, 3 and 6, the last one that has 7 left.
    assert windows(question) == [
        "Who is the mother of the director",
        "mother of the director of the film",
        "director of the film Polish-Russian War",
    ] + ["of the film Polish-Russian War (Film"]


@pytest.mark.parametrize("n", range(SIZE + 2))
def test_a_short_question_has_none(n: int):
    assert windows(letters(n)) == []


def test_the_first_that_has_some():
    n = SIZE + 2
    assert windows(letters(n)) == [letters(SIZE), letters(n).split(" ", 2)[2]]


@pytest.mark.parametrize("n", [10, 11, 12, 13, 20, 37, 40])
def test_they_start_a_stride_apart_and_the_last_where_it_must(n: int):
    starts = [int(window.split()[0][1:]) for window in windows(letters(n))]
    assert starts == sorted({*range(0, n - SIZE, STRIDE), n - SIZE})


@pytest.mark.parametrize("n", [41, 60, 500])
def test_a_long_question_is_cut_evenly(n: int):
    starts = [int(window.split()[0][1:]) for window in windows(letters(n))]
    assert len(starts) == MOST
    assert (starts[0], starts[-1]) == (0, n - SIZE)
    gaps = [after - before for before, after in zip(starts, starts[1:], strict=False)]
    assert max(gaps) - min(gaps) <= 2 * STRIDE


def test_a_script_without_spaces_has_a_character_a_word():
    question = "東京都の川はどこへ流れますか"
    found = windows(question)
    assert found[0] == question[:7] and found[1] == question[3:10] and found[-1] == question[-7:]
    assert all(len(window) == 7 for window in found)


def test_the_same_words_again_are_one_window():
    assert windows("ha " * 100) == [" ".join(["ha"] * SIZE)]


@given(WORDS)
def test_of_any_text(text: str):
    spans, found = word_spans(text), windows(text)
    if len(spans) <= SIZE + 1:
        assert found == []
        return
    assert 1 <= len(found) <= MOST
    assert len(set(found)) == len(found)
    assert all(window in text for window in found)
    assert text[spans[0][1] :].startswith(found[0])
    # The last is left out only where an earlier one reads the same.
    assert any(text[: spans[-1][2]].endswith(window) for window in found)
    # A window may begin within a word elsewhere, so its words are counted at its place.
    places = {text[spans[i][1] : spans[i + SIZE - 1][2]] for i in range(len(spans) - SIZE + 1)}
    assert set(found) <= places
    assert windows(text) == found
