"""What is counted adds up and comes off again; what follows from the counts, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.config import ExtractConfig
from hipporag_like.indexing import census as columns
from hipporag_like.indexing.census import Census, count
from hipporag_like.indexing.context import Context
from hipporag_like.indexing.passes import Batch, census_of_batches, context_of
from hipporag_like.indexing.state import census_arrays
from hipporag_like.indexing.surfaces import Surfaces, title_forms
from hipporag_like.models.rules import RulesExtractor
from hipporag_like.sentences import sentence_spans
from hipporag_like.types import Extraction, Mention, Passage, Triple

WORDS = (
    "Anna Berg",
    "Anna",
    "berg",
    "the",
    "Wings",
    "wings",
    "Next",
    "next",
    "It",
    "1911",
    "北京",
    "I've",
    "New York",
)
RULES = RulesExtractor()


@st.composite
def passages(draw: st.DrawFn) -> list[tuple[str, str]]:
    text = st.lists(st.sampled_from([*WORDS, ".", "and"]), max_size=12).map(" ".join)
    return draw(st.lists(st.tuples(st.sampled_from(["", "Wings (band)", "Anna Berg"]), text), max_size=5))


def counted(rows: Sequence[tuple[str, str]], extractions: Sequence[Extraction] | None = None) -> Census:
    made = [Passage(f"{i}#0", str(i), text, 0, len(text), title) for i, (title, text) in enumerate(rows)]
    found = list(RULES.extract(made)) if extractions is None else list(extractions)
    return count(made, found, Surfaces())


def as_bytes(census: Census) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in census_arrays(census)}


@settings(max_examples=60, deadline=None)  # the first example imports spaCy
@given(passages(), passages())
def test_what_is_added_comes_off_again(one: list[tuple[str, str]], other: list[tuple[str, str]]):
    both = counted(one)
    both.add(counted(other))
    assert as_bytes(both) == as_bytes(counted([*one, *other])) == as_bytes(counted([*other, *one]))
    both.add(counted(other), -1)
    assert as_bytes(both) == as_bytes(counted(one))
    both.add(counted(one), -1)
    assert as_bytes(both) == as_bytes(Census())


def extraction(text: str, *names: str, kind: str = "name", triples: Sequence[Triple] = ()) -> Extraction:
    found = tuple(
        Mention(at, at + len(name), kind)  # type: ignore[arg-type]
        for name in names
        for at in range(len(text))
        if text.startswith(name, at)
    )
    return Extraction(tuple(sentence_spans(text)), found, triples=tuple(triples))


def row(census: Census, key: str) -> list[int]:
    return census.keys.counts[census.keys.names[key]].tolist()


def test_keys_by_hand():
    """Passages, as term, inner places, as term, places as name, titles, ends of triples."""
    texts = ("Anna Berg met Anna Berg. Wings fly.", "so heart failure is.", "she wrote it")
    census = counted(
        [("Wings (band)", texts[0]), ("", texts[1]), ("", texts[2])],
        [
            extraction(texts[0], "Anna Berg", "Wings"),
            extraction(texts[1], "heart failure", kind="term"),
            extraction(texts[2], triples=[Triple("Otto", "wrote", "it")]),
        ],
    )
    assert row(census, "anna berg") == [
        1,
        0,
        1,
        0,
        2,
        0,
        0,
    ]  # the first opens a sentence, and is several words
    assert row(census, "wings") == [1, 0, 1, 0, 1, 1, 0]  # of one word an opening says as much
    assert row(census, "wings band") == [0, 0, 0, 0, 0, 1, 0]
    assert row(census, "heart failure") == [1, 1, 1, 1, 0, 0, 0]
    assert row(census, "otto") == [0, 0, 0, 0, 0, 0, 1]
    assert (census.passages, census.cased, census.sentences, census.triples) == (3, 1, 4, 1)
    words = dict(zip(census.words.names, census.words.counts.tolist(), strict=True))
    assert words["berg"] == [2, 0, 1]
    assert words["anna"] == [1, 0, 1]  # the one that opens a sentence says nothing
    assert words["heart"] == [0, 1, 1]


def test_ends_of_triples_count_where_nothing_else_is_found():
    text = "Anna wrote it"
    triples = [Triple("Anna", "wrote", "it")]
    with_names = counted([("", text)], [extraction(text, "Anna", triples=triples)])
    assert row(with_names, "anna")[columns.ENDS] == 0
    assert row(counted([("", text)], [extraction(text, triples=triples)]), "anna")[columns.ENDS] == 1


def test_forms_of_titles():
    assert title_forms("") == ()
    assert title_forms("Up") == ("Up",)
    assert title_forms("Up (film)") == ("Up (film)", "Up ")
    assert title_forms("(film)") == ("(film)",)
    assert title_forms("Up (...)") == ("Up (...)",)


# What follows


def context(*texts: str, titles: Sequence[str] = (), names: Sequence[str] = (), **options: Any) -> Context:
    rows = [("", text) for text in texts] + [(title, "") for title in titles]
    return Context(counted(rows, [extraction(text, *names) for _, text in rows]), **options)


def sought(found: Context) -> dict[str, bool]:
    """What is found again in texts that hold every word."""
    words = sorted({word for key in found.keys.texts for word in key.split(" ")})
    grams = found.grams(words)
    for at, key in enumerate(grams.key.tolist()):
        held = grams.words[grams.starts[at] : grams.starts[at + 1]].tolist()
        assert " ".join(words[word] for word in held) == found.keys.texts[key]
    return {found.keys.texts[k]: c for k, c in zip(grams.key.tolist(), grams.any_case.tolist(), strict=True)}


def test_a_single_word_mostly_in_small_letters_is_common():
    found = context("We saw Wings. So wings, wings.", "We saw Apollo; an apollo.", names=["Wings", "Apollo"])
    assert found.is_common("wings")
    assert not found.is_common("apollo")  # as often with a capital
    assert not found.is_common("wings apollo")
    assert not found.is_common("unheard")
    assert found.n_names == 1  # of Apollo
    assert not found.known[found.keys["wings"]]
    assert found.known[found.keys["apollo"]]


@pytest.mark.parametrize(("small", "cased"), [(4, True), (5, False)])
def test_capitals_count_where_a_fifth_of_the_passages_has_some(small: int, cased: bool):
    found = context("We saw Wings.", *["the wings."] * small, names=["Wings"])
    assert (found.cased, found.is_common("wings")) == (cased, cased)


def test_a_name_in_two_passages_is_repeated():
    found = context(
        "We met Anna Berg, Otto Lind, Otto Lind.", "As Anna Berg.", names=["Anna Berg", "Otto Lind"]
    )
    assert found.repeated[found.keys["anna berg"]]
    assert not found.repeated[found.keys["otto lind"]]
    assert sought(found) == {"anna berg": False}


def test_what_is_sought_and_whether_it_needs_a_capital():
    titles = ("Blue Lagoon", "Wings", "Up (film)", "It", "The Who", "北京", "1984")
    found = context("We saw Wings.", "No.", titles=titles)
    assert sought(found) == {
        "blue lagoon": False,
        "wings": False,
        "up film": False,
        "1984": True,  # has no capital
        "北 京": False,
    }


def test_without_capitals_rare_words_are_sought_as_they_are():
    texts = ["see wings"] * 5 + ["lake como"] * 6
    found = context(*texts, titles=["wings", "como"])
    assert not found.cased
    assert sought(found) == {"wings": True, "como": False}


def test_terms_are_sought_in_any_case_and_come_before_names():
    found = context("aspirin.", titles=["Aspirin"], terms=["aspirin", "heart failure"])
    assert sought(found) == {"aspirin": True, "heart failure": True}
    assert sought(context("x", titles=["Aspirin"], terms=["aspirin"], gazetteer=False)) == {"aspirin": True}
    assert sought(context("x", titles=["Aspirin"], gazetteer=False)) == {}


@pytest.mark.parametrize(("passages_with", "rare"), [(5, True), (6, False)])
def test_a_word_is_rare_in_five_passages(passages_with: int, rare: bool):
    found = context(*["We met Anna."] * passages_with)
    assert (found.is_rare("anna"), found.is_rare("unheard")) == (rare, True)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("so next.", 0),  # once may be a slip
        ("next next.", 2),  # of what opens a sentence only capitals say nothing
        ("Next, next, next.", 2),
        ("so next, next.", 2),
        ("so next, next, Next.", 0),
        (f"so {'next ' * 19}Next.", 0),
        (f"so {'next ' * 20}Next.", 20),
    ],
)
def test_how_often_a_word_is_written_small(text: str, times: int):
    found = context(text)
    assert found.times_small("next") == times
    assert found.times_small("unheard") == 0


def test_the_census_may_go_on_counting():
    census = counted([("Wings", "We saw Wings.")])
    before = Context(census)
    census.add(counted([("Up (film)", "so wings, wings, wings and wings."), ("", "Wings!")]))
    assert not before.is_common("wings")
    assert before.n_passages == 1
    assert Context(census).is_common("wings")


def test_terms_are_mined_where_names_are_few():
    texts = (
        "patients with heart failure received beta blockers. the heart failure was severe in some.",
        "beta blockers lower the risk of heart failure. chronic kidney disease is a risk.",
        "metformin was given to some; chronic kidney disease was treated with metformin.",
    )
    made = [Passage(f"{i}#0", str(i), text, 0, len(text)) for i, text in enumerate(texts)]
    batch = Batch(made, [extraction(text) for text in texts], ["{}"] * 3, ["s"] * 3)

    def batches() -> Any:
        yield batch

    census = census_of_batches(batches, Surfaces())
    found = context_of(census, batches, ExtractConfig())
    assert sorted(found.keys.texts[key] for key in found.terms) == [
        "beta blockers",
        "chronic kidney disease",
        "heart failure",
    ]
    assert context_of(census, batches, ExtractConfig(mine_terms=False)).terms == []
