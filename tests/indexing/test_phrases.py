"""The graph of HippoRAG and HippoRAG 2: by hand, in any order, in any script, and through a whole index."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.config import Config
from hipporag_like.indexing.phrases import collect_phrases, phrase_graph, phrase_mentions
from hipporag_like.indexing.texts import plain, relation_text, triple_text
from hipporag_like.rag import HippoRAG
from hipporag_like.types import Document, Extraction, Triple

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "musique_train100"


def said(*passages: list[tuple[str, str, str]]) -> list[Extraction]:
    return [Extraction(triples=tuple(Triple(*triple) for triple in triples)) for triples in passages]


def edges(extractions: list[Extraction], cosines: dict[tuple[str, str], float] | None = None) -> dict:
    """The graph's edges by name, each once; passages are P0, P1, ...; phrases without a cosine have none."""
    phrases = collect_phrases(extractions)
    names = [*phrases.texts, *(f"P{i}" for i in range(len(extractions)))]
    n = len(phrases.texts)
    similar = np.eye(n)
    for (one, other), cosine in (cosines or {}).items():
        a, b = phrases.texts.index(one), phrases.texts.index(other)
        similar[a, b] = similar[b, a] = cosine
    vectors = np.linalg.cholesky(similar).astype(np.float32) if n else np.zeros((0, 4), np.float32)
    mentions = phrase_mentions(phrases, len(extractions))
    graph = phrase_graph(phrases, mentions, vectors, len(extractions), 0.8)
    found = {}
    for row, name in enumerate(names):
        for column, weight in zip(*(part.tolist() for part in graph.row(row)), strict=True):
            assert dict(zip(*(part.tolist() for part in graph.row(column)), strict=True))[row] == weight
            assert row != column
            if row < column:
                found[name, names[column]] = round(weight, 5)
    return found


def test_a_fact_counts_from_either_end_for_each_time_it_is_said():
    found = edges(said([("Ada", "met", "Ben"), ("ADA", "wrote to", "Ben!")], [("Ben", "met", "Ada")]))
    assert found == {
        ("ada", "ben"): 6.0,
        ("ada", "P0"): 1.0,
        ("ben", "P0"): 1.0,
        ("ada", "P1"): 1.0,
        ("ben", "P1"): 1.0,
    }


def test_a_triple_given_twice_for_a_passage_is_one():
    assert edges(said([("Ada", "met", "Ben")] * 3))["ada", "ben"] == 2.0
    assert edges(said([("Ada", "met", "Ben")], [("Ada", "met", "Ben")]))["ada", "ben"] == 4.0


def test_a_synonym_edge_stands_in_for_the_fact_edge():
    triples = said([("Ada", "met", "Bea"), ("Ada", "saw", "Bea"), ("Ada", "saw", "Cid")])
    assert edges(triples)["ada", "bea"] == 4.0
    assert edges(triples, {("ada", "bea"): 0.9})["ada", "bea"] == pytest.approx(1.8)
    assert edges(triples, {("ada", "bea"): 0.9})["ada", "cid"] == 2.0


def test_below_the_threshold_there_is_no_synonym():
    triples = said([("Ada", "met", "Bea"), ("Cid", "met", "Dan")])
    assert edges(triples, {("ada", "cid"): 0.79})["ada", "bea"] == 2.0
    assert ("ada", "cid") not in edges(triples, {("ada", "cid"): 0.79})
    assert edges(triples, {("ada", "cid"): 0.81})["ada", "cid"] == pytest.approx(1.62)


def test_a_short_phrase_has_no_synonyms_of_its_own():
    # One way is a synonym, 0.9; the other way the fact edge stays, 1.
    assert edges(said([("Al", "met", "Ada")]), {("al", "ada"): 0.9})["ada", "al"] == pytest.approx(1.9)
    assert edges(said([("A.B.", "met", "Ada")]), {("a b", "ada"): 0.9})["a b", "ada"] == pytest.approx(1.9)
    assert edges(said([("Al", "is", "Bo")]), {("al", "bo"): 0.9})["al", "bo"] == 2.0
    # Two vowel signs make no long name; two characters of Chinese do.
    assert edges(said([("की", "met", "Ada")]), {("की", "ada"): 0.9})["ada", "की"] == pytest.approx(1.9)
    assert edges(said([("東京", "is", "京都")]), {("東京", "京都"): 0.9})["京都", "東京"] == pytest.approx(
        1.8
    )


def test_no_phrase_is_tied_to_itself_nor_held_twice():
    extractions = said([("Ada", "is", "ada!"), ("Ada", "met", "Ben")])
    assert edges(extractions) == {("ada", "ben"): 2.0, ("ada", "P0"): 1.0, ("ben", "P0"): 1.0}
    phrases = collect_phrases(extractions)
    indices, weights = phrase_mentions(phrases, 1).row(0)
    assert [phrases.texts[i] for i in indices] == ["ada", "ben"]
    assert weights.tolist() == [2.0, 1.0]


def test_ends_without_letters_leave_nothing():
    found = collect_phrases(said([("...", "met", "Ben"), ("Ada", "met", "?!"), ("Ada", "", "Cid")]))
    assert found.texts == ["ada", "cid"]
    assert found.relations == [("ada", "", "cid")]


def test_without_triples_there_is_nothing():
    phrases = collect_phrases(said([], []))
    assert phrases.texts == phrases.relations == []
    assert phrases.ends.shape == phrases.stated.shape == (0, 2)
    assert edges(said([], [])) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("St. John's, 1951", "st  john s  1951"),
        ("  A_b\tC\n", "a b c"),
        ("Café", "café"),
        ("Cafe\u0301", "café"),
        ("हिन्दी भाषा", "हिन्दी भाषा"),
        ("İzmir", "i\u0307zmir"),
        ("שָׁלוֹם", "שָׁלוֹם"),
        ("می\u200cخواهم", "میخواهم"),
        ("東京 (都)", "東京  都"),
        ("\u0301", ""),
        ("—", ""),
        ("", ""),
    ],
)
def test_plain(text: str, expected: str):
    import unicodedata

    assert plain(text) == unicodedata.normalize("NFC", expected)


def test_vowel_signs_tell_words_apart():
    assert plain("दिन") != plain("दान") != plain("दन")


@given(st.text(max_size=40))
def test_plain_is_stable_and_holds_no_signs(text: str):
    form = plain(text)
    assert form == form.strip()
    assert not set(form) & set(".,;!?_-'\"()\t\n")
    assert (form == "") == (not any(c.isalnum() for c in text.lower()))
    assert plain(form) == form


@given(st.text(st.characters(max_codepoint=127), max_size=40))
def test_plain_of_ascii_is_the_authors_form(text: str):
    kept = [c if c.isalnum() or c == " " else " " for c in text.lower()]
    assert plain(text) == "".join(kept).strip(" ")


def test_texts_that_stand_for_facts():
    assert relation_text(("ada", "met", "ben s")) == "('ada', 'met', 'ben s')"
    assert triple_text("Ada", "ada met Ben") == "ada met Ben"
    assert triple_text("Cid", "Ada met Ben") == "Cid: Ada met Ben"
    assert triple_text("", "Ada met Ben") == "Ada met Ben"


WORDS = st.sampled_from(["Ada", "ada!", "Ben", "Al", "Cid Doe", "Élan", "東京", "?"])
PASSAGES = st.lists(
    st.lists(st.tuples(WORDS, st.sampled_from(["met", "saw"]), WORDS), max_size=4), min_size=1, max_size=5
)


@settings(deadline=None)
@given(PASSAGES, st.randoms(use_true_random=False))
def test_order_says_nothing(passages: list[list[tuple[str, str, str]]], random: Any):
    order = list(range(len(passages)))
    random.shuffle(order)
    shuffled = [random.sample(passages[i], len(passages[i])) for i in order]
    before, after = collect_phrases(said(*passages)), collect_phrases(said(*shuffled))
    assert before.texts == after.texts
    assert before.relations == after.relations
    renamed = {f"P{new}": f"P{old}" for new, old in enumerate(order)}
    found = edges(said(*shuffled))
    assert edges(said(*passages)) == {(a, renamed.get(b, b)): weight for (a, b), weight in found.items()}


@settings(deadline=None)
@given(PASSAGES)
def test_edges_are_the_sum_of_what_passages_say(passages: list[list[tuple[str, str, str]]]):
    expected: dict[tuple[str, str], float] = {}
    for number, triples in enumerate(passages):
        for subject, _, target in dict.fromkeys(triples):
            ends = sorted({plain(subject), plain(target)})
            if "" in ends:
                continue
            for end in ends:
                expected[end, f"P{number}"] = 1.0
            if len(ends) == 2:
                expected[ends[0], ends[1]] = expected.get((ends[0], ends[1]), 0.0) + 2.0
    assert edges(said(*passages)) == expected


# Through an index

DOCS = (
    Document("Ada met Ben in Oslo. Ben lives in Oslo.", "a", "Ada"),
    Document("Cid knows Ben. Cid was born in Ulm.", "b", "Cid"),
    Document("Ulm lies on the Danube.", "c"),
)
ROWS = (
    {
        "_id": "a",
        "entities": ["Ada", "Ben", "Oslo"],
        "triples": [["Ada", "met", "Ben"], ["Ben", "lives in", "Oslo"]],
    },
    {
        "_id": "b",
        "entities": ["Cid", "Ben", "Ulm"],
        "triples": [["Cid", "knows", "Ben"], ["Cid", "born in", "Ulm"]],
    },
    {"_id": "c", "entities": ["Ulm", "Danube"], "triples": [["Ulm", "lies on", "Danube"]]},
)


def as_lines(rows: Any, file: Path) -> Path:
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return file


def as_osu(rows: Any, documents: Any, file: Path) -> Path:
    """OSU HippoRAG's own file: passages are title and text."""
    by_id = {document.id: document for document in documents}
    docs = [
        {
            "idx": f"chunk-{number}",
            "passage": f"{by_id[row['_id']].title}\n{by_id[row['_id']].text}",
            "extracted_entities": row["entities"],
            "extracted_triples": row["triples"],
        }
        for number, row in enumerate(rows)
    ]
    file.write_text(json.dumps({"docs": docs, "avg_ent_chars": 1.0, "avg_ent_words": 1.0}), encoding="utf-8")
    return file


def opened(folder: Path, file: Path, embedder: Any = None) -> HippoRAG:
    options = {"extract": {"extractor": f"openie:{file}"}, "embed": {"model": "hashing"}}
    return HippoRAG(folder, config=Config.from_dict(options), embedder=embedder)


def segment_of(rag: HippoRAG) -> Any:
    return next(iter(rag._parts.index().segments.values()))


def test_arrays_of_an_index(tmp_path: Path):
    with opened(tmp_path / "index", as_lines(ROWS, tmp_path / "rows.jsonl")) as rag:
        assert rag.index(DOCS).failures == ()
        segment = segment_of(rag)
        names = list(segment.phrase_texts)
        assert names == ["ada", "ben", "cid", "danube", "oslo", "ulm"]
        relations = [segment.relation(n) for n in range(len(segment.relation_texts))]
        assert relations == [
            ("ada", "met", "ben"),
            ("ben", "lives in", "oslo"),
            ("cid", "born in", "ulm"),
            ("cid", "knows", "ben"),
            ("ulm", "lies on", "danube"),
        ]
        ends = [tuple(names[i] for i in pair) for pair in segment.array("relation_ends")]
        assert ends == [(s, o) for s, _, o in relations]
        owners = [segment.passage(p).document_id for p in segment.array("relation_passage").tolist()]
        assert owners == ["a", "a", "b", "b", "c"]
        mentions = segment.rows("phrase_mentions")
        for p in range(3):
            held = [names[i] for i in mentions.row(p)[0]], segment.passage_relations.row(p)[0].tolist()
            assert (
                held
                == {
                    "a": (["ada", "ben", "oslo"], [0, 1]),
                    "b": (["ben", "cid", "ulm"], [2, 3]),
                    "c": (["danube", "ulm"], [4]),
                }[segment.passage(p).document_id]
            )
        vectors = rag.embedder.embed([relation_text(r) for r in relations])
        np.testing.assert_array_equal(segment.array("relation_vectors"), vectors)
        np.testing.assert_array_equal(segment.array("phrase_vectors"), rag.embedder.embed(names))


Arrays = Callable[[Path], dict[tuple[str, str], bytes]]


def test_deletion_is_as_if_never_added(tmp_path: Path, arrays_of: Arrays, make_embedder: Any):
    file = as_lines(ROWS, tmp_path / "rows.jsonl")
    embedder = make_embedder()
    with opened(tmp_path / "index", file, embedder) as rag, opened(tmp_path / "new", file, embedder) as new:
        rag.index(DOCS)
        rag.delete(["b"])
        new.index([DOCS[0], DOCS[2]])
        assert arrays_of(rag.path) == arrays_of(new.path)
        assert "cid" not in list(segment_of(rag).phrase_texts)
        embedder.texts.clear()
        rag.index([DOCS[0], DOCS[2]])
        assert embedder.texts == []  # vectors in use were kept
        rag.index([DOCS[1]])
        # Of "b", only what no other document says: "ben" and "ulm" were kept.
        assert {"cid", "('cid', 'knows', 'ben')"} <= set(embedder.texts)
        assert not {"ben", "ulm", "('ulm', 'lies on', 'danube')"} & set(embedder.texts)


def test_both_file_formats_make_the_same_index(tmp_path: Path, arrays_of: Arrays):
    lines = as_lines(ROWS, tmp_path / "rows.jsonl")
    native = as_osu(ROWS, DOCS, tmp_path / "openie_results_ner_gpt.json")
    with opened(tmp_path / "one", lines) as one, opened(tmp_path / "two", native) as two:
        assert one.index(DOCS).failures == two.index(DOCS).failures == ()
        found = arrays_of(one.path)
        assert found == arrays_of(two.path)
        assert ("default", "phrase_graph_weight") in found


def test_documents_in_any_order_make_the_same_index(tmp_path: Path, arrays_of: Arrays):
    file = as_lines(ROWS, tmp_path / "rows.jsonl")
    with opened(tmp_path / "one", file) as one, opened(tmp_path / "two", file) as two:
        one.index(DOCS)
        for document in reversed(DOCS):
            two.index([document])
        assert arrays_of(one.path) == arrays_of(two.path)


@pytest.mark.slow
@pytest.mark.shared
def test_both_formats_of_gpt_triples(tmp_path: Path, arrays_of: Arrays):
    """The authors' code makes 16,235 phrases of this file; one of theirs is empty."""
    lines = SHARED / "openie_gpt-3.5-turbo-1106.jsonl"
    if not lines.exists():
        pytest.skip("the development data is not beside the checkout")
    from hipporag_like.eval.datasets import load_dataset

    documents = load_dataset(SHARED).documents
    rows = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    native = as_osu(rows, documents, tmp_path / "openie.json")
    with opened(tmp_path / "one", lines) as one, opened(tmp_path / "two", native) as two:
        one.index(documents)
        two.index(documents)
        assert arrays_of(one.path) == arrays_of(two.path)
        assert len(segment_of(one).phrase_texts) == 16_234
