"""A data set among passages that mention its names."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.eval.crowded import bare, crowded
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.questions import Dataset, Question, make_dataset
from hipporag_like.types import Document

SAMPLE = load_dataset(Path(__file__).resolve().parents[2] / "eval" / "sample")

ASKED = (Question("q", "Who?", ("x",), ()),)


def small(*documents: tuple[str, str], needed: tuple[str, ...] = ()) -> Dataset:
    held = tuple(Document(text, f"d{n}", title) for n, (title, text) in enumerate(documents))
    return make_dataset("small", held, (Question("q", "Who?", ("x",), needed),))


def crowd_of(dataset: Dataset, copies: int = 1) -> list[Document]:
    return list(crowded(dataset, copies).documents[len(dataset.documents) :])


def test_own_documents_and_questions_stay_in_front():
    changed = crowded(SAMPLE)
    assert changed.documents[: len(SAMPLE.documents)] == SAMPLE.documents
    assert changed.questions == SAMPLE.questions
    assert changed.name == "sample+crowded"
    assert crowded(SAMPLE) == changed and crowded(SAMPLE, seed=1) != changed


def test_a_copy_is_about_another_thing_and_mentions_other_names():
    data = small(
        ("Ann Lee (poet)", "Ann Lee met Bob Ray in spring. Later Ann Lee's sister wrote to Bob Ray."),
        ("Bob Ray", "Bob Ray was a smith."),
        ("Cy Young Hall", "Cy Young Hall is a hall."),
    )
    copy, *_ = crowd_of(data)
    title = copy.title
    met = re.fullmatch(r"(.+) met (.+) in spring\. Later (.+)'s sister wrote to (.+)\.", copy.text)
    assert met is not None
    subject, other, again, same = met.groups()
    assert subject == again == title and "Ann Lee" not in copy.text
    assert other == same and other in {"Ann Lee", "Bob Ray", "Cy Young Hall"}


def test_the_longest_name_is_exchanged_as_one():
    data = small(("Long Hill", "Long Hill lies near Long Hill Farm."), ("Long Hill Farm", "A farm."))
    (copy,) = crowd_of(data)
    rest = copy.text.removeprefix(f"{copy.title} lies near ").removesuffix(".")
    assert rest in {"Long Hill", "Long Hill Farm"}


def test_names_that_a_question_needs_are_met_most():
    others = tuple(
        (f"Place {word}", f"Place {word} is near Gold Coin Town.") for word in ("Ab", "Cd", "Ef", "Gh")
    )
    data = small(("Gold Coin Town", "Gold Coin Town is a town."), *others, needed=("d0",))
    near = [copy.text.split(" is near ")[1] for copy in crowd_of(data, 25) if " is near " in copy.text]
    assert len(near) == 100
    assert 45 <= near.count("Gold Coin Town.") <= 75  # a half of them, and a fifth of the other half


def test_a_passage_that_does_not_say_its_title_is_not_copied():
    data = small(("Ann Lee", "She was a poet."), ("", "No title at all."), ("It", "It is a film."))
    assert crowd_of(data) == []


def test_ids_never_meet_those_that_are_there():
    document = Document("Ann Lee wrote.", "crowd:0:a", "Ann Lee")
    plain = Document("Bob Ray rode.", "a", "Bob Ray")
    changed = crowded(make_dataset("odd", (document, plain), ASKED))
    ids = [held.id for held in changed.documents]
    assert len(set(ids)) == len(ids) == 6


def test_a_title_without_its_parenthesis():
    assert [bare("Ran (film)"), bare(" Ran "), bare("(x)"), bare("A (b) c")] == ["Ran", "Ran", "", "A (b) c"]


@given(
    st.lists(st.tuples(st.text(max_size=12), st.text(max_size=40)), min_size=1, max_size=5), st.integers(0, 3)
)
def test_any_text_is_taken(pairs: list[tuple[str, str]], copies: int):
    held = tuple(Document(f"{title} {text}", f"d{n}", title) for n, (title, text) in enumerate(pairs))
    changed = crowded(make_dataset("any", held, ASKED), copies)
    assert len({document.id for document in changed.documents}) == len(changed.documents)
    assert changed.documents[: len(held)] == held
    assert len(changed.documents) <= len(held) * (1 + copies)
