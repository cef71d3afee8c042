"""Changed data sets: what each condition changes, what none may change, and that order and ids carry no score."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.config import Config, EmbedConfig
from hipporag_like.errors import InputError
from hipporag_like.eval.conditions import (
    CONDITIONS,
    lower_cased,
    renamed,
    shuffled,
    with_distractors,
    with_misspelt_names,
    without_titles,
    without_titles_in_text,
)
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.questions import Dataset, Evidence, Question, make_dataset, require_gold
from hipporag_like.rag import HippoRAG
from hipporag_like.types import Document

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    Document("Ada Ferrow built the Heron, a ferry, at Quellmouth in 1811.", "ferrow", "Ada Ferrow"),
    Document("The Heron sank off Gannet Stack with a cargo of clocks.", "heron", "The Heron"),
    Document("Gannet Stack is a rock with a lighthouse, kept by Silas Moy.", "stack", "Gannet Stack"),
    Document("Silas Moy collected knots and wrote a book on them.", "moy", "Silas Moy"),
    Document("Quellmouth is a harbour known for its rope and its rain.", "quellmouth", "Quellmouth"),
    Document("Orla Pyke keeps bees on the lighthouse and sells honey.", "pyke", "Orla Pyke"),
    Document("The museum of Brack owns one clock of the lost ferry.", "museum", "Brack Museum"),
    Document("Brack is a market town inland, proud of a crooked bridge.", "brack", "Brack"),
    Document("Goats ate the timetable of the railway twice that year.", "goats", "A Timetable"),
)
QUESTIONS = (
    Question("q1", "Who kept the light where the Heron sank?", ("Silas Moy",), ("heron", "stack"), "bridge"),
    Question("q2", "What did the keeper of Gannet Stack collect?", ("knots", "Knots"), ("stack", "moy")),
    Question("q3", "Where does Orla Pyke keep her bees?", ("on the lighthouse",), ("pyke",)),
    Question("q4", "For what is the harbour known in which Ada Ferrow worked?", (), ("ferrow", "quellmouth")),
)
TINY = make_dataset("tiny", DOCUMENTS, QUESTIONS)
OTHER = make_dataset(
    "other",
    (
        Document("Another rock altogether.", "stack", "Gannet Stack"),
        Document(DOCUMENTS[3].text, "copy", DOCUMENTS[3].title),
        Document("A kettle.", "kettle"),
    ),
    (Question("o1", "What boils?", ("A kettle",), ("kettle",)),),
)


def texts_of(dataset: Dataset) -> Counter[tuple[str, str]]:
    return Counter((document.title, document.text) for document in dataset.documents)


def ids_of(dataset: Dataset) -> list[str]:
    return [document.id for document in dataset.documents]


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    ids = draw(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6, unique=True))
    words = st.text(max_size=20)
    documents = tuple(Document(draw(words), id_, draw(words)) for id_ in ids)
    gold = st.lists(st.sampled_from(ids), max_size=3, unique=True)
    questions = tuple(
        Question(f"q{n}", draw(words), tuple(draw(st.lists(words, max_size=3))), tuple(draw(gold)))
        for n in range(draw(st.integers(1, 4)))
    )
    return make_dataset("drawn", documents, questions)


def changed_in_every_way(dataset: Dataset) -> dict[str, Dataset]:
    made = {name: condition(dataset) for name, condition in CONDITIONS.items()}
    return {**made, "with_distractors": with_distractors(dataset, OTHER)}


# Every condition


@given(datasets())
def test_gold_stays_in_the_corpus_and_the_counts_stay(dataset):
    for name, changed in changed_in_every_way(dataset).items():
        require_gold(changed)
        assert [q.id for q in changed.questions] == [q.id for q in dataset.questions], name
        assert [len(q.supporting) for q in changed.questions] == [
            len(q.supporting) for q in dataset.questions
        ], name
        assert [q.type for q in changed.questions] == [q.type for q in dataset.questions], name
        if name != "with_distractors":
            assert len(changed.documents) == len(dataset.documents), name


@given(datasets())
def test_the_same_arguments_give_the_same_data_set(dataset):
    first, second = changed_in_every_way(dataset), changed_in_every_way(dataset)
    assert first == second


def test_every_condition_changes_what_it_is_named_after():
    for name, changed in changed_in_every_way(TINY).items():
        assert changed.checksum != TINY.checksum, name
        assert changed.name.startswith(f"tiny+{name}")


def test_the_table_holds_every_condition_that_needs_only_a_data_set():
    assert {function.__name__ for function in CONDITIONS.values()} == set(CONDITIONS)
    assert "with_distractors" not in CONDITIONS


# Titles


def test_only_the_title_goes():
    changed = without_titles(TINY)
    assert [document.title for document in changed.documents] == [""] * len(DOCUMENTS)
    assert [document.text for document in changed.documents] == [document.text for document in DOCUMENTS]
    assert changed.questions == QUESTIONS


@pytest.mark.parametrize(
    ("title", "text", "left"),
    [
        ("Moth", "Moth\nAn island.", "An island."),
        ("Moth", "  Moth \r\n\r\n  An island.", "  An island."),
        (" Moth ", "Moth\n\nAn island.", "An island."),
        ("Moth (isle)", "Moth (isle)\nAn island.", "An island."),
        ("Moth", "Moth is an island.\nSmall.", "Moth is an island.\nSmall."),
        ("Moth", "Mothers\nof all.", "Mothers\nof all."),
        ("Moth", "An island.\nMoth\n", "An island.\nMoth\n"),
        ("Moth", "Moth\n", "Moth\n"),
        ("Moth", "Moth", "Moth"),
        ("", "\nAn island.", "\nAn island."),
    ],
)
def test_a_first_line_that_is_the_title_goes(title, text, left):
    dataset = make_dataset("one", (Document(text, "a", title),), QUESTIONS[2:3])
    assert without_titles(dataset).documents == (Document(text, "a"),)
    assert without_titles_in_text(dataset).documents == (Document(left, "a"),)


# Case


@given(datasets())
def test_no_capital_is_left(dataset):
    changed = lower_cased(dataset)
    read = [part for d in changed.documents for part in (d.title, d.text)]
    read += [part for q in changed.questions for part in (q.question, *q.answers)]
    assert [part.lower() for part in read] == read
    assert ids_of(changed) == ids_of(dataset)
    assert [q.supporting for q in changed.questions] == [q.supporting for q in dataset.questions]


def test_lower_case_by_hand():
    changed = lower_cased(TINY)
    assert changed.documents[1] == Document(
        "the heron sank off gannet stack with a cargo of clocks.", "heron", "the heron"
    )
    assert changed.questions[1] == replace(
        QUESTIONS[1], question="what did the keeper of gannet stack collect?", answers=("knots",)
    )


# Order and ids


@given(datasets(), st.integers(0, 5))
def test_shuffling_keeps_the_documents_and_forgets_their_order(dataset, seed):
    changed = shuffled(dataset, seed)
    assert Counter(ids_of(changed)) == Counter(ids_of(dataset))
    assert texts_of(changed) == texts_of(dataset)
    assert shuffled(changed, seed).documents == changed.documents


def test_seeds_give_different_orders():
    orders = {tuple(ids_of(shuffled(TINY, seed))) for seed in range(10)}
    assert len(orders) == 10


@given(datasets(), st.integers(0, 5))
def test_renaming_keeps_everything_but_the_ids(dataset, seed):
    changed = renamed(dataset, seed)
    assert [replace(d, id="") for d in changed.documents] == [replace(d, id="") for d in dataset.documents]
    old = dict(zip(ids_of(changed), ids_of(dataset), strict=True))
    assert len(old) == len(dataset.documents)
    assert [tuple(old[gold] for gold in q.supporting) for q in changed.questions] == [
        q.supporting for q in dataset.questions
    ]
    assert not set(ids_of(changed)) & set(ids_of(dataset))


def test_gold_without_a_document_cannot_be_renamed():
    broken = make_dataset("broken", DOCUMENTS[:1], QUESTIONS[2:3])
    with pytest.raises(InputError, match="1 supporting ids are not in the corpus of broken, first 'pyke'"):
        renamed(broken)


def rankings(folder: Path, dataset: Dataset) -> dict[tuple[str, str], list[tuple[str, float]]]:
    """Index and return by method and question the documents, best first, with their scores."""
    found = {}
    with HippoRAG(folder, config=Config(embed=EmbedConfig("hashing"))) as rag:
        assert rag.index(dataset.documents).failures == ()
        for method in ("graph", "hybrid", "bm25"):
            for question in dataset.questions:
                hits = rag.retrieve(question.question, 5, method=method)
                found[method, question.id] = [(hit.passage.document_id, hit.score) for hit in hits]
    return found


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return rankings(tmp_path_factory.mktemp("plain") / "index", TINY)


@pytest.mark.parametrize("change", [shuffled, renamed])
def test_order_and_ids_change_no_ranking(plain, change, tmp_path):
    changed = change(TINY)
    by_text = {document.text: document.id for document in DOCUMENTS}
    old = {document.id: by_text[document.text] for document in changed.documents}
    found = rankings(tmp_path / "index", changed)
    assert all(plain.values())
    for key, hits in plain.items():
        assert [old[id_] for id_, _ in found[key]] == [id_ for id_, _ in hits], key
        # Equal to the bit where this was written; sums may be ordered differently elsewhere.
        assert [score for _, score in found[key]] == pytest.approx([score for _, score in hits], abs=1e-6)


# Distractors


@given(datasets(), datasets())
def test_distractors_never_take_an_id(dataset, other):
    changed = with_distractors(dataset, other)
    own = len(dataset.documents)
    assert changed.documents[:own] == dataset.documents
    assert changed.questions == dataset.questions
    assert len(set(ids_of(changed))) == len(changed.documents)
    assert not texts_of(dataset).keys() & {(d.title, d.text) for d in changed.documents[own:]}
    again = with_distractors(changed, dataset)
    assert again.documents == changed.documents  # all of it is there already


def test_distractors_by_hand():
    changed = with_distractors(TINY, OTHER)
    assert ids_of(changed)[len(DOCUMENTS) :] == ["distractor:stack", "distractor:kettle"]
    taken = make_dataset("taken", (Document("Mine.", "distractor:kettle"),), QUESTIONS[:1])
    assert ids_of(with_distractors(taken, OTHER))[-1] == "distractor:distractor:kettle"


# Misspelt names


NAMES = st.lists(st.from_regex(r"[A-Z][a-z]{0,7}|[a-z]{1,5}|\d{4}|['-]", fullmatch=True), max_size=8)


@given(st.one_of(st.text(max_size=40), NAMES.map(" ".join)), st.integers(0, 5))
def test_a_slip_moves_letters_and_nothing_else(question, seed):
    dataset = make_dataset("one", DOCUMENTS, (Question("q", question, ("x",), ("moy",), "single"),))
    changed = with_misspelt_names(dataset, seed)
    assert changed.documents == dataset.documents
    (before,), (after,) = dataset.questions, changed.questions
    assert replace(after, question=question) == before
    moved = [i for i, (a, b) in enumerate(zip(question, after.question, strict=True)) if a != b]
    # Each slip is two neighbours that have changed places.
    assert len(moved) % 2 == 0
    for i, j in zip(moved[::2], moved[1::2], strict=True):
        assert j == i + 1
        assert after.question[i] + after.question[j] == question[j] + question[i]


@pytest.mark.parametrize(
    ("question", "allowed"),
    [
        # Which of the neighbours depends on the seed; the first letter stays, one word a name is touched.
        ("Where is Moth?", {"Where is Mtoh?", "Where is Moht?"}),
        ("Did Ida Moth row?", {"Did Ida Mtoh row?", "Did Ida Moht row?"}),
        ("Was Moth's king Ebba?", {"Was Mtoh's king Ebab?", "Was Moht's king Ebab?"}),
        ("Moth is what?", {"Moth is what?"}),  # the first word has its capital from the sentence
        ("Is Ida up?", {"Is Ida up?"}),
        ("who is moth?", {"who is moth?"}),
        ("Was it Oooo?", {"Was it Oooo?"}),
        ("", {""}),
    ],
)
def test_one_slip_a_name(question, allowed):
    dataset = make_dataset("one", DOCUMENTS, (Question("q", question, ("x",), ()),))
    found = {with_misspelt_names(dataset, seed).questions[0].question for seed in range(20)}
    assert found == allowed


# The dialogues: what the conditions are tried on besides encyclopedias


def test_the_dialogues_load_and_hold_what_they_promise():
    dataset = load_dataset(ROOT / "eval" / "other_text" / "dialogue")
    require_gold(dataset)
    texts = {document.id: document.text for document in dataset.documents}
    assert len(texts) == len(set(texts.values())) == 60
    assert Counter(q.type for q in dataset.questions) == {"single": 12, "2hop": 14, "3hop": 4}
    for document in dataset.documents:
        turns = document.text.split("\n")
        assert document.title == ""
        assert 8 <= len(turns) <= 16, document.id
        assert all(": " in turn for turn in turns), document.id
        assert 120 <= len(document.text.split()) <= 220, document.id
    for question in dataset.questions:
        assert len(question.supporting) == {"single": 1, "2hop": 2, "3hop": 3}[question.type]
        assert question.answers
        # The last dialogue of the chain is the one that answers.
        assert all(answer in texts[question.supporting[-1]] for answer in question.answers), question.id


# --- evidence -----------------------------------------------------------------------------------------


def test_evidence_moves_with_the_text_it_marks():
    """A title line goes, letters change, ids change: each span still reads what it marked, or is gone."""
    text = "Heron\nThe HERON sank. It was late."
    spans = (
        Evidence("d", 0, "Heron"),
        Evidence("d", 6, "The HERON sank."),
        Evidence("d", 22, "It was late."),
    )
    question = Question("q", "What sank?", ("Heron",), ("d",), evidence=spans)
    dataset = make_dataset("one", (Document(id="d", title="Heron", text=text),), (question,))

    def marked(changed):
        texts = {document.id: document.text for document in changed.documents}
        evidence = changed.questions[0].evidence
        assert all(texts[e.document_id][e.start : e.end] == e.text for e in evidence)
        return [e.text for e in evidence]

    everything = [span.text for span in spans]
    for name, condition in CONDITIONS.items():
        expected = {
            "without_titles_in_text": everything[1:],
            "lower_cased": [words.lower() for words in everything],
        }
        assert marked(condition(dataset)) == expected.get(name, everything), name
