"""Each native form as its authors publish it, in small, with its hops, evidence and answers; texts are made up."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from hipporag_like.errors import InputError
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.questions import require_gold

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT.parent / "shared" / "data" / "native"
needs_native = pytest.mark.skipif(
    not NATIVE.is_dir(), reason="the development data is not beside the checkout"
)


def save(folder, name, value):
    path = folder / name
    lines = name.endswith(".jsonl") or name == "id_aliases.json"
    text = "".join(json.dumps(row) + "\n" for row in value) if lines else json.dumps(value)
    path.write_text(text, encoding="utf-8")
    return path


def load_pair(folder, name, questions, corpus):
    save(folder, f"{name}_corpus.json", corpus)
    return load_dataset(save(folder, f"{name}.json", questions))


def spans_of(dataset):
    """Return (title, sentence) of the evidence of each question, read out of the documents."""
    documents = {document.id: document for document in dataset.documents}
    return [
        [(documents[e.document_id].title, documents[e.document_id].text[e.start : e.end]) for e in q.evidence]
        for q in dataset.questions
    ]


# --- MuSiQue ------------------------------------------------------------------------------------------


def musique(id_, **changes):
    paragraphs = [
        {"idx": 0, "title": "Lund Light", "paragraph_text": "Oda Lund built it.", "is_supporting": True},
        {"idx": 1, "title": "Oda Lund", "paragraph_text": "She was born in Vik.", "is_supporting": True},
        {"idx": 2, "title": "Vik", "paragraph_text": "Vik is a town.", "is_supporting": False},
    ]
    row = {
        "id": id_,
        "paragraphs": paragraphs,
        "question": "Where was the builder of Lund Light born?",
        "question_decomposition": [
            {"id": 1, "question": "Lund Light >> builder", "answer": "Oda Lund", "paragraph_support_idx": 0},
            {"id": 2, "question": "where was #1 born", "answer": "Vik", "paragraph_support_idx": 1},
        ],
        "answer": "Vik",
        "answer_aliases": ["Vik town"],
        "answerable": True,
    }
    return {**row, **changes}


def test_musique_ids_tell_the_hops(tmp_path):
    ids = ["2hop__1_2", "3hop1__1_2_3", "3hop2__1_2_3", "4hop1__1_2_3_4", "4hop3__1_2_3_4", "single__9"]
    dataset = load_dataset(save(tmp_path, "musique_ans_v1.0_dev.jsonl", [musique(id_) for id_ in ids]))
    assert [q.hops for q in dataset.questions] == [2, 3, 3, 4, 4, 0]
    assert [q.type for q in dataset.questions] == ["2hop", "3hop1", "3hop2", "4hop1", "4hop3", ""]
    assert dataset.questions[0].answers == ("Vik", "Vik town")
    assert dataset.questions[0].supporting == ("p0", "p1") and len(dataset.documents) == 3
    assert dataset.questions[0].evidence == ()  # paragraphs are marked, no sentences


# --- HotpotQA and 2WikiMultiHopQA ---------------------------------------------------------------------


def hotpot(**changes):
    row = {
        "_id": "5a7",
        "answer": "yes",
        "question": "Are Lund Light and Vik Light both in Norway?",
        "supporting_facts": [["Lund Light", 0], ["Vik Light", 2], ["Vik Light", 0]],
        "context": [
            ["Lund Light", ["Lund Light is in Norway.", " It is white."]],
            ["Moss", ["Moss grows."]],
            ["Vik Light", ["It shines.", " It is red.", " It shines. In Norway."]],
        ],
        "type": "comparison",
        "level": "hard",
    }
    return {**row, **changes}


def test_hotpotqa_facts_become_evidence_at_their_place(tmp_path):
    dataset = load_dataset(save(tmp_path, "hotpot_dev_distractor_v1.json", [hotpot()]))
    (question,) = dataset.questions
    assert (question.type, question.hops, question.answers) == ("comparison", 2, ("yes",))
    assert spans_of(dataset) == [
        [
            ("Lund Light", "Lund Light is in Norway."),
            ("Vik Light", "It shines."),  # the first sentence, though the third begins alike
            ("Vik Light", "It shines. In Norway."),
        ]
    ]
    assert [e.start for e in question.evidence] == [0, 0, 22]


def test_hotpotqa_as_columns_has_the_same_evidence(tmp_path):
    rows = load_dataset(save(tmp_path, "set.json", [hotpot()]))
    facts = {"title": ["Lund Light", "Vik Light", "Vik Light"], "sent_id": [0, 2, 0]}
    context = {
        "title": [title for title, _ in hotpot()["context"]],
        "sentences": [sentences for _, sentences in hotpot()["context"]],
    }
    columns = hotpot(supporting_facts=facts, context=context)
    assert load_dataset(save(tmp_path, "set.json", [columns])) == rows


def test_a_sentence_that_stands_twice_is_evidence_twice(tmp_path):
    context = [["Lund Light", ["White."]], ["Vik Light", ["It shines.", " It is red.", " It shines."]]]
    facts = [["Lund Light", 0], ["Vik Light", 0], ["Vik Light", 2]]
    row = hotpot(context=context, supporting_facts=facts)
    (question,) = load_dataset(save(tmp_path, "set.json", [row])).questions
    assert [(e.document_id, e.start) for e in question.evidence] == [("p0", 0), ("p1", 0), ("p1", 22)]


def test_a_sentence_number_beyond_the_last_marks_nothing(tmp_path):
    facts = [["Lund Light", 7], ["Vik Light", 1]]  # HotpotQA has such
    dataset = load_dataset(save(tmp_path, "set.json", [hotpot(supporting_facts=facts)]))
    assert spans_of(dataset) == [[("Vik Light", "It is red.")]]
    assert dataset.questions[0].supporting == ("p0", "p2")


def two_wiki(**changes):
    row = {
        "_id": "8813f87c0bdd11eba7f7acde48001122",
        "type": "bridge_comparison",
        "question": "Do the builders of both lights come from the same country?",
        "context": [
            ["Lund Light", ["Lund Light was built by Oda Lund.", "It is white."]],
            ["Vik Light", ["Vik Light was built by Per Vik."]],
            ["Oda Lund", ["Oda Lund was a Norwegian."]],
            ["Per Vik", ["Per Vik was a Norwegian mason."]],
        ],
        "supporting_facts": [["Lund Light", 0], ["Vik Light", 0], ["Oda Lund", 0], ["Per Vik", 0]],
        "evidences": [["Lund Light", "builder", "Oda Lund"], ["Oda Lund", "country", "Norway"]],
        "answer": "Norway",
        "evidences_id": [["Q1", "builder", "Q2"], ["Q2", "country", "Q20"]],
        "answer_id": "Q20",
    }
    return {**row, **changes}


def test_2wiki_counts_a_hop_for_each_supporting_document(tmp_path):
    rows = [
        two_wiki(),
        two_wiki(_id="x", supporting_facts=[["Oda Lund", 0], ["Per Vik", 0]], type="comparison"),
    ]
    dataset = load_dataset(save(tmp_path, "dev.json", rows))
    assert [(q.hops, q.type) for q in dataset.questions] == [(4, "bridge_comparison"), (2, "comparison")]
    assert spans_of(dataset)[0][0] == ("Lund Light", "Lund Light was built by Oda Lund.")
    assert dataset.questions[0].answers == ("Norway",)


def test_2wiki_accepts_aliases_and_demonyms_as_its_evaluation_1_1_does(tmp_path):
    names = {"Q_id": "Q20", "aliases": ["Kingdom of Norway", "Norway"], "demonyms": ["Norwegian"]}
    save(tmp_path, "id_aliases.json", [{"Q_id": "Q9", "aliases": ["x"], "demonyms": []}, names])
    path = save(tmp_path, "dev.json", [two_wiki(), two_wiki(_id="x", answer_id=None, answer="yes")])
    assert [q.answers for q in load_dataset(path).questions] == [
        ("Norway", "Kingdom of Norway", "Norwegian"),
        ("yes",),
    ]
    save(tmp_path, "id_aliases.json", [{"Q_id": "Q20", "aliases": ["x"]}])
    with pytest.raises(InputError, match=r"id_aliases\.json, row 1: 'demonyms' is missing"):
        load_dataset(path)


# --- OSU HippoRAG pairs -------------------------------------------------------------------------------


def test_hotpotqa_pair_finds_evidence_in_the_corpus_text(tmp_path):
    corpus = [
        {"idx": 0, "title": "Vik Light", "text": "It shines. It is red. It shines. In Norway."},
        {"idx": 1, "title": "Lund Light", "text": "Lund Light is in Norway. It is white."},
    ]
    dataset = load_pair(tmp_path, "hotpotqa", [hotpot()], corpus)
    assert dataset.questions[0].supporting == ("p1", "p0")
    assert spans_of(dataset)[0][2] == ("Vik Light", "It shines. In Norway.")
    shorter = [{"title": "Vik Light", "text": "Changed."}, corpus[1]]
    cut = load_pair(tmp_path, "hotpotqa", [hotpot()], shorter)
    assert spans_of(cut) == [[("Lund Light", "Lund Light is in Norway.")]]  # what is not there is no evidence


def test_nq_pair(tmp_path):
    contexts = [
        {"title": "Lights", "text": "Lund Light is the oldest.", "is_supporting": True},
        {"title": "Moss", "text": "Moss grows.", "is_supporting": False},
    ]
    rows = [{"question": "which light is the oldest", "reference": ["Lund Light"], "contexts": contexts}]
    corpus = [{"idx": n, "title": c["title"], "text": c["text"]} for n, c in enumerate(contexts)]
    (question,) = load_pair(tmp_path, "nq_rear", rows, corpus).questions
    assert (question.id, question.answers, question.supporting, question.hops) == (
        "q0",
        ("Lund Light",),
        ("p0",),
        0,
    )


def test_popqa_pair_has_answers_packed_in_strings(tmp_path):
    paragraphs = [
        {"title": "Oda Lund", "text": "Oda Lund was a mason.", "is_supporting": True, "idx": 0},
        {"title": "Mason", "text": "A mason builds.", "is_supporting": True, "idx": 1},
    ]
    row = {
        "id": 4222362,
        "subj": "Oda Lund",
        "prop": "occupation",
        "obj": "mason",
        "possible_answers": '["mason", "stonemason"]',
        "o_wiki_title": "Mason",
        "o_aliases": '["builder"]',
        "question": "What is Oda Lund's occupation?",
        "paragraphs": paragraphs,
    }
    (question,) = load_pair(tmp_path, "popqa", [row], paragraphs).questions
    assert question.id == "4222362" and question.supporting == ("p0", "p1")
    assert question.answers == ("mason", "stonemason", "Mason", "builder")


LV_EVAL = {
    "question": "Who built Lund Light?",
    "context": "### Passage 1\nOda Lund built it.\n### Passage 2\nMoss grows.\n",
    "answers": ["Oda Lund built it in 1901"],
    "length": 262144,
    "dataset": "hotpotwikiqa_mixup_256k",
    "language": "en",
    "all_classes": None,
    "confusing_facts": "",
    "gold_ans": "Oda Lund",
}
LV_CORPUS = [{"idx": 0, "title": "", "text": "Oda Lund built it."}, {"idx": 1, "title": "", "text": "Moss."}]
NARRATIVE = {
    "document": {"id": "f1c2", "kind": "gutenberg", "url": "", "file_size": 10, "text": "A keeper's tale."},
    "question": "Who keeps the light?",
    "answer": ["Oda", "Oda the keeper"],
}


def test_lv_eval_pair_judges_answers_only(tmp_path):
    dataset = load_pair(tmp_path, "lveval", [LV_EVAL, {**LV_EVAL, "question": "And then?"}], LV_CORPUS)
    assert [d.text for d in dataset.documents] == ["Oda Lund built it.", "Moss."]
    assert [(q.id, q.answers, q.supporting) for q in dataset.questions] == [
        ("q0", ("Oda Lund",), ()),
        ("q1", ("Oda Lund",), ()),
    ]


def test_narrativeqa_pair_judges_answers_only(tmp_path):
    corpus = [
        {"idx": "f1c2_0", "title": "A Tale", "text": "Oda lit it."},
        {"title": "A Tale", "text": "End."},
    ]
    dataset = load_pair(tmp_path, "narrativeqa_dev_10_doc", [NARRATIVE], corpus)
    (question,) = dataset.questions
    assert (question.answers, question.supporting, question.hops) == (("Oda", "Oda the keeper"), (), 0)
    assert len(dataset.documents) == 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{**LV_EVAL, "gold_ans": None}], r"x\.json, row 1: 'answer' is missing"),
        ([{**NARRATIVE, "question": {"text": "Who?"}}], r"row 1: 'question' must be text, got an object"),
        ([{**NARRATIVE, "answer": [["Oda"]]}], r"row 1: 'answer' must be a list of texts"),
        # One row with passages: the file is not of the kind that has answers only.
        ([NARRATIVE, musique("2hop__1_2")], r"row 1: 'paragraphs', 'contexts' or 'context' is missing"),
    ],
)
def test_malformed_pairs_without_gold(tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        load_pair(tmp_path, "x", rows, LV_CORPUS)


def test_lv_eval_without_its_corpus_says_which_file_is_missing(tmp_path):
    with pytest.raises(InputError, match=r"one long text, so the passages must be in .*lveval_corpus\.json"):
        load_dataset(save(tmp_path, "lveval.json", [LV_EVAL]))


@pytest.mark.parametrize(
    "facts",
    [[["Lund Light", "0"]], [["Lund Light", True]], [["Lund Light", 0, 1]], [[]], [[0, "Lund Light"]]],
)
def test_malformed_facts(tmp_path, facts):
    with pytest.raises(
        InputError, match=r"row 1: 'supporting_facts' must be a list of \[title, sentence num"
    ):
        load_dataset(save(tmp_path, "set.json", [hotpot(supporting_facts=facts)]))


def test_a_cut_line_of_musique_is_named(tmp_path):
    path = tmp_path / "musique.jsonl"
    path.write_text(json.dumps(musique("2hop__1_2")) + "\n" + '{"id": "2hop__3', encoding="utf-8")
    with pytest.raises(InputError, match=r"musique\.jsonl, line 2: not valid JSON"):
        load_dataset(path)


# --- the files as published ---------------------------------------------------------------------------


@needs_native
@pytest.mark.shared
def test_real_hotpotqa_rows_have_their_facts_as_evidence():
    dataset = load_dataset(NATIVE / "hotpotqa_train.json")
    require_gold(dataset)
    texts = {document.id: document.text for document in dataset.documents}
    assert {q.hops for q in dataset.questions} == {2}
    assert set(Counter(q.type for q in dataset.questions)) == {"bridge", "comparison"}
    rows = json.loads((NATIVE / "hotpotqa_train.json").read_text(encoding="utf-8"))
    for question, row in zip(dataset.questions, rows, strict=True):
        sentences = dict(row["context"])
        marked = {
            sentences[title][number].strip()
            for title, number in row["supporting_facts"]
            if number < len(sentences[title])
        }
        assert {e.text for e in question.evidence} == marked
        assert all(texts[e.document_id][e.start : e.end] == e.text for e in question.evidence)
        assert {e.document_id for e in question.evidence} <= set(question.supporting)


@needs_native
@pytest.mark.shared
def test_real_musique_rows_have_as_many_hops_as_supporting_paragraphs():
    dataset = load_dataset(NATIVE / "musique_train.json")
    assert all(q.hops == len(q.supporting) for q in dataset.questions)
    assert set(Counter(q.hops for q in dataset.questions)) == {2, 3, 4}
    assert load_dataset(NATIVE / "sample.json").questions[0].hops == 0  # path finding: no chain to count
