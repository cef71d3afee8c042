"""A document's text and a user's key are planted, and looked for wherever they do not belong."""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from llm_server import status

from hipporag_like.config import Config, LLMConfig
from hipporag_like.errors import ConfigError, HippoRAGLikeError, LLMError
from hipporag_like.models.quotes import without_quotes

CANARY = "Quorvexil"  # a word that is nowhere else
KEY = "sk-canary-0123456789abcdef"


def _load(name: str) -> ModuleType:
    """Import a helper of ``tests/faults``, which is in no package."""
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "faults" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


cases = _load("bad_input_cases")
runner = _load("bad_input_run")
# Words of the inputs of those cases; the canary takes their place in every file.
WORDS = (b"Calverin", b"lamp", b"A b", b"Ossiane", b"ANSWER", b"au lait", b"I am no PDF")


def plant() -> None:
    """Put the canary into every input file, whatever is wrong with it."""
    for path in [path for path in Path().iterdir() if path.is_file()] + [*Path("data").glob("*")]:
        data = path.read_bytes()
        for word in WORDS:
            data = data.replace(word, CANARY.encode())
        path.write_bytes(data)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The folder that every case starts from; the canary is in every one of its documents."""
    folder = tmp_path_factory.mktemp("canary") / "base"
    runner.make_folder(folder)
    rows = [json.loads(line) for line in (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row.update(
            title=f"{CANARY} {row['title']}", text=f"{CANARY} came first. {row['text']} {CANARY} came last."
        )
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with runner.inside(folder):
        made = runner.call(cases.INDEX)
    assert made.code == 0 and CANARY not in made.stderr, made.stderr
    return folder


FAILING = [case for case in cases.CASES if not case.shell and "index" in case.typed + case.kind and case.code]


@pytest.mark.filterwarnings("ignore")  # those of what reads office files
@pytest.mark.parametrize("case", FAILING, ids=lambda case: case.kind)
def test_no_failing_command_says_what_is_in_a_document(case, base, tmp_path, caplog):
    if case.needs:
        pytest.importorskip(case.needs)
    caplog.set_level(logging.DEBUG)
    planted = replace(case, setup=lambda: (case.setup(), plant())[0])
    if case.kind in ("source not readable", "source folder not readable", "named pipe"):
        planted = case  # nothing can be planted there
    result = runner.run(planted, base, tmp_path.resolve() / "here")
    assert CANARY not in result.stderr + result.stdout + caplog.text


C = CANARY
GOOD = f'{{"_id": "x", "text": "{C} slept."}}\n'
ASKED = f'{{"id": "q", "question": "Who?", "answers": ["{C}"], "supporting": ["x"]}}\n'
HOTPOT = {"_id": "h", "question": f"{C}?", "answer": C, "supporting_facts": [[C, 0]]}
BAD_SETS = {
    "a question row is a text": {"corpus.jsonl": GOOD, "questions.jsonl": f'"{C}"\n'},
    "a row is no JSON": {"corpus.jsonl": GOOD, "questions.jsonl": f'{{"question": "{C}'},
    "answers are an object": {
        "corpus.jsonl": GOOD,
        "questions.jsonl": ASKED.replace(f'["{C}"]', f'{{"{C}": 1}}'),
    },
    "answers hold a list": {"corpus.jsonl": GOOD, "questions.jsonl": ASKED.replace(f'"{C}"', f'["{C}"]')},
    "a document row is a text": {"corpus.jsonl": f'"{C}"\n', "questions.jsonl": ASKED},
    "a document's text is a list": {
        "corpus.jsonl": f'{{"_id": "x", "text": ["{C}"]}}\n',
        "questions.jsonl": ASKED,
    },
    "evidence that is not there": {
        "corpus.jsonl": GOOD,
        "questions.jsonl": ASKED.replace(
            '"supporting": ["x"]',
            f'"supporting": ["x"], "evidence": [{{"document": "x", "text": "{C} woke."}}]',
        ),
    },
    "a supporting passage that is not there": {
        "set.json": json.dumps([HOTPOT | {"context": [["Other", [f"{C} a"]]]}])
    },
    "a context of numbers": {"set.json": json.dumps([HOTPOT | {"context": [[C, [1]]]}])},
    "a corpus of titles with a number": {
        "set.json": json.dumps(
            [{"_id": "h", "question": f"{C}?", "answer": C, "supporting_facts": [[C, 0]]}]
        ),
        "set_corpus.json": json.dumps({C: [1]}),
    },
    "paragraphs that are texts": {
        "set.json": json.dumps([{"id": "2hop__1", "question": C, "paragraphs": [C]}])
    },
}


@pytest.mark.parametrize("kind", BAD_SETS)
def test_no_bad_data_set_is_quoted(kind, tmp_path):
    (tmp_path / "data").mkdir()
    for name, text in BAD_SETS[kind].items():
        (tmp_path / "data" / name).write_text(text)
    where = "data/set.json" if "set.json" in BAD_SETS[kind] else "data"
    with runner.inside(tmp_path):
        result = runner.call(f"eval {where} --embedder hashing --method bm25")
    assert result.code == 2 and result.stderr.count("error: ") == 1, result.stderr
    assert CANARY not in result.stderr + result.stdout


def test_no_run_file_is_quoted(tmp_path):
    from hipporag_like.eval.trec import read_run

    for line in (f"{C} wrote a letter to {C}", f"a b c d {C} f", f"{C} {C}"):
        path = tmp_path / "x.run"
        path.write_text(line + "\n")
        with pytest.raises(HippoRAGLikeError) as caught:
            read_run(path)
        assert CANARY not in str(caught.value)


def test_what_nobody_foresaw_is_not_quoted(capsys):
    from hipporag_like.cli._errors import last_resort

    try:
        {}[f"{C} slept"]
    except KeyError as error:
        last_resort(KeyError, error, error.__traceback__)
    said = capsys.readouterr().err
    assert CANARY not in said and "unexpected error: KeyError in test_canary.py, line" in said


# --- keys, and what is sent to a model


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "corpus.jsonl").write_text(
        f'{{"_id": "x", "text": "{C} lit the lamp of Skerrow in 1731."}}\n'
    )
    (tmp_path / "data" / "questions.jsonl").write_text(ASKED)
    (tmp_path / "o.toml").write_text("[llm]\nretries = 0\ntimeout = 2.0\n")
    return tmp_path


def call(line: str) -> runner.Result:
    """Run a command line that keeps the key in its environment."""
    import shlex

    from typer.testing import CliRunner

    from hipporag_like.cli.app import app

    done = CliRunner(env={**runner.CLEAN, "OPENAI_API_KEY": KEY}).invoke(app, shlex.split(line))
    error = None if isinstance(done.exception, SystemExit) else done.exception
    return runner.Result(done.exit_code, done.stdout, done.stderr, error)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the client lives as long as a process
def test_the_key_is_in_no_file_and_no_output(corpus, llm_server, caplog):
    """Index with a model, ask, count, evaluate, experiment, report: the key goes to the server and nowhere else."""
    pytest.importorskip("openai")
    caplog.set_level(logging.DEBUG)
    llm_server.answer = lambda body: "ANSWER: Quorvexil [1]"
    model = f"--llm openai:m --base-url {llm_server.base_url}"
    lines = [
        f"index data/corpus.jsonl --index ix --embedder hashing --extractor llm {model}",
        f'ask "Who lit the lamp?" --index ix --reader llm {model} --json',
        "stats --index ix --json",
        "verify --index ix",
        f"eval data --embedder hashing --method graph --filter {model} --json numbers.json",
        "export --index ix --format json --out graph.json",
        f"experiment data --embedder hashing --method bm25 --out ex {model}",
        "report ex",
    ]
    said = ""
    for line in lines:
        result = call(line)
        said += result.stdout + result.stderr + repr(result.error)
    assert llm_server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in said and KEY not in caplog.text
    files = [path for path in corpus.rglob("*") if path.is_file()]
    assert {"journal.db", "numbers.json", "results.json", "report.html"} <= {path.name for path in files}
    assert [str(path) for path in files if KEY.encode() in path.read_bytes()] == []


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the client lives as long as a process
@pytest.mark.parametrize("code", [400, 422, 429, 500])
def test_a_server_that_quotes_what_was_sent_is_not_repeated(llm_server, monkeypatch, code):
    pytest.importorskip("openai")
    from hipporag_like.models.llms import load_llm
    from hipporag_like.models.protocols import Message, Prompt

    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    text = f'A secret passage: {C} "lit" the lamp\nof Skerrow in the year of the comet.'
    llm_server.script(*[lambda body: status(code, f"bad input {body['messages']!r}, said {text}")] * 9)
    llm = load_llm(LLMConfig(model="openai:m", base_url=llm_server.base_url, retries=0))
    with pytest.raises(LLMError) as caught:
        llm.complete(Prompt((Message("user", text),), 10, "read"))
    assert CANARY not in str(caught.value) and "bad input" in str(caught.value)


@pytest.mark.parametrize(
    ("message", "sent", "shown"),
    [
        ("too long: the lamp of Skerrow burns", "In 1731 the lamp of Skerrow burns out", "too long:[...]"),
        ("no model m", "the model m is here", "no model m"),
        ("", "x" * 50, ""),
        ("short", "short", "short"),
        ("a 'twelve chars' b 'twelve chars'", "twelve chars", "a '[...]' b '[...]'"),
    ],
)
def test_what_was_sent_is_cut_out_of_a_message(message, sent, shown):
    assert without_quotes(message, sent) == shown


SECRETS = [
    {"base_url": f"http://me:{KEY}@host/v1"},
    {"base_url": f"http://{KEY}@host/v1"},
    {"base_url": f"http://host/v1?api-key={KEY}"},
    {"api_key_env": KEY},
    {"api_key_env": "gsk_abc123"},
    {"api_key": KEY},
    KEY,
]


@pytest.mark.parametrize("options", SECRETS, ids=str)
def test_a_configuration_with_a_secret_is_refused_and_not_repeated(options):
    with pytest.raises(ConfigError) as caught:
        Config.from_dict({"llm": options})
    assert KEY not in str(caught.value) and "gsk_" not in str(caught.value)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the client lives as long as a process
def test_a_password_in_a_proxys_address_is_not_repeated(corpus, monkeypatch):
    pytest.importorskip("openai")
    assert call("index data/corpus.jsonl --index ix --embedder hashing").code == 0
    for proxy in (f"http://me:{KEY}@127.0.0.1:9", f"me:{KEY}@127.0.0.1:9", f"ftp://me:{KEY}@127.0.0.1:9"):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        monkeypatch.setattr(runner, "CLEAN", {**runner.CLEAN, "NO_PROXY": None, "no_proxy": None})
        result = call(
            'ask "Who lit the lamp?" --index ix --reader openai:m --base-url http://10.0.0.1/v1 --config o.toml'
        )
        assert result.code == 1 and KEY not in result.stderr + result.stdout + repr(result.error), (
            result.stderr
        )


def test_no_answer_of_a_model_is_quoted(tmp_path):
    from hipporag_like.models.prompts import Prompts
    from hipporag_like.models.protocols import Message, Prompt
    from hipporag_like.models.scripted import ScriptedLLM
    from hipporag_like.models.structured import AnswerError, ask

    def refuse(_: str) -> None:
        raise AnswerError("it is no list")

    with pytest.raises(LLMError, match="it is no list") as caught:
        ask(
            ScriptedLLM([f"{C} slept."] * 3),
            Prompt((Message("user", "x"),), 10, "read"),
            refuse,
            Prompts.load(),
        )
    assert CANARY not in str(caught.value)
