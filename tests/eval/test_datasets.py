"""Every format loads to the same values; every malformed file is named with its row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hipporag_like.errors import InputError
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.questions import Evidence, require_gold

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the development data is not beside the checkout"
)

CORPUS = [
    {"_id": "a", "title": "Ada", "text": "Ada wrote."},
    {"_id": "b", "title": "Bob", "text": "Bob read."},
]
QUESTION = {"id": "q", "question": "Who wrote?", "answers": ["Ada"], "supporting": ["a"], "type": "bridge"}


def as_lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def write_own(folder, corpus=CORPUS, questions=(QUESTION,)):
    folder.mkdir(exist_ok=True)
    (folder / "corpus.jsonl").write_text(as_lines(corpus), encoding="utf-8")
    (folder / "questions.jsonl").write_text(as_lines(questions), encoding="utf-8")
    return folder


def write_beir(folder, qrels="query-id\tcorpus-id\tscore\nq1\ta\t1\n", split="test"):
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    (folder / "corpus.jsonl").write_text(as_lines(CORPUS), encoding="utf-8")
    queries = [{"_id": "q1", "text": "Who wrote?"}, {"_id": "q2", "text": "Who read?"}]
    (folder / "queries.jsonl").write_text(as_lines(queries), encoding="utf-8")
    (folder / "qrels" / f"{split}.tsv").write_text(qrels, encoding="utf-8")
    return folder


def write_native(folder, rows, corpus=None):
    path = folder / "set.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    if corpus is not None:
        (folder / "set_corpus.json").write_text(json.dumps(corpus), encoding="utf-8")
    return path


def paragraph(title, text, gold):
    return {"idx": 0, "title": title, "paragraph_text": text, "is_supporting": gold}


def musique_row(**changes):
    row = {
        "id": "2hop__1_2",
        "question": "Who wrote?",
        "answer": "Ada",
        "answer_aliases": ["Lovelace", "Ada"],
        "answerable": True,
        "paragraphs": [paragraph("Ada", "Ada wrote.", True), paragraph("Bob", "Bob read.", False)],
    }
    return {key: value for key, value in {**row, **changes}.items() if value is not ...}


def hotpot_row(**changes):
    row = {
        "_id": "h1",
        "question": "Who wrote?",
        "answer": "Ada",
        "type": "comparison",
        "supporting_facts": [["Ada", 0], ["Ada", 1]],
        "context": [["Ada", ["Ada wrote.", " Twice."]], ["Bob", ["Bob read."]]],
    }
    return {key: value for key, value in {**row, **changes}.items() if value is not ...}


def gold_texts(dataset):
    texts = {document.id: document.text for document in dataset.documents}
    return [[texts[id_] for id_ in question.supporting] for question in dataset.questions]


# --- our own format -----------------------------------------------------------------------------------


def test_own_folder(tmp_path):
    dataset = load_dataset(write_own(tmp_path / "mine"))
    assert dataset.name == "mine"
    assert [(d.id, d.title, d.text) for d in dataset.documents] == [
        ("a", "Ada", "Ada wrote."),
        ("b", "Bob", "Bob read."),
    ]
    (question,) = dataset.questions
    assert (question.id, question.question, question.type) == ("q", "Who wrote?", "bridge")
    assert (question.answers, question.supporting) == (("Ada",), ("a",))


def test_a_file_of_the_folder_stands_for_the_folder(tmp_path):
    folder = write_own(tmp_path / "mine")
    assert load_dataset(folder / "questions.jsonl") == load_dataset(folder) == load_dataset(str(folder))


def test_numbers_as_ids_and_repeats_and_a_byte_order_mark(tmp_path):
    folder = write_own(
        tmp_path / "mine",
        [{"_id": 7, "text": "seven\u2028lines"}],
        [{"id": 1, "question": "x?", "answers": 35, "supporting": [7, "7"]}],
    )
    questions = folder / "questions.jsonl"
    questions.write_bytes(b"\xef\xbb\xbf" + questions.read_bytes())
    dataset = load_dataset(folder)
    assert dataset.documents[0].id == "7" and dataset.documents[0].title == ""
    assert dataset.questions[0].answers == ("35",) and dataset.questions[0].supporting == ("7",)


def test_checksum_follows_content_only(tmp_path):
    first = load_dataset(write_own(tmp_path / "one")).checksum
    assert load_dataset(write_own(tmp_path / "two")).checksum == first
    span = [{"document": "a", "text": "Ada"}]
    changes = (("answers", ["Bob"]), ("supporting", ["b"]), ("question", "Who read?"), ("type", "x"))
    for key, value in (*changes, ("hops", 2), ("evidence", span)):
        changed = write_own(tmp_path / "three", questions=[{**QUESTION, key: value}])
        assert load_dataset(changed).checksum != first
    assert load_dataset(write_own(tmp_path / "four", corpus=CORPUS[:1])).checksum != first


def test_an_identical_question_counts_twice_a_different_one_is_an_error(tmp_path):
    assert len(load_dataset(write_own(tmp_path / "x", questions=[QUESTION, QUESTION])).questions) == 2
    other = {**QUESTION, "answers": ["Bob"]}
    with pytest.raises(InputError, match="question id 'q' occurs twice"):
        load_dataset(write_own(tmp_path / "x", questions=[QUESTION, other]))


def test_gold_outside_the_corpus_is_reported(tmp_path):
    dataset = load_dataset(write_own(tmp_path / "x", questions=[{**QUESTION, "supporting": ["a", "z"]}]))
    with pytest.raises(
        InputError, match="1 supporting ids are not in the corpus of x, first 'z' of question 'q'"
    ):
        require_gold(dataset)


def test_hops_as_given_or_a_step_in_each_needed_document(tmp_path):
    rows = [
        {**QUESTION, "supporting": ["a", "b"]},
        {**QUESTION, "id": "3hop2__7", "supporting": ["a", "b"]},
        {**QUESTION, "id": "given", "hops": 4},
        {**QUESTION, "id": "none", "supporting": []},
    ]
    assert [q.hops for q in load_dataset(write_own(tmp_path / "x", questions=rows)).questions] == [2, 3, 4, 0]


def test_evidence_is_found_word_for_word(tmp_path):
    spans = [
        {"document": "b", "text": " read. "},
        {"document": "a", "text": "Ada wrote."},
        {"document": "a", "text": "Ada wrote."},
    ]
    rows = [{**QUESTION, "evidence": spans}, {**QUESTION, "id": "r", "evidence": []}]
    first, second = load_dataset(write_own(tmp_path / "x", questions=rows)).questions
    assert first.evidence == (Evidence("b", 4, "read."), Evidence("a", 0, "Ada wrote."))
    assert second.evidence == ()


def without(row, key):
    return {name: value for name, value in row.items() if name != key}


BAD_OWN = [
    # corpus rows, question rows, what the message names
    (CORPUS, [QUESTION, without(QUESTION, "id")], r"questions.jsonl, line 2: 'id' or '_id' is missing"),
    (CORPUS, [without(QUESTION, "question")], r"questions.jsonl, line 1: 'question' is missing"),
    (CORPUS, [{**QUESTION, "question": "  "}], r"line 1: 'question' is empty"),
    (CORPUS, [without(QUESTION, "answers")], r"line 1: 'answers' is missing"),
    (CORPUS, [without(QUESTION, "supporting")], r"line 1: 'supporting' is missing"),
    (
        CORPUS,
        [{**QUESTION, "supporting": {"a": 1}}],
        r"line 1: 'supporting' must be a list of texts, got an object",
    ),
    (CORPUS, [{**QUESTION, "answers": [True]}], r"line 1: 'answers' must be a list of texts"),
    (CORPUS, [{**QUESTION, "type": 3}], r"line 1: 'type' must be text, got a number"),
    (
        CORPUS,
        [{**QUESTION, "answers": [], "supporting": []}],
        r"line 1: 'answers' and 'supporting' are both empty",
    ),
    (CORPUS, [{**QUESTION, "hops": 0}], r"line 1: 'hops' must be a whole number from 1"),
    (CORPUS, [{**QUESTION, "hops": True}], r"line 1: 'hops' must be a whole number from 1"),
    (
        CORPUS,
        [{**QUESTION, "evidence": "Ada"}],
        r"line 1: 'evidence' must be a list of objects with 'document'",
    ),
    (CORPUS, [{**QUESTION, "evidence": [{"text": "x"}]}], r"line 1, evidence 1: 'document' is missing"),
    (
        CORPUS,
        [{**QUESTION, "evidence": [{"document": "a", "text": " "}]}],
        r"line 1, evidence 1: 'text' is empty",
    ),
    (
        CORPUS,
        [{**QUESTION, "evidence": [{"document": "z", "text": "Ada"}]}],
        r"line 1, evidence 1: the document 'z' is not in corpus.jsonl",
    ),
    (
        CORPUS,
        [{**QUESTION, "evidence": [{"document": "a", "text": "ada wrote"}]}],
        r"line 1, evidence 1: 'text' does not stand word for word in the document 'a'",
    ),
    (CORPUS, [["not", "an object"]], r"questions.jsonl, line 1: must be a JSON object, got a list"),
    (CORPUS, [], r"questions.jsonl holds no rows"),
    ([], [QUESTION], r"corpus.jsonl holds no rows"),
    ([CORPUS[0], {"_id": "b", "title": "Bob"}], [QUESTION], r"corpus.jsonl, line 2: 'text' is missing"),
    ([{"title": "Ada", "text": "x"}], [QUESTION], r"corpus.jsonl, line 1: '_id' or 'id' is missing"),
    ([{"_id": True, "text": "x"}], [QUESTION], r"line 1: '_id' or 'id' must be text, got true or false"),
    ([{"_id": "a", "text": 5}], [QUESTION], r"corpus.jsonl, line 1: 'text' must be text, got a number"),
    ([CORPUS[0], CORPUS[0]], [QUESTION], r"document id 'a' occurs twice"),
]


@pytest.mark.parametrize(("corpus", "questions", "message"), BAD_OWN)
def test_malformed_own_folder(tmp_path, corpus, questions, message):
    with pytest.raises(InputError, match=message):
        load_dataset(write_own(tmp_path / "x", corpus, questions))


def test_broken_files(tmp_path):
    folder = write_own(tmp_path / "x")
    (folder / "questions.jsonl").write_text(as_lines([QUESTION]) + '{"id": "cut', encoding="utf-8")
    with pytest.raises(InputError, match=r"questions.jsonl, line 2: not valid JSON"):
        load_dataset(folder)
    (folder / "questions.jsonl").write_bytes(b'{"id": "\xff"}')
    with pytest.raises(InputError, match=r"not UTF-8 text \(byte 8\)"):
        load_dataset(folder)
    (write_own(folder) / "corpus.jsonl").unlink()
    with pytest.raises(InputError, match=r"cannot read .*corpus.jsonl: No such file"):
        load_dataset(folder)


def test_nothing_to_load(tmp_path):
    with pytest.raises(InputError, match="there is no data set at"):
        load_dataset(tmp_path / "missing")
    with pytest.raises(InputError, match=r"neither questions.jsonl nor queries.jsonl"):
        load_dataset(tmp_path)


# --- BEIR ---------------------------------------------------------------------------------------------


def test_beir_folder_keeps_judged_queries_only(tmp_path):
    dataset = load_dataset(write_beir(tmp_path / "scifact"))
    assert [(q.id, q.question, q.answers, q.supporting) for q in dataset.questions] == [
        ("q1", "Who wrote?", (), ("a",))
    ]


def test_beir_grades_repeats_no_header_and_windows_lines(tmp_path):
    folder = write_beir(tmp_path / "x", "q2\tb\t2\r\nq2\ta\t0\r\nq2\tb\t1\r\nq1\ta\t0\r\n", split="dev")
    assert [(q.id, q.supporting) for q in load_dataset(folder).questions] == [("q2", ("b",))]


def test_beir_prefers_test_over_train(tmp_path):
    write_beir(tmp_path / "x", "q2\tb\t1\n", split="train")
    assert load_dataset(tmp_path / "x").questions[0].id == "q2"
    write_beir(tmp_path / "x")
    assert load_dataset(tmp_path / "x").questions[0].id == "q1"


def test_beir_title_only_document_is_found_by_its_title(tmp_path):
    folder = write_beir(tmp_path / "x")
    (folder / "corpus.jsonl").write_text(
        as_lines([{"_id": "a", "title": "Ada", "text": ""}]), encoding="utf-8"
    )
    assert load_dataset(folder).documents[0].text == "Ada"


@pytest.mark.parametrize(
    ("qrels", "message"),
    [
        (
            "query-id\tcorpus-id\tscore\nq1\ta\n",
            r"test.tsv, line 2: must be query-id, corpus-id and a whole number",
        ),
        ("q1\ta\t1\nq1\tb\tgood\n", r"test.tsv, line 2: must be"),
        ("q1 a 1\nq2 b 1\n", r"test.tsv, line 2: must be"),
        ("q1\ta\t0\n", r"test.tsv holds no judgement above 0"),
        ("", r"test.tsv holds no judgement above 0"),
        ("q9\ta\t1\n", r"the judged query 'q9' is not in queries.jsonl"),
    ],
)
def test_malformed_qrels(tmp_path, qrels, message):
    with pytest.raises(InputError, match=message):
        load_dataset(write_beir(tmp_path / "x", qrels))


def test_beir_without_qrels_or_text(tmp_path):
    folder = write_beir(tmp_path / "x")
    (folder / "queries.jsonl").write_text(as_lines([{"_id": "q1"}]), encoding="utf-8")
    with pytest.raises(InputError, match=r"queries.jsonl, line 1: 'text' is missing"):
        load_dataset(folder)
    (folder / "qrels" / "test.tsv").unlink()
    with pytest.raises(InputError, match=r"qrels/test.tsv, qrels/dev.tsv or qrels/train.tsv is missing"):
        load_dataset(folder)


# --- native formats -----------------------------------------------------------------------------------


def test_musique_pools_equal_paragraphs_once(tmp_path):
    second = musique_row(
        id="3hop1__9",
        paragraphs=[paragraph("Ada", "Ada  wrote.", False), paragraph("Ada", "Ada read.", True)],
    )
    dataset = load_dataset(write_native(tmp_path, [musique_row(), second]))
    assert [(d.id, d.text) for d in dataset.documents] == [
        ("p0", "Ada wrote."),
        ("p1", "Bob read."),
        ("p2", "Ada read."),  # same title, another text
    ]
    assert gold_texts(dataset) == [["Ada wrote."], ["Ada read."]]
    assert dataset.questions[0].answers == ("Ada", "Lovelace")
    assert [q.type for q in dataset.questions] == ["2hop", "3hop1"]


def test_musique_lines_leave_out_unanswerable_questions(tmp_path):
    path = tmp_path / "musique_full.jsonl"
    path.write_text(as_lines([musique_row(answerable=False), musique_row(id="x")]), encoding="utf-8")
    assert [q.id for q in load_dataset(path).questions] == ["x"]
    lines_in_json = path.rename(path.with_suffix(".json"))
    assert [q.id for q in load_dataset(lines_in_json).questions] == ["x"]


def test_hotpot_and_2wiki(tmp_path):
    dataset = load_dataset(write_native(tmp_path, [hotpot_row()]))
    assert [d.text for d in dataset.documents] == ["Ada wrote. Twice.", "Bob read."]
    assert gold_texts(dataset) == [["Ada wrote. Twice."]]
    assert dataset.questions[0].type == "comparison"
    wiki = hotpot_row(context=[["Ada", ["Ada wrote.", "Twice."]], ["Bob", ["Bob read."]]])
    assert load_dataset(write_native(tmp_path, [wiki])).documents[0].text == "Ada wrote. Twice."


def test_hotpot_as_columns_is_the_same(tmp_path):
    rows = load_dataset(write_native(tmp_path, [hotpot_row()]))
    columns = hotpot_row(
        context={"title": ["Ada", "Bob"], "sentences": [["Ada wrote.", " Twice."], ["Bob read."]]},
        supporting_facts={"title": ["Ada", "Ada"], "sent_id": [0, 1]},
    )
    assert load_dataset(write_native(tmp_path, [columns])) == rows


@pytest.mark.parametrize(
    "corpus",
    [
        [
            {"title": "Zoe", "text": "Zoe slept."},
            {"title": "Bob", "text": "Bob read."},
            {"title": "Ada", "text": "Ada wrote."},
        ],
        {"Zoe": ["Zoe slept."], "Bob": ["Bob read."], "Ada": ["Ada wrote."]},
        {"Zoe": "Zoe slept.", "Bob": "Bob read.", "Ada": "Ada wrote."},
    ],
)
def test_the_corpus_beside_gives_ids_by_position(tmp_path, corpus):
    row = hotpot_row(context=[["Ada", ["Ada wrote."]], ["Bob", ["Bob read."]]])
    dataset = load_dataset(write_native(tmp_path, [row, musique_row(id="m")], corpus))
    assert [(d.id, d.title) for d in dataset.documents] == [("p0", "Zoe"), ("p1", "Bob"), ("p2", "Ada")]
    assert [q.supporting for q in dataset.questions] == [("p2",), ("p2",)]


def test_a_repeated_corpus_row_is_one_document_and_positions_stay(tmp_path):
    corpus = [{"title": "Ada", "text": "Ada wrote."}] * 2 + [{"title": "Bob", "text": "Bob read."}]
    dataset = load_dataset(write_native(tmp_path, [musique_row()], corpus))
    assert [d.id for d in dataset.documents] == ["p0", "p2"]


def test_a_one_row_corpus_is_a_row_not_a_mapping(tmp_path):
    dataset = load_dataset(write_native(tmp_path, [musique_row()], {"title": "Ada", "text": "Ada wrote."}))
    assert [(d.title, d.text) for d in dataset.documents] == [("Ada", "Ada wrote.")]


def test_pairs_with_contexts_and_packed_answers(tmp_path):
    corpus = [{"title": "Ada", "text": "Ada wrote."}, {"title": "Bob", "text": "Bob read."}]
    popqa = {
        "id": 5,
        "question": "What is Ada?",
        "obj": "writer",
        "possible_answers": '["writer", "author"]',
        "o_aliases": "[]",
        "paragraphs": [{"title": "Ada", "text": "Ada wrote."}],  # unmarked, beside a corpus: supporting
    }
    nq = {
        "question": "Who read?",
        "reference": ["Bob"],
        "contexts": [
            {"title": "Ada", "text": "Ada wrote.", "is_supporting": False},
            {"title": "Bob", "text": "Bob read.", "is_supporting": True},
        ],
    }
    titles_only = {
        "_id": "t",
        "question": "Both?",
        "answer": "yes",
        "supporting_facts": [["Bob", 0], ["Ada", 0]],
    }
    dataset = load_dataset(write_native(tmp_path, [popqa, nq, titles_only], corpus))
    assert [(q.id, q.answers, q.supporting) for q in dataset.questions] == [
        ("5", ("writer", "author"), ("p0",)),
        ("q1", ("Bob",), ("p1",)),
        ("t", ("yes",), ("p1", "p0")),
    ]


def test_gold_falls_back_to_the_title_only_where_it_is_unique(tmp_path):
    corpus = [{"title": "Ada", "text": "Ada wrote much."}]
    assert load_dataset(write_native(tmp_path, [musique_row()], corpus)).questions[0].supporting == ("p0",)
    corpus.append({"title": "Ada", "text": "Another Ada."})
    with pytest.raises(InputError, match="row 1: supporting passage 1 is not in the corpus"):
        load_dataset(write_native(tmp_path, [musique_row()], corpus))


BAD_NATIVE = [
    ([musique_row(), musique_row(id="x", question=...)], r"set.json, row 2: 'question' is missing"),
    ([musique_row(answer=..., answer_aliases=[])], r"row 1: 'answer' is missing"),
    ([musique_row(paragraphs=...)], r"row 1: 'paragraphs', 'contexts' or 'context' is missing"),
    ([musique_row(paragraphs="x")], r"row 1: 'paragraphs' or 'contexts' must be a list"),
    ([musique_row(paragraphs=["x"])], r"row 1: paragraph 1 must be an object"),
    (
        [musique_row(paragraphs=[{"title": "Ada"}])],
        r"row 1, paragraph 1: 'paragraph_text' or 'text' is missing",
    ),
    ([musique_row(paragraphs=[{"title": "Ada", "text": "x"}])], r"row 1: no passage is marked as supporting"),
    (
        [musique_row(paragraphs=[paragraph("Ada", "x", "yes")])],
        r"paragraph 1: 'is_supporting' must be true or false",
    ),
    ([musique_row(), musique_row(question="Other?")], r"question id '2hop__1_2' occurs twice"),
    ([musique_row(answerable=False)], r"set.json holds no answerable questions"),
    ([hotpot_row(supporting_facts=...)], r"row 1: 'supporting_facts' is missing"),
    ([hotpot_row(supporting_facts=[])], r"row 1: 'supporting_facts' is missing"),
    (
        [hotpot_row(supporting_facts=["Ada"])],
        r"'supporting_facts' must be a list of \[title, sentence number\]",
    ),
    ([hotpot_row(supporting_facts={"title": ["Ada"]})], r"must hold the lists 'title' and 'sent_id'"),
    (
        [hotpot_row(supporting_facts=[["Zoe", 0]])],
        r"row 1: supporting passage 1 is not in the corpus",
    ),
    ([hotpot_row(context=[["Ada"]])], r"row 1: 'context' must be a list of \[title, sentences\]"),
    ([hotpot_row(context=[["Ada", [1]]])], r"row 1: a passage must be text or a list of sentences"),
    (
        [hotpot_row(context={"title": ["Ada"], "sentences": []})],
        r"must hold the lists 'title' and 'sentences'",
    ),
    ([hotpot_row(context=...)], r"row 1: 'paragraphs', 'contexts' or 'context' is missing"),
    (["x"], r"set.json, row 1: must be a JSON object"),
    ([], r"set.json holds no rows"),
    ("x", r"set.json, row 1: must be a JSON object, got text"),
]


@pytest.mark.parametrize(("rows", "message"), BAD_NATIVE)
def test_malformed_native_file(tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        load_dataset(write_native(tmp_path, rows))


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ([{"title": "Ada"}], r"set_corpus.json, row 1: 'text' or 'paragraph_text' is missing"),
        ({"Ada": [1]}, r"set_corpus.json, passage 1: a passage must be text or a list of sentences"),
        (["Ada"], r"set_corpus.json, row 1: must be a JSON object"),
        ([], r"set_corpus.json holds no rows"),
    ],
)
def test_malformed_corpus_file(tmp_path, corpus, message):
    with pytest.raises(InputError, match=message):
        load_dataset(write_native(tmp_path, [musique_row()], corpus))


def test_native_file_that_is_no_json_or_only_a_corpus(tmp_path):
    path = tmp_path / "set.json"
    path.write_text('[{"id": 1,', encoding="utf-8")
    with pytest.raises(InputError, match=r"set.json is not valid JSON"):
        load_dataset(path)
    path.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(InputError, match=r"nested too deeply|not valid JSON"):
        load_dataset(path)
    write_native(tmp_path, [musique_row()], [])
    with pytest.raises(
        InputError, match=r"corpus without questions; give the question file, such as .*set.json"
    ):
        load_dataset(tmp_path / "set_corpus.json")


# --- the development data -----------------------------------------------------------------------------

PUBLISHED = [
    # path, documents, questions, supporting ids in all
    ("native/sample.json", 3, 1, 1),
    ("native/hotpotqa_train.json", 994, 100, 200),
    ("native/musique_train.json", 1890, 100, 237),
    ("hotpot_train100", 994, 100, 200),
    ("musique_train100", 1890, 100, 237),
    ("musique_pool", 3372, 609, 1557),
    ("2wiki_dev", 6119, 500, 1242),
]


@needs_shared
@pytest.mark.shared
@pytest.mark.parametrize(("path", "documents", "questions", "supporting"), PUBLISHED)
def test_published_sets_load(path, documents, questions, supporting):
    dataset = load_dataset(SHARED / path)
    assert (len(dataset.documents), len(dataset.questions)) == (documents, questions)
    assert sum(len(q.supporting) for q in dataset.questions) == supporting
    assert all(q.answers and q.supporting for q in dataset.questions)
    require_gold(dataset)


@needs_shared
@pytest.mark.shared
@pytest.mark.parametrize(
    ("native", "prepared"),
    [("native/musique_train.json", "musique_train100"), ("native/hotpotqa_train.json", "hotpot_train100")],
)
def test_native_files_have_the_gold_of_the_prepared_folders(native, prepared):
    def titles(dataset):
        named = {document.id: document.title for document in dataset.documents}
        return {q.id: (sorted(named[id_] for id_ in q.supporting), set(q.answers)) for q in dataset.questions}

    assert titles(load_dataset(SHARED / native)) == titles(load_dataset(SHARED / prepared))


@needs_shared
@pytest.mark.shared
@pytest.mark.parametrize("name", ["musique_train", "hotpotqa_train"])
def test_pooling_gives_the_published_corpus(tmp_path, name):
    beside = load_dataset(SHARED / "native" / f"{name}.json")
    alone = tmp_path / f"{name}.json"
    alone.write_bytes((SHARED / "native" / f"{name}.json").read_bytes())
    pooled = load_dataset(alone)
    assert {(d.title, d.text) for d in pooled.documents} == {(d.title, d.text) for d in beside.documents}
    assert [set(texts) for texts in gold_texts(pooled)] == [set(texts) for texts in gold_texts(beside)]
