"""Terms in small letters, mined by statistics."""

from __future__ import annotations

import random

from hipporag_like.indexing.terms import mine_terms
from hipporag_like.indexing.vocabulary import read_tokens
from hipporag_like.sentences import sentence_spans
from hipporag_like.types import Extraction, Passage

MEDICINE = [
    "patients with heart failure received beta blockers. the heart failure was severe in some.",
    "beta blockers lower the risk of heart failure. chronic kidney disease is a risk.",
    "metformin was given to some; chronic kidney disease was treated with metformin.",
]
CODE = [
    "alice: the build fails with a segmentation fault in the garbage collector",
    "bob: the garbage collector runs twice. use the memory profiler",
    "carol: a memory profiler shows the segmentation fault is from the cache",
]


def mined(texts: list[str], n_names: int = 0) -> list[str]:
    """Return the mined terms, sorted."""
    passages = [Passage(f"d{i}#0", f"d{i}", text, 0, len(text)) for i, text in enumerate(texts)]
    tokens = read_tokens(passages, [Extraction(sentences=tuple(sentence_spans(t))) for t in texts])
    return sorted(" ".join(tokens.words[w] for w in gram) for gram in mine_terms(tokens, n_names))


def test_medical_terms() -> None:
    assert mined(MEDICINE) == ["beta blockers", "chronic kidney disease", "heart failure"]


def test_terms_of_a_chat_about_code() -> None:
    assert mined(CODE) == ["garbage collector", "memory profiler", "segmentation fault"]


def test_words_of_an_unspaced_script() -> None:
    texts = [
        "我在家学习计算机科学。",
        "她研究机器学习，机器学习很难。",
        "计算机科学很有用。",
        "我们用机器学习分析。",
    ]
    assert {"计 算 机 科 学", "机 器 学 习"} <= set(mined(texts))


def test_verbs_are_no_part_of_terms() -> None:
    texts = [
        "the film was directed by him and the story revolves around a bank robbery.",
        "it was directed by her, and the story revolves around the bank robbery.",
        "a play of a bank robbery was directed and it revolves quickly.",
    ]
    assert mined(texts) == ["bank robbery", "story"]


def test_a_mark_ends_a_term() -> None:
    assert "dog cat" in mined(["a red dog cat here", "the dog cat there", "his dog cat"])
    assert "dog cat" not in mined(["a red dog, cat here", "the dog, cat there", "his dog, cat"])


def test_capitalised_names_are_no_terms() -> None:
    texts = ["the firm Acme Widgets grew.", "we like Acme Widgets here.", "so Acme Widgets it is."]
    assert mined(texts) == []


def test_names_leave_room_for_terms_or_not() -> None:
    assert mined(MEDICINE, n_names=100) == []
    some = mined(MEDICINE, n_names=8)
    assert set(some) < set(mined(MEDICINE))
    assert some == ["heart failure"]  # the strongest


def test_what_occurs_in_one_passage_only_ties_nothing() -> None:
    assert (
        mined(["the heart failure is a heart failure of the heart failure", "nothing else", "at all"]) == []
    )


def test_the_order_of_passages_does_not_matter() -> None:
    texts = [*MEDICINE, *CODE]
    for seed in range(5):
        mixed = texts[:]
        random.Random(seed).shuffle(mixed)
        assert mined(mixed) == mined(texts)


def test_nothing_in_gives_nothing_out() -> None:
    assert mined([]) == []
    assert mined(["", " "]) == []
