"""Options about language models: what they ask of the library, and what a person and a program are told of costs."""

import dataclasses
import json

import pytest

from hipporag_like.cli import _costs, _session
from hipporag_like.config import Config, LLMConfig, ReadConfig
from hipporag_like.errors import EndpointDownError, UsageError
from hipporag_like.indexing.estimate import Estimate
from hipporag_like.models.streaming import AnswerStream
from hipporag_like.types import Document, IndexReport, Step, Usage

SPENT = {
    "filter": Usage(calls=1, input_tokens=1200, output_tokens=6),
    "read": Usage(cached=1),
}
PRICED = Config(llm=LLMConfig(model="openai:m", input_price=2.0, output_price=10.0))


@pytest.fixture
def loaded(monkeypatch):
    monkeypatch.setattr(_session, "load_sources", lambda *arguments: ([Document("a text")], []))


def only(fake, name):
    (arguments,) = [arguments for called, arguments in fake.calls if called == name]
    return arguments


@pytest.mark.parametrize("command", ["query", "ask", "explain", "index"])
def test_the_model_and_its_address_go_into_the_configuration(cli, fake, index_dir, loaded, command):
    options = ["--llm", "openai:m", "--base-url", "http://localhost:1/v1"]
    assert cli(command, "q", "--index", index_dir, *options).exit_code == 0
    llm = only(fake, "open")["config"].llm
    assert (llm.model, llm.base_url) == ("openai:m", "http://localhost:1/v1")


@pytest.mark.parametrize(("option", "value"), [("--filter", True), ("--no-filter", False), (None, None)])
@pytest.mark.parametrize(
    ("command", "called"), [("query", "retrieve_many"), ("ask", "ask"), ("explain", "explain")]
)
def test_the_filter_is_on_off_or_left_to_the_configuration(
    cli, fake, index_dir, command, called, option, value
):
    assert cli(command, "q", "--index", index_dir, *filter(None, [option])).exit_code == 0
    assert only(fake, called)["filter"] is value


@pytest.mark.parametrize("command", ["ask", "explain"])
def test_steps_reach_the_library(cli, fake, index_dir, command):
    cli(command, "q", "--index", index_dir, "--iterative", "--steps", 4)
    asked = only(fake, command)
    assert (asked["iterative"], asked["steps"]) == (True, 4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ask", "--steps", "2"], "add --iterative"),
        (["explain", "--iterative", "--steps", "0"], "from 1 to 20"),
        (["query", "--filter", "--method", "bm25"], "graph or hipporag2"),
        (["ask", "--filter", "--method", "hipporag"], "graph or hipporag2"),
        (["ask", "--stream", "--json"], "choose one"),
        (["ask", "--llm", "gpt"], "openai:MODEL"),
    ],
)
def test_options_that_contradict_each_other_are_refused_before_anything_is_opened(
    cli, fake, index_dir, arguments, words
):
    command, *options = arguments
    result = cli(command, "q", "--index", index_dir, *options)
    assert (result.exit_code, result.stdout, fake.calls) == (2, "", [])
    assert words in result.stderr and result.stderr.startswith("error: ") and result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "called"), [("query", "retrieve_many"), ("ask", "ask"), ("explain", "explain")]
)
def test_how_many_passages_is_left_to_the_configuration(cli, fake, index_dir, command, called):
    cli(command, "q", "--index", index_dir)
    assert only(fake, called)["k"] is None


def test_eval_passes_the_model_and_the_filter_on(cli, monkeypatch):
    import hipporag_like.eval.experiment as experiment

    seen = []
    spent = dataclasses.asdict(SPENT["filter"])
    numbers = {
        "dataset": "d",
        "n_questions": 1,
        "systems": {"hipporag2": {"recall@5": 50.0, "usage": {"filter": spent}}},
        "index": {"usage": {"entities": spent}},
    }
    monkeypatch.setattr(
        experiment, "build_and_evaluate", lambda *arguments, **options: seen.append(arguments) or numbers
    )
    result = cli("eval", "set", "--llm", "openai:m", "--base-url", "http://x/v1", "--no-filter")
    config = seen[0][-1]
    assert (config.llm.model, config.llm.base_url, config.search.filter) == ("openai:m", "http://x/v1", "off")
    assert result.stdout.splitlines()[-2:] == [
        "index  entities: 1 call, 1,200 tokens in, 6 out",
        "hipporag2  filter: 1 call, 1,200 tokens in, 6 out",
    ]


def test_an_estimate_opens_the_index_and_indexes_nothing(cli, fake, index_dir, loaded):
    usage = {"entities": Usage(calls=2, cached=1, input_tokens=2000, output_tokens=300), "triples": Usage(2)}
    fake.estimated = Estimate(9, 1500, 1400, usage, 0.0123, "EUR", "answers are assumed")
    result = cli("index", "x", "--index", index_dir, "--estimate")
    assert result.exit_code == 0
    assert [name for name, _ in fake.calls] == ["open", "estimate"]
    rows = dict(line.split(None, 1) for line in result.stdout.splitlines() if line and line[0] != " ")
    assert rows["passages"] == "1,500  (100 new, 1,400 known)"
    assert rows["calls"] == "4  (1 more from the cache)"
    assert rows["cost"] == "0.0123 EUR"
    assert rows["tokens"] == "out  300" and "answers are assumed" in result.stdout
    row = json.loads(cli("index", "x", "--index", index_dir, "--estimate", "--json").stdout)
    expected = [9, 1500, 1400, 100, 4, 1, 2000, 300, 0.0123, "EUR"]
    assert list(row.values())[:10] == expected
    assert row["usage"]["entities"]["input_tokens"] == 2000


def test_an_estimate_without_prices_says_how_to_give_them_and_one_without_calls_that_there_are_none(
    cli, fake, index_dir, loaded
):
    fake.estimated = Estimate(1, 1, 0, {"entities": Usage(1, input_tokens=5)}, None)
    text = " ".join(cli("index", "x", "--index", index_dir, "--estimate").stdout.split())
    assert "no price given: set [llm] input_price and output_price" in text
    fake.estimated = Estimate(1, 1, 0, {}, 0.0)
    assert "calls no language model" in cli("index", "x", "--index", index_dir, "--estimate").stdout


def test_a_run_stopped_by_the_endpoint_says_that_the_same_command_goes_on(
    cli, fake, index_dir, loaded, monkeypatch
):
    def index(self, documents, **options):
        raise EndpointDownError("http://x/v1 cannot be reached; start the server")

    monkeypatch.setattr(fake, "index", index)
    result = cli("index", "x", "--index", index_dir)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "error: http://x/v1 cannot be reached; start the server; what was done is kept, run the same command "
        "again to go on\n"
    )


def test_index_tells_usage_by_stage_and_the_price(cli, fake, index_dir, loaded, tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(PRICED.to_toml(), encoding="utf-8")
    spent = {"entities": Usage(3, 2, 1, 1, 1000, 100), "triples": Usage(2, 0, 0, 2, 500_000, 1)}
    fake.report = IndexReport(added=1, usage=spent)
    lines = cli("index", "x", "--index", index_dir, "--config", file, COLUMNS="120").stdout.splitlines()
    assert [line.strip() for line in lines[-3:]] == [
        "models     entities: 3 calls, 1 retry, 2 from the cache, 1 failed, 1,000 tokens in, 100 out",
        "triples: 2 calls, 2 retries, 500,000 tokens in, 1 out",
        "cost: 1.00 USD",
    ]
    row = json.loads(cli("index", "x", "--index", index_dir, "--config", file, "--json").stdout)
    assert row["usage"]["entities"]["calls"] == 3
    assert row["money"] == pytest.approx((501_000 * 2 + 101 * 10) / 1e6) and row["currency"] == "USD"
    fake.report = IndexReport(added=1)
    assert "models" not in cli("index", "x", "--index", index_dir).stdout


def test_ask_tells_usage_dropped_citations_and_thoughts(cli, fake, index_dir):
    steps = (Step("q", "Find  the director\nfirst.", fake.trace), Step("Find.", None, fake.trace))
    fake.answer = dataclasses.replace(fake.answer, usage=SPENT, dropped_citations=2, steps=steps)
    lines = cli("ask", "q", "--index", index_dir).stdout.splitlines()
    assert lines[1:6] == [
        "confidence 0.83, reader extractive",
        "step 1: Find the director first.",
        "left out: 2 citations not borne out by the passages",
        "filter: 1 call, 1,200 tokens in, 6 out",
        "read: 1 from the cache",
    ]
    row = json.loads(cli("ask", "q", "--index", index_dir, "--json").stdout)
    assert row["usage"]["filter"]["input_tokens"] == 1200 and row["dropped_citations"] == 2
    assert [step["thought"] for step in row["steps"]] == ["Find  the director\nfirst.", None]
    assert row["steps"][0]["trace"]["hits"][0]["document_id"] == "people-7"


def test_explain_shows_each_step_compactly_and_all_of_it_as_json(cli, fake, index_dir):
    steps = (Step("q", "Who directed it?", fake.trace), Step("Who directed it?", None, fake.trace))
    fake.trace = dataclasses.replace(fake.trace, steps=steps, usage=SPENT)
    text = cli("explain", "q", "--index", index_dir).stdout
    lines = [line.strip() for line in text.splitlines()]
    at = lines.index("Steps")
    assert lines[at + 1 : at + 6] == [
        "1  q",
        "found: Steven Spielberg 0.912, Jaws 0.400",
        "thought: Who directed it?",
        "2  Who directed it?",
        "found: Steven Spielberg 0.912, Jaws 0.400",
    ]
    assert lines[-1] == "read: 1 from the cache"
    row = json.loads(cli("explain", "q", "--index", index_dir, "--json").stdout)
    assert row["steps"][1]["query"] == "Who directed it?" and row["steps"][1]["trace"]["seeds"]


def test_a_streamed_answer_reads_like_one_that_came_at_once(cli, fake, index_dir):
    at_once = cli("ask", "q", "--index", index_dir, "--no-stream").stdout
    assert cli("ask", "q", "--index", index_dir, "--stream").stdout == at_once
    assert [name for name, _ in fake.calls if name != "open"] == ["ask", "stream"]
    fake.answer = dataclasses.replace(fake.answer, text=None, citations=())
    at_once = cli("ask", "q", "--index", index_dir).stdout
    assert cli("ask", "q", "--index", index_dir, "--stream").stdout == at_once


def test_a_stream_that_breaks_ends_its_line_and_is_an_error(cli, fake, index_dir, monkeypatch):
    def parts():
        yield "Cincin\x1b[2Jnati"
        raise EndpointDownError("the server went away; start it again")

    monkeypatch.setattr(fake, "stream", lambda self, question, k, **options: AnswerStream(parts()))
    result = cli("ask", "q", "--index", index_dir, "--stream")
    assert (result.exit_code, result.stdout) == (1, "Cincin[2Jnati\n")  # no control character gets through
    assert result.stderr == "error: the server went away; start it again\n"


@pytest.mark.parametrize(
    ("read", "llm", "expected"),
    [
        ("extractive", "openai:m", 0.00246 + 0.0),
        ("openai:other", "", None),  # no price, and a paid service
    ],
)
def test_a_reader_of_its_own_name_is_priced_as_what_it_is(read, llm, expected):
    prices = {"input_price": 2.0, "output_price": 10.0} if llm else {}
    config = Config(llm=LLMConfig(model=llm, **prices), read=ReadConfig(reader=read))
    usage = {"filter": SPENT["filter"]} if llm else {"read": Usage(1, input_tokens=100)}
    assert _costs.cost(usage, config).money == (None if expected is None else pytest.approx(expected))


EMBEDDED = {"entities": Usage(1, input_tokens=10**6), "embed": Usage(1, input_tokens=10**6)}


@pytest.mark.parametrize(
    ("prices", "money", "line"),
    [
        ({"input_price": 2.0}, 2.0, "cost: 2.00 USD; embed: no price, set llm.embed_price"),
        (
            {"embed_price": 0.5},
            0.5,
            "cost: 0.5000 USD; entities: no price, set llm.input_price and llm.output_price",
        ),
        ({"input_price": 2.0, "embed_price": 0.5}, 2.5, "cost: 2.50 USD"),
        ({}, None, None),  # who states no price is not asked for one
    ],
)
def test_what_has_a_price_is_priced_and_what_has_none_is_named(prices, money, line):
    cost = _costs.cost(EMBEDDED, Config(llm=LLMConfig(model="openai:m", **prices)))
    assert cost.money == money
    unpriced = {"entities": "input_price", "embed": "embed_price"}
    assert cost.unpriced == tuple(stage for stage, name in unpriced.items() if name not in prices)
    assert [said for said in _costs.stage_lines(cost) if "cost" in said] == ([line] if line else [])


def test_an_embedder_without_a_price_is_named_where_it_alone_was_used():
    config = Config(llm=LLMConfig(model="openai:m", input_price=2.0))
    cost = _costs.cost({"embed": Usage(1, input_tokens=5), "entities": Usage(cached=3)}, config)
    assert cost.money is None
    assert _costs.stage_lines(cost)[-1] == "cost: embed: no price, set llm.embed_price"


def test_the_stages_without_a_price_are_in_the_json(cli, fake, index_dir, loaded, tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(PRICED.to_toml(), encoding="utf-8")
    fake.report = IndexReport(added=1, usage=EMBEDDED)
    row = json.loads(cli("index", "x", "--index", index_dir, "--config", file, "--json").stdout)
    assert (row["money"], row["unpriced"]) == (2.0, ["embed"])


@pytest.mark.parametrize(
    ("money", "words"),
    [
        (0.0, "0.00 USD"),
        (0.00001, "less than 0.0001 USD"),
        (0.01234, "0.0123 USD"),
        (1234.5, "1,234.50 USD"),
        (None, _costs.NO_PRICE),
    ],
)
def test_money_in_words(money, words):
    assert _costs.price_words(money, "USD") == words


def test_a_number_of_steps_alone_is_a_mistake():
    _session.check_steps(True, 3)
    _session.check_steps(False, None)
    with pytest.raises(UsageError, match="--iterative"):
        _session.check_steps(False, 3)
