"""The commands with a scripted language model on a small index: from the command line to the model and back."""

import json

import pytest
from llm_server import chat, status, stream

ROWS = [
    {
        "_id": "lamp",
        "title": "Harrow Lamp",
        "text": "The Harrow Lamp was lit by Ossiane. It stands in Calverin.",
    },
    {"_id": "ossiane", "title": "Ossiane", "text": "Ossiane was a glassblower. She was born in Tarn."},
    {"_id": "tarn", "title": "Tarn", "text": "Tarn is an isle of fishermen. Its mayor is Old Pell."},
]
RULES = [
    ("entities", "lit by", {"entities": ["Harrow Lamp", "Ossiane", "Calverin"]}),
    ("entities", "glassblower", {"entities": ["Ossiane", "Tarn"]}),
    ("entities", "fishermen", {"entities": ["Tarn", "Old Pell"]}),
    ("triples", "lit by", {"triples": [["Harrow Lamp", "lit by", "Ossiane"]]}),
    ("triples", "glassblower", {"triples": [["Ossiane", "born in", "Tarn"]]}),
    ("triples", "fishermen", {"triples": [["Old Pell", "mayor of", "Tarn"]]}),
    ("question_entities", "", {"entities": ["Harrow Lamp"]}),
    ("filter", "", {"facts": [1]}),
    ("thought", "(none)", "Ossiane lit the Harrow Lamp, so it must be found where Ossiane was born."),
    ("thought", "", "She was born in Tarn. So the answer is: Tarn."),
    ("read", "", 'ANSWER: Tarn\n[1] "born in Tarn"\n[2] "born in Tarn"\n[9] "nothing"'),
]
QUESTION = "Where was she born who lit the Harrow Lamp?"


def script(path, rules):
    texts = [{"stage": stage, "contains": words, "answer": answer} for stage, words, answer in rules]
    path.write_text(json.dumps({"rules": texts}), encoding="utf-8")
    return f"scripted:{path}"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return tmp_path


@pytest.fixture
def made(cli, here):
    """Return ``index`` on an index of the three rows, with their facts by a scripted model."""
    model = script(here / "model.json", RULES)
    command = ["index", "rows.jsonl", "--index", "ix", "--embedder", "hashing", "--extractor", "llm"]
    result = cli(*command, "--llm", model, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_extraction_is_reported_by_stage_and_costs_nothing_the_second_time(cli, here, made):
    assert {stage: part["calls"] for stage, part in made["usage"].items()} == {"entities": 3, "triples": 3}
    assert made["money"] == 0.0 and made["failures"] == []
    again = json.loads(cli("index", "rows.jsonl", "--index", "ix", "--json").stdout)
    assert (again["unchanged"], again["usage"]) == (3, {})


def test_an_estimate_writes_nothing_and_knows_what_was_done(cli, here, made):
    model = ["--llm", f"scripted:{here / 'model.json'}", "--estimate", "--json"]
    command = ["index", "rows.jsonl", "--extractor", "llm", "--embedder", "hashing"]
    fresh = json.loads(cli(*command, "--index", "new", *model).stdout)
    assert (fresh["passages"], fresh["new"], fresh["calls"]) == (3, 3, 6) and fresh["input_tokens"] > 0
    assert not (here / "new").exists()
    known = json.loads(cli(*command, "--index", "ix", *model).stdout)
    assert (known["passages"], known["new"], known["calls"]) == (3, 0, 0)
    rules = json.loads(cli("index", "rows.jsonl", "--index", "new", "--estimate", "--json").stdout)
    assert (rules["calls"], rules["usage"]) == (0, {}) and not (here / "new").exists()


def test_a_passage_that_fails_is_listed_counted_and_tried_again(cli, here):
    half = script(here / "half.json", [rule for rule in RULES if rule[1] != "fishermen"])
    command = ["index", "rows.jsonl", "--index", "ix", "--embedder", "hashing", "--extractor", "llm"]
    first = cli(*command, "--llm", half)
    assert first.exit_code == 0 and "1 failed" in first.stdout
    assert "tarn#0" in first.stderr and "no rule of the script" in " ".join(first.stderr.split())
    second = json.loads(cli("index", "rows.jsonl", "--index", "ix", "--json").stdout)
    assert second["usage"]["entities"]["failed"] == 1 and [f["source"] for f in second["failures"]] == [
        "tarn#0"
    ]


@pytest.mark.parametrize("method", ["graph", "hipporag", "hipporag2"])
def test_every_method_answers_from_the_models_facts(cli, here, made, method):
    result = cli("query", QUESTION, "--index", "ix", "--method", method, "--json", "-k", 2)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert "lamp" in {row["document_id"] for row in rows}, result.output
    text = cli("explain", QUESTION, "--index", "ix", "--method", method).stdout
    assert ("filter: " in text) is (method == "hipporag2")
    assert ("question entities: " in text) is (method == "hipporag")


def test_the_filter_is_asked_for_and_turned_off(cli, here, made):
    for options, called in (
        (["--filter"], True),
        ([], False),
        (["--method", "hipporag2", "--no-filter"], False),
    ):
        row = json.loads(cli("explain", QUESTION, "--index", "ix", "--json", *options).stdout)
        assert ("filter" in row["usage"]) is called, options


def test_an_iterative_answer_with_verified_citations(cli, here, made):
    command = ["ask", QUESTION, "--index", "ix", "--iterative", "--reader", "llm"]
    row = json.loads(cli(*command, "--json").stdout)
    assert row["answer"] == "Tarn" and row["reader"] == "llm"
    # Of the three only the one that names the passage which holds it.
    assert [(c["document_id"], c["quote"]) for c in row["citations"]] == [("ossiane", "born in Tarn")]
    assert row["dropped_citations"] == 2
    assert [step["thought"] for step in row["steps"]] == [rule[2] for rule in RULES if rule[0] == "thought"]
    assert (row["usage"]["thought"]["calls"], row["usage"]["read"]["calls"]) == (2, 1)
    one = json.loads(cli(*command, "--steps", 1, "--json").stdout)
    assert len(one["steps"]) == 1 and "thought" not in one["usage"]


def test_the_second_time_a_question_is_asked_nothing_is_called(cli, here, made):
    command = ["ask", QUESTION, "--index", "ix", "--reader", f"scripted:{here / 'model.json'}"]
    assert json.loads(cli(*command, "--json").stdout)["usage"]["read"]["calls"] == 1
    assert "read: 1 from the cache" in cli(*command).stdout
    streamed = cli(*command, "--stream")
    assert streamed.stdout == cli(*command).stdout and streamed.stdout.startswith("Tarn [1]\n")


def test_eval_reports_usage_for_each_system(cli, here, made):
    (here / "set").mkdir()
    (here / "rows.jsonl").rename(here / "set" / "corpus.jsonl")
    question = {"id": "1", "question": QUESTION, "answers": ["Tarn"], "supporting": ["lamp", "ossiane"]}
    (here / "set" / "questions.jsonl").write_text(json.dumps(question) + "\n", encoding="utf-8")
    options = ["--index", "ix", "--llm", f"scripted:{here / 'model.json'}", "--json", "-"]
    methods = ["--method", "hipporag2", "--method", "graph"]
    result = cli("eval", "set", *methods, *options)
    systems = json.loads(result.stdout)["systems"]
    assert (
        systems["hipporag2"]["usage"]["filter"]["calls"] == 2
    )  # the question, and the untimed call before it
    assert "usage" not in systems["graph"]
    assert (
        "usage"
        not in json.loads(cli("eval", "set", *methods, *options, "--no-filter").stdout)["systems"][
            "hipporag2"
        ]
    )


def said(body):
    """Answer a request as the rules say; the stage is told by the words of its instructions."""
    system, last = body["messages"][0]["content"], body["messages"][-1]["content"]
    stage = "read" if "ANSWER:" in system else "triples" if "into facts" in system else "entities"
    text = next(a for s, words, a in RULES if s == stage and words in last)
    return chat(text if isinstance(text, str) else json.dumps(text))(body)


KEY = "sk-of-nobody-123"
PAID = "[llm]\nconcurrency = 1\ninput_price = 1.0\noutput_price = 10.0\n"  # one call at a time: a known order


def test_a_run_that_the_endpoint_stops_goes_on_where_it_stopped(cli, here, llm_server):
    (here / "c.toml").write_text(PAID, encoding="utf-8")
    command = ["index", "rows.jsonl", "--index", "ix", "--embedder", "hashing", "--config", "c.toml"]
    model = ["--extractor", "llm", "--llm", "openai:m", "--base-url", llm_server.base_url]
    llm_server.script(said, said, said, status(401, f"wrong key {KEY}"))
    stopped = cli(*command, *model, "--json", OPENAI_API_KEY=KEY)
    assert (stopped.exit_code, stopped.stdout) == (1, "")
    assert stopped.stderr.count("\n") == 1 and "refuses the key" in stopped.stderr
    assert "what was done is kept, run the same command again to go on" in stopped.stderr
    llm_server.script(said, said, said)
    resumed = cli(*command, *model, "--json", OPENAI_API_KEY=KEY)
    row = json.loads(resumed.stdout)
    usage = row["usage"].values()
    assert (sum(u["calls"] for u in usage), row["failures"]) == (3, [])  # six in all, three of them before
    assert row["money"] == pytest.approx(3 * (7 * 1.0 + 3 * 10.0) / 1e6)  # the server says 7 in, 3 out
    assert KEY not in stopped.output + resumed.output
    kept = b"".join(path.read_bytes() for path in (here / "ix").rglob("*") if path.is_file())
    assert b"Old Pell" in kept and KEY.encode() not in kept


def test_an_answer_streams_from_a_server(cli, here, made, llm_server):
    llm_server.script(said)
    command = ["ask", QUESTION, "--index", "ix", "--reader", "openai:m", "--base-url", llm_server.base_url]
    result = cli(*command, "--stream")
    assert result.stdout.startswith("Tarn") and "reader openai:m" in result.stdout, result.output
    assert llm_server.requests[-1].body["stream"] is True
    llm_server.script(lambda body: stream(body, ["ANSWER: Ta"], finish=None, done=False))
    broken = cli(*command, "--stream", "-k", 1)
    assert (broken.exit_code, broken.stdout) == (1, "Ta\n") and broken.stderr.startswith("error: ")
