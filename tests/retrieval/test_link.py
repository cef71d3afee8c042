"""From a question to seeds: which names are found, how, and how heavy they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from hipporag_like.indexing.index import Segment
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.rag import HippoRAG
from hipporag_like.retrieval.dense import nearest
from hipporag_like.retrieval.link import FACT_SHARE, Linked, link, specificity
from hipporag_like.types import Document, Seed

EMBEDDER = HashingEmbedder()


def segment_of(rag: HippoRAG) -> Segment:
    return rag._parts.index().segments["default"]


def linked_to(rag: HippoRAG, question: str) -> Linked:
    vector = EMBEDDER.embed([question])[0]
    return link(segment_of(rag), question, vector, lambda name: EMBEDDER.embed([name])[0])


def named(linked: Linked) -> list[tuple[str, str, str]]:
    return sorted((s.entity, s.source, s.matched) for s in linked.seeds if s.source != "fact")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Where was the director of Jaws born?", [("Jaws", "ngram", "Jaws")]),
        ("Jaws's director?", [("Jaws", "ngram", "Jaws")]),
        ("Who is Steven Spielberg's father?", [("Steven Spielberg", "ngram", "Steven Spielberg")]),
        ("Did Alien (film) win?", [("Alien (film)", "ngram", "Alien (film")]),
        ("Who designed C++?", [("C++", "ngram", "C++")]),
        ("What happened in 1975 and 1982?", [("1975", "ngram", "1975"), ("1982", "ngram", "1982")]),
        ("RIVER TYNE or Ohio?", [("Ohio", "ngram", "Ohio"), ("River Tyne", "ngram", "RIVER TYNE")]),
    ],
)
def test_names_in_the_question(films: HippoRAG, question: str, expected: list[tuple[str, str, str]]):
    assert named(linked_to(films, question)) == expected


def test_the_longest_name_wins(films: HippoRAG):
    assert "Ohio" in segment_of(films).entity_names
    assert [name for name, _, _ in named(linked_to(films, "Where does the Ohio River end?"))] == [
        "Ohio River"
    ]
    assert [name for name, _, _ in named(linked_to(films, "Where is Ohio?"))] == ["Ohio"]


def test_a_single_word_in_small_letters_is_no_name_beside_capitals(films: HippoRAG):
    assert named(linked_to(films, "Did Ridley Scott eat an orange?")) == [
        ("Ridley Scott", "ngram", "Ridley Scott")
    ]
    assert named(linked_to(films, "Did Ridley Scott eat the Orange?"))[0] == ("Orange", "ngram", "the Orange")
    assert ("Orange", "ngram", "Orange") in named(linked_to(films, "Did Ridley Scott live in Orange?"))


def test_several_words_are_a_name_in_small_letters_too(films: HippoRAG):
    assert named(linked_to(films, "Is south shields on the Tyne?"))[0] == (
        "South Shields",
        "ngram",
        "south shields",
    )


def test_a_question_without_capitals_names_what_is_rare(films: HippoRAG, make_rag: Callable[..., HippoRAG]):
    assert named(linked_to(films, "who directed jaws")) == [("Jaws", "ngram", "jaws")]
    # "Grace" stands in six of ten passages: more than the five that always count as rare.
    texts = [
        f"Anna met Grace number {i} in Oslo{i}." if i < 6 else f"Nothing happened to Otto{i}."
        for i in range(10)
    ]
    rag = make_rag(texts)
    assert "Grace" in segment_of(rag).entity_names
    assert "Grace" not in [name for name, _, _ in named(linked_to(rag, "what about grace or otto7"))]
    assert "Otto7" in [name for name, _, _ in named(linked_to(rag, "what about grace or otto7"))]


@pytest.mark.parametrize(
    ("question", "entity", "matched"),
    [
        ("Films by Steven Speilberg?", "Steven Spielberg", "Steven Speilberg"),
        ("Who is Sigorney Weaver?", "Sigourney Weaver", "Sigorney Weaver"),
        ("Where is Cincinatti?", "Cincinnati", "Cincinatti"),
    ],
)
def test_a_misspelt_name_is_found_by_its_letters(films: HippoRAG, question: str, entity: str, matched: str):
    assert named(linked_to(films, question)) == [(entity, "fuzzy", matched)]


def test_a_misspelt_name_weighs_less_than_the_right_one(films: HippoRAG):
    linked = linked_to(films, "Was Roy Scheider or Steven Speilberg taller?")
    weight = {seed.entity: seed.weight for seed in linked.seeds}
    segment = segment_of(films)
    row = {name: i for i, name in enumerate(segment.entity_names)}
    spelling = weight["Steven Spielberg"] / specificity(segment, row["Steven Spielberg"])
    assert spelling < weight["Roy Scheider"] / specificity(segment, row["Roy Scheider"])


def test_an_unlike_name_is_not_forced_on_anything(films: HippoRAG):
    assert named(linked_to(films, "Who is Zbigniew Kwiatkowski?")) == []


def test_a_name_of_other_letters_is_found_by_its_vector(films: HippoRAG):
    segment = segment_of(films)
    row = list(segment.entity_names).index("Columbia University")
    vector = segment.array("entity_vectors")[row]
    question = "Who taught at the Alma Mater?"
    linked = link(segment, question, EMBEDDER.embed([question])[0], lambda name: {"Alma Mater": vector}[name])
    assert named(linked) == [("Columbia University", "embedding", "Alma Mater")]
    assert linked.entities[linked.named].tolist() == []  # near in meaning is not what the question says


def test_the_question_names_what_it_spells_and_no_entity_of_a_near_fact(films: HippoRAG):
    question = "Was Steven Speilberg, born in Cincinnati in 1946, the director of Jaws?"
    linked = linked_to(films, question)
    assert "fact" in {seed.source for seed in linked.seeds}
    names = segment_of(films).entity_names
    assert [names[e] for e in linked.entities[linked.named].tolist()] == sorted(
        seed.entity for seed in linked.seeds if seed.source in ("ngram", "fuzzy")
    )
    assert {"Jaws", "Steven Spielberg", "Cincinnati"} <= {
        names[e] for e in linked.entities[linked.named].tolist()
    }


def test_names_found_are_not_looked_up_by_vector(films: HippoRAG):
    question = "Was Jaws filmed in Ohio?"

    def never(name: str) -> np.ndarray:
        raise AssertionError(name)

    assert len(link(segment_of(films), question, EMBEDDER.embed([question])[0], never).seeds) >= 2


def test_seeds_are_a_distribution_with_a_tenth_from_facts(films: HippoRAG):
    linked = linked_to(films, "Where was the director of Jaws born?")
    names = list(segment_of(films).entity_names)
    assert linked.mass.sum() == pytest.approx(1.0)
    assert np.all(np.diff(linked.entities) > 0)
    assert {names[e]: m for e, m in zip(linked.entities.tolist(), linked.mass.tolist(), strict=True)} == {
        s.entity: s.weight for s in linked.seeds
    }
    weights = [s.weight for s in linked.seeds]
    assert weights == sorted(weights, reverse=True)
    from_facts = {s.entity: s for s in linked.seeds if s.source == "fact"}
    assert from_facts
    assert all(" " in s.matched for s in from_facts.values())
    # Jaws itself may stand in the facts too, so the others have at most the tenth.
    assert 0 < sum(s.weight for s in from_facts.values()) <= FACT_SHARE + 1e-9


def test_a_question_without_names_starts_from_facts_alone(films: HippoRAG):
    linked = linked_to(films, "a coastal town at the mouth of which river")
    assert {s.source for s in linked.seeds} == {"fact"}
    assert sum(s.weight for s in linked.seeds) == pytest.approx(1.0)
    assert "South Shields" in [s.entity for s in linked.seeds]


@pytest.mark.parametrize("question", ["what is it like?", "xyzzy plugh", "🙂?", "?"])
def test_nothing_found_is_no_seeds(films: HippoRAG, question: str):
    linked = linked_to(films, question)
    assert linked.seeds == ()
    assert (len(linked.entities), len(linked.mass)) == (0, 0)


@pytest.mark.parametrize("question", ["ـ", "The", "ﷺ", "the", "C# #", "'s"])
def test_odd_questions_name_nothing(films: HippoRAG, question: str):
    assert named(linked_to(films, question)) == []


def test_rare_entities_weigh_more(films: HippoRAG):
    segment = segment_of(films)
    row = {name: i for i, name in enumerate(segment.entity_names)}
    passages = segment.array("entity_passages")
    assert passages[row["Steven Spielberg"]] == 3
    n = segment.n_passages
    assert specificity(segment, row["Steven Spielberg"]) == pytest.approx(np.log1p(n / 3) / np.sqrt(3))
    assert specificity(segment, row["Brody"]) == pytest.approx(np.log1p(n))


CHINESE = (
    ("毛泽东", "毛泽东出生于湖南韶山。"),
    ("韶山", "韶山是湖南省的一座城市。"),
    ("上海", "上海是最大的城市。"),
)
RUSSIAN = ("Пётр Чайковский", "Пётр Чайковский родился в Воткинске."), ("Рига", "Рига — столица Латвии.")
ARABIC = ("مُحَمَّد عبده", "وُلِدَ محمد عبده في محلة نصر."), ("بيروت", "بيروت عاصمة لبنان.")
HINDI = ("प्रेमचंद", "प्रेमचंद का जन्म लमही में हुआ।"), ("दिल्ली", "दिल्ली भारत की राजधानी है।")
KOREAN = ("이순신", "이순신 은 서울 에서 태어났다."), ("부산", "부산 은 항구 도시 다.")
JAPANESE = ("東京タワー", "東京タワーは港区にある。"), ("京都", "京都は古い都です。")
TURKISH = ("İzmir", "İzmir Ege kıyısında bir kenttir."), ("Ankara", "Ankara Türkiye'nin başkentidir.")


@pytest.mark.parametrize(
    ("corpus", "question", "entity"),
    [
        (CHINESE, "毛泽东在哪里出生?", "毛泽东"),
        (CHINESE, "韶山在哪里", "韶山"),
        (RUSSIAN, "Где родился Пётр Чайковский?", "Пётр Чайковский"),
        (RUSSIAN, "где родился петр чайковский", "Пётр Чайковский"),
        (RUSSIAN, "Где родился Пётр Чайкофский?", "Пётр Чайковский"),
        (ARABIC, "أين ولد محمد عبده؟", "مُحَمَّد عبده"),
        (ARABIC, "أين تقع بَيْرُوت؟", "بيروت"),
        (HINDI, "प्रेमचंद का जन्म कहाँ हुआ?", "प्रेमचंद"),
        (KOREAN, "이순신 은 어디서 태어났나?", "이순신"),
        (JAPANESE, "東京タワーはどこですか?", "東京タワー"),
        (TURKISH, "İZMİR nerede?", "İzmir"),
        (TURKISH, "Izmir nerede?", "İzmir"),
    ],
)
def test_names_of_any_script(
    make_rag: Callable[..., HippoRAG], corpus: Sequence[tuple[str, str]], question: str, entity: str
):
    rag = make_rag([Document(text, title, title) for title, text in corpus])
    trace = rag.explain(question)
    best: Seed = trace.seeds[0]
    assert (best.entity, best.source) == (entity, "fuzzy" if "Чайкофский" in question else "ngram")
    assert trace.hits[0].passage.title == entity


def test_nearest_is_exact_and_ordered():
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(50, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[7] = vectors[3]
    rows, cosines = nearest(vectors, vectors[3], 10)
    expected = vectors @ vectors[3]
    assert rows[:2].tolist() == [3, 7]
    assert set(rows.tolist()) == set(np.argsort(-expected, kind="stable")[:10].tolist())
    assert cosines == pytest.approx(expected[rows], abs=1e-5)
    assert len(nearest(vectors, vectors[3], 99)[0]) == 50
    assert len(nearest(vectors[:0], vectors[3], 5)[0]) == 0
