"""One question end to end: hits, signals, fallbacks, filters, namespaces, and nothing left to chance."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

import pytest

from hipporag_like.config import METHODS, SearchConfig
from hipporag_like.rag import HippoRAG
from hipporag_like.retrieval import gather as gather_module
from hipporag_like.retrieval import push as push_engine
from hipporag_like.retrieval.fuse import FACT_POWER, HYBRID_WEIGHTS, WEIGHTS, passage_mass
from hipporag_like.types import Document, Hit, Trace

MakeRAG = Callable[..., HippoRAG]
JAWS = "Where was the director of Jaws born?"
QUESTIONS = (
    JAWS,
    "who designed c++",
    "Which town lies on the River Tyne?",
    "what is it like?",
    "Ridley Scot",
)


def without_seconds(trace: Trace) -> str:
    values = asdict(trace)
    del values["seconds"]
    return json.dumps(values, sort_keys=True)


def shape(hits: Sequence[Hit]) -> list[tuple[str, float]]:
    return [(hit.passage.text, hit.score) for hit in hits]


@pytest.fixture
def fixed(films: HippoRAG) -> Iterator[HippoRAG]:
    """The same index, searched by fixed weights alone."""
    with HippoRAG(films.path, config=replace(films.config, search=SearchConfig(fusion="weights"))) as rag:
        yield rag


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_ranks_scores_and_signals(films: HippoRAG, question: str, method: str):
    hits = films.retrieve(question, k=6, method=method)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert len({hit.passage.id for hit in hits}) == len(hits) <= 6
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    for hit in hits:
        assert sum(hit.signals.values()) == pytest.approx(hit.score)
        assert set(hit.signals) <= {*WEIGHTS, "learned"}
        assert ("learned" in hit.signals) == (set(WEIGHTS) <= set(hit.signals))
        assert min(hit.signals.values()) >= 0 or method == "dense"  # which shows its cosines


def test_each_method_shows_its_own_signals(films: HippoRAG):
    def names(method: str) -> set[str]:
        return {name for hit in films.retrieve(JAWS, method=method) for name in hit.signals}

    assert names("graph") == {"graph", "onward", "incoming", "dense", "bm25", "learned"}
    assert names("hybrid") == {"dense", "bm25"}
    assert names("dense") == {"dense"}
    assert names("bm25") == {"bm25"}


def test_a_second_hop_is_found(films: HippoRAG):
    hits = films.retrieve(JAWS, k=3)
    assert {"jaws", "spielberg"} <= {hit.passage.document_id for hit in hits}
    assert hits[0].signals["graph"] > 0


def test_without_the_learned_fusion_there_is_no_such_signal(fixed: HippoRAG):
    assert all(set(hit.signals) == set(WEIGHTS) for hit in fixed.retrieve(JAWS, k=50))


def test_the_best_of_each_signal_has_its_whole_weight(fixed: HippoRAG):
    trace = fixed.explain(JAWS, k=50)
    plain = trace.walk["plain_share"]
    # Jaws is in one of twelve passages, so r = 1; eleven have a title: 1 - 1 * (1 - 0.5 / 12).
    assert plain == pytest.approx(0.5 / 12)
    for name, weight in WEIGHTS.items():
        whole = (1 - plain) * weight + plain * HYBRID_WEIGHTS.get(name, 0.0)
        assert max(hit.signals[name] for hit in trace.hits) == pytest.approx(whole)
    by_name = {hit.passage.document_id: hit.signals for hit in trace.hits}
    assert by_name["jaws"]["incoming"] == pytest.approx((1 - plain) * WEIGHTS["incoming"])  # is named
    assert by_name["river"]["incoming"] == pytest.approx((1 - plain) * WEIGHTS["incoming"] / 2)  # no title
    assert by_name["stroustrup"]["incoming"] < by_name["spielberg"]["incoming"]
    # A seed that only a fact near the question mentions is not named.
    assert "Aarhus" in {seed.entity for seed in trace.seeds if seed.source == "fact"}
    assert by_name["aarhus"]["incoming"] < by_name["river"]["incoming"]


def test_the_second_walk_starts_where_the_first_arrived(fixed: HippoRAG):
    def values(name: str) -> dict[str, float]:
        return {hit.passage.document_id: hit.signals[name] / WEIGHTS[name] for hit in trace.hits}

    trace = fixed.explain(JAWS, k=50)
    first, second = values("graph"), values("onward")
    # Through Spielberg and Scheider on to Cincinnati, all nearer now that Jaws itself is no start any more.
    for name in ("spielberg", "scheider", "cincinnati"):
        assert 0 < first[name] < second[name]
    # The first walk also started, a little, from what facts near the question mention; nothing came of it.
    assert {"South Shields", "Aarhus"} <= {seed.entity for seed in trace.seeds if seed.source == "fact"}
    for name in ("shields", "aarhus"):
        assert first[name] > 0 == second[name]


def test_the_length_of_a_passage_counts_in_the_first_walk_only(
    films: HippoRAG, monkeypatch: pytest.MonkeyPatch
):
    powers: list[float] = []

    def note(facts: Any, mass: Any, fact_passage: Any, passage_facts: Any, power: float) -> Any:
        powers.append(power)
        return passage_mass(facts, mass, fact_passage, passage_facts, power)

    monkeypatch.setattr(gather_module, "passage_mass", note)
    films.retrieve(JAWS)
    assert powers == [FACT_POWER, 0.0]


def test_without_titles_more_goes_to_plain_similarity(make_rag: MakeRAG, film_list: list[Document]):
    search = SearchConfig(fusion="weights")
    bare = make_rag([replace(document, title="") for document in film_list], search=search)
    trace = bare.explain("Where was Steven Spielberg born?", k=50)
    assert trace.walk["plain_share"] > 0.5
    assert all(0 <= trace.walk["plain_share"] < 1 for trace in map(bare.explain, QUESTIONS) if trace.walk)
    assert max(hit.signals["dense"] for hit in trace.hits) > 0.25
    # No passage has a title, so the signal prefers none of those it looks at.
    assert len({hit.signals["incoming"] for hit in trace.hits} - {0.0}) == 1


def test_hits_are_exact_slices_with_their_fields(films: HippoRAG, film_list: list[Document]):
    documents = {document.id: document for document in film_list}
    for hit in films.retrieve(JAWS, k=50):
        passage, document = hit.passage, documents[hit.passage.document_id]
        assert document.text[passage.start : passage.end] == passage.text
        assert (passage.title, passage.metadata) == (document.title, document.metadata)
        assert passage.id == f"{document.id}#0"
        assert passage.namespace == "default"


@pytest.mark.parametrize("question", ["what is it like?", "xyzzy plugh"])
def test_nothing_in_the_graph_is_said_and_hybrid_answers(films: HippoRAG, question: str):
    trace = films.explain(question)
    assert (trace.outcome, trace.requested_method, trace.method) == ("no_seeds", "graph", "hybrid")
    assert "hybrid" in trace.note
    assert trace.seeds == ()
    assert shape(trace.hits) == shape(films.retrieve(question, method="hybrid"))
    assert len(trace.hits) == 5
    assert all(hit.path == () for hit in trace.hits)


def test_a_good_answer_has_no_note_and_tells_what_was_done(films: HippoRAG):
    trace = films.explain(JAWS)
    assert (trace.outcome, trace.method, trace.note) == ("ok", "graph", "")
    assert trace.walk["pushes"] > 0
    assert 0 <= trace.walk["residual"] < 0.01
    assert 0 < trace.walk["touched"]
    assert set(trace.walk) == {"pushes", "touched", "residual", "plain_share"}
    assert {"filter", "dense", "bm25", "link", "walk", "incoming", "fuse"} == set(trace.seconds)
    assert min(trace.seconds.values()) >= 0
    assert trace.facts
    scores = [fact.score for fact in trace.facts]
    assert scores == sorted(scores, reverse=True)
    assert all(-1.001 <= fact.similarity <= 1.001 for fact in trace.facts)


@pytest.mark.parametrize("question", QUESTIONS)
def test_two_runs_give_the_same_bytes(films: HippoRAG, question: str):
    with HippoRAG(films.path) as again:
        assert without_seconds(again.explain(question)) == without_seconds(films.explain(question))


def test_the_order_of_documents_does_not_matter(
    films: HippoRAG, make_rag: MakeRAG, film_list: list[Document]
):
    shuffled = make_rag(film_list[::-2] + film_list[::-1][1::2])
    for question in QUESTIONS:
        assert without_seconds(shuffled.explain(question, k=20)) == without_seconds(
            films.explain(question, k=20)
        )


def test_ids_do_not_matter(films: HippoRAG, make_rag: MakeRAG, film_list: list[Document]):
    renamed = make_rag([replace(d, id=f"{97 * i % 13:02d}") for i, d in enumerate(film_list)])
    for question in QUESTIONS:
        for method in METHODS:
            found = renamed.retrieve(question, 20, method=method)
            assert shape(found) == shape(films.retrieve(question, 20, method=method))


@pytest.mark.parametrize("method", ["graph", "dense", "hybrid"])
def test_more_than_there_is_gives_all(films: HippoRAG, film_list: list[Document], method: str):
    hits = films.retrieve(JAWS, k=10_000, method=method)
    assert sorted(hit.passage.document_id for hit in hits) == sorted(d.id for d in film_list)


def test_bm25_gives_what_shares_a_word(films: HippoRAG):
    hits = films.retrieve("zyzzyva Tyne", k=10_000, method="bm25")
    assert {hit.passage.document_id for hit in hits} == {"shields", "river"}
    trace = films.explain("zyzzyva", method="bm25")
    assert (trace.hits, trace.outcome) == ((), "empty")
    assert trace.note == "no passage shares a word with the question"


@pytest.mark.parametrize("k", [1, 3, 7])
def test_a_smaller_k_is_a_prefix(films: HippoRAG, k: int):
    for method in METHODS:
        assert (
            shape(films.retrieve(JAWS, k, method=method))
            == shape(films.retrieve(JAWS, 12, method=method))[:k]
        )


# Filters

FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({"kind": "film"}, {"jaws", "et", "alien"}),
    ({"year": {"gte": 1979, "lt": 2000}}, {"et", "alien"}),
    ({"tags": "alien"}, {"et", "alien"}),
    ({"kind": {"ne": "film"}, "living": {"in": [True]}}, {"spielberg"}),
    ({"year": "1950"}, {"stroustrup"}),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("where", "expected"), FILTERS)
def test_a_filter_is_exact(films: HippoRAG, method: str, where: dict[str, Any], expected: set[str]):
    question = "Steven Spielberg Bjarne Stroustrup film directed born Alien"
    found = films.retrieve(question, k=50, method=method, where=where)
    assert {hit.passage.document_id for hit in found} == expected


@pytest.mark.parametrize("method", ["dense", "bm25"])
def test_a_filter_is_applied_before_the_cut(films: HippoRAG, method: str):
    everything = films.retrieve("born film city", k=50, method=method)
    for where, allowed in FILTERS:
        expected = [(h.passage.id, h.score) for h in everything if h.passage.document_id in allowed][:2]
        found = films.retrieve("born film city", k=2, method=method, where=where)
        assert [(h.passage.id, h.score) for h in found] == expected


def test_a_filter_beyond_the_depth_of_the_lists(make_rag: MakeRAG):
    documents = [
        Document(f"Otto Berg wrote book {i} in Oslo." if i < 150 else "Otto.", f"d{i:03d}", metadata={"n": i})
        for i in range(152)
    ]
    rag = make_rag(documents)
    for method in METHODS:
        found = rag.retrieve("Where did Otto Berg write book?", k=5, method=method, where={"n": {"gte": 150}})
        assert {hit.passage.document_id for hit in found} == {"d150", "d151"}, method


@pytest.mark.parametrize("method", METHODS)
def test_a_filter_that_nothing_passes_is_said(films: HippoRAG, method: str):
    trace = films.explain(JAWS, method=method, where={"kind": "opera"})
    assert (trace.outcome, trace.hits, trace.note) == ("empty", (), "no passage satisfies the filter")


# Namespaces


@pytest.fixture
def two_namespaces(make_rag: MakeRAG, film_list: list[Document]) -> HippoRAG:
    other = [
        Document(
            "Jaws is a novel by Peter Benchley. Doubleday printed it.",
            "jaws",
            "Jaws",
            {"kind": "book"},
            "books",
        ),
        Document(
            "Peter Benchley was born in New York City.", "benchley", "Peter Benchley", namespace="books"
        ),
    ]
    return make_rag([*film_list, *other])


def test_one_id_in_two_namespaces_is_two_documents(two_namespaces: HippoRAG):
    hits = two_namespaces.retrieve("Jaws", k=50)
    found = {(hit.passage.namespace, hit.passage.id) for hit in hits if hit.passage.document_id == "jaws"}
    assert found == {("default", "jaws#0"), ("books", "books/jaws#0")}


def test_a_namespace_is_searched_alone(two_namespaces: HippoRAG):
    for method in METHODS:
        hits = two_namespaces.retrieve(JAWS, k=50, method=method, namespace="books")
        assert {hit.passage.namespace for hit in hits} == {"books"}


def test_another_namespace_changes_nothing_here(films: HippoRAG, two_namespaces: HippoRAG):
    for question in QUESTIONS:
        for method in METHODS:
            alone = films.explain(question, 20, method=method)
            beside = two_namespaces.explain(question, 20, method=method, namespace="default")
            assert without_seconds(beside) == without_seconds(alone)


def test_all_namespaces_together(two_namespaces: HippoRAG, film_list: list[Document]):
    for method in ("graph", "dense", "hybrid"):
        hits = two_namespaces.retrieve(JAWS, k=50, method=method)
        assert len(hits) == len(film_list) + 2
    dense = two_namespaces.retrieve(JAWS, k=50, method="dense")
    merged = [
        hit
        for namespace in ("books", "default")
        for hit in two_namespaces.retrieve(JAWS, k=50, method="dense", namespace=namespace)
    ]
    assert sorted((h.passage.id, h.score) for h in dense) == sorted((h.passage.id, h.score) for h in merged)


def test_seeds_in_one_namespace_only(two_namespaces: HippoRAG):
    trace = two_namespaces.explain("Who printed it at Doubleday?", k=3)
    assert trace.outcome == "ok"
    assert trace.hits[0].passage.namespace == "books"


# Engines and batches


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q != "what is it like?"])
def test_all_engines_rank_alike(films: HippoRAG, question: str):
    traces = []
    for engine in ("push", "power", "prpack"):
        config = replace(films.config, search=SearchConfig(engine=engine, tolerance=1e-10))
        with HippoRAG(films.path, config=config) as rag:
            traces.append(rag.explain(question, 12))
    push, power, prpack = traces
    assert push.method == "graph"
    for other in (power, prpack):
        assert [h.passage.id for h in other.hits] == [h.passage.id for h in push.hits]
        assert [h.score for h in other.hits] == pytest.approx([h.score for h in push.hits], abs=1e-4)


@pytest.mark.parametrize("engine", ["power", "prpack"])
def test_a_reference_engine_does_both_walks(films: HippoRAG, engine: str, monkeypatch: pytest.MonkeyPatch):
    def forbidden(*arguments: object) -> None:
        raise AssertionError("pushed")

    monkeypatch.setattr(push_engine, "push", forbidden)
    with pytest.raises(AssertionError, match="pushed"):
        films.retrieve(JAWS)
    config = replace(films.config, search=SearchConfig(engine=engine))
    with HippoRAG(films.path, config=config) as rag:
        assert any(hit.signals["onward"] > 0 for hit in rag.retrieve(JAWS))


def test_many_questions_at_once_are_the_same_questions(films: HippoRAG):
    many = [*QUESTIONS] * 15  # more than are embedded together
    found = films.retrieve_many(many, k=4)
    assert len(found) == len(many)
    for question, hits in zip(many, found, strict=True):
        assert [asdict(hit) for hit in hits] == [asdict(hit) for hit in films.retrieve(question, k=4)]
    assert films.retrieve_many([]) == []
