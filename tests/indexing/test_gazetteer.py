"""Known names found again in running text."""

from __future__ import annotations

import numpy as np
import pytest

from hipporag_like.indexing import census as columns
from hipporag_like.indexing.census import count
from hipporag_like.indexing.context import Context
from hipporag_like.indexing.gazetteer import Gazetteer
from hipporag_like.indexing.surfaces import Surfaces
from hipporag_like.indexing.vocabulary import read_tokens
from hipporag_like.sentences import sentence_spans
from hipporag_like.types import Extraction, Passage


def matches(
    texts: list[str], names: list[str], terms: tuple[str, ...] = (), cased: bool = True
) -> list[tuple[int, str]]:
    """Return (passage, surface) of everything found; the names are keys that the corpus knows as titles."""
    passages = [Passage(f"d{i}#0", f"d{i}", text, 0, len(text)) for i, text in enumerate(texts)]
    extractions = [Extraction(sentences=tuple(sentence_spans(text))) for text in texts]
    census = count(passages, extractions, Surfaces())
    census.cased = census.passages if cased else 0
    titled = np.zeros((len(names), 7), np.int64)
    titled[:, columns.TITLES] = 1
    census.keys.add(names, titled)
    spans = Gazetteer(Context(census, terms)).find(read_tokens(passages, extractions))
    rows = zip(spans.passage.tolist(), spans.start.tolist(), spans.end.tolist(), strict=True)
    return [(p, texts[p][a:b]) for p, a, b in rows]


def test_the_longest_name_wins_and_matches_do_not_overlap() -> None:
    assert matches(["He left New York City for York."], ["new york", "new york city", "york"]) == [
        (0, "New York City"),
        (0, "York"),
    ]


def test_a_shorter_name_is_found_where_the_longer_one_breaks_off() -> None:
    assert matches(["He left New York by car."], ["new york city", "new york"]) == [(0, "New York")]


def test_names_are_found_whatever_the_case_and_accents() -> None:
    assert matches(["the old man met MÜLLER hans"], ["old man", "muller hans"]) == [
        (0, "old man"),
        (0, "MÜLLER hans"),
    ]


def test_one_word_names_need_a_capital() -> None:
    assert matches(["Wings: he has wings. They saw Wings."], ["wings"]) == [(0, "Wings"), (0, "Wings")]


def test_without_capitals_a_rare_one_word_name_is_found_and_a_frequent_one_is_not() -> None:
    texts = ["see wings"] * 3 + ["go up"] * 8
    assert matches(texts, ["wings", "up"], cased=False) == [(0, "wings"), (1, "wings"), (2, "wings")]


def test_terms_match_in_any_case() -> None:
    assert matches(["Aspirin helps; aspirin is cheap."], [], ("aspirin",)) == [(0, "Aspirin"), (0, "aspirin")]


def test_no_match_crosses_a_sentence_or_a_passage() -> None:
    assert matches(["He saw New. York fell.", "It is New", "York is old"], ["new york"]) == []


def test_function_words_are_no_names() -> None:
    assert matches(["This is The One or It."], ["it", "the one"]) == []


def test_a_name_in_a_script_without_spaces_is_found_in_running_text() -> None:
    assert matches(["我在北京大学学习。", "他毕业于北京大学"], ["北 京 大 学"]) == [
        (0, "北京大学"),
        (1, "北京大学"),
    ]


def test_an_empty_corpus_holds_nothing() -> None:
    assert matches([], ["a b"]) == []
    assert matches(["", "..."], ["a b"]) == []


def test_texts_that_were_not_counted_are_refused() -> None:
    """Their words have no numbers, and would be taken for others."""
    text = "Anna met Otto."
    counted = count([Passage("a#0", "a", "Anna", 0, 4)], [Extraction(((0, 4),))], Surfaces())
    passages = [Passage("b#0", "b", text, 0, len(text))]
    tokens = read_tokens(passages, [Extraction(((0, len(text)),))])
    with pytest.raises(ValueError, match="not counted"):
        Gazetteer(Context(counted)).find(tokens)
