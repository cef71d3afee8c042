"""What each command asks of the library."""

import json
from pathlib import Path

import pytest

from hipporag_like.cli import _session
from hipporag_like.config import Config
from hipporag_like.errors import ConfigError
from hipporag_like.types import Document, Failure


def only_call(fake, name):
    (arguments,) = [arguments for called, arguments in fake.calls if called == name]
    return arguments


@pytest.mark.parametrize(
    ("command", "called"), [("query", "retrieve_many"), ("ask", "ask"), ("explain", "explain")]
)
def test_search_options_reach_the_library(cli, fake, index_dir, command, called):
    options = [
        "-k",
        3,
        "--method",
        "dense",
        "--where",
        "year>=2000",
        "--where",
        "lang=en",
        "--namespace",
        "n",
    ]
    assert cli(command, " q ", "--index", index_dir, *options).exit_code == 0
    asked = only_call(fake, called)
    assert (asked["k"], asked["method"], asked["namespace"]) == (3, "dense", "n")
    assert asked["where"] == {"year": {"gte": 2000}, "lang": "en"}
    assert asked.get("question") == "q" or asked["questions"] == ["q"]
    assert only_call(fake, "open")["read_only"] is True


def test_the_index_folder_can_come_from_the_environment(cli, fake, index_dir):
    assert cli("stats", HIPPORAG_LIKE_INDEX=str(index_dir)).exit_code == 0
    assert only_call(fake, "open")["path"] == index_dir


def test_without_options_the_index_keeps_its_own_configuration(cli, fake, index_dir):
    cli("query", "q", "--index", index_dir)
    assert only_call(fake, "open")["config"] is None


def test_options_change_only_their_part_of_the_configuration(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text('[chunk]\nmax_tokens = 100\n[embed]\nmodel = "other"\n', encoding="utf-8")
    config = _session.configure(file, embedder="hashing", extractor="spacy:x", reader="extractive")
    assert (config.chunk.max_tokens, config.embed.model, config.extract.extractor) == (
        100,
        "hashing",
        "spacy:x",
    )
    assert _session.configure(file).embed.model == "other"
    light = _session.configure(file, preset="light")
    assert (light.embed.model, light.embed.preset) == ("other", "light")
    with pytest.raises(ConfigError):
        _session.configure(file, extractor="nonsense")


@pytest.fixture
def folder_of_models(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("prompts", "models/chat", "hub/name", "rules", "llm", "minilm", "hashing"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "script.json").write_text("{}", encoding="utf-8")
    return tmp_path


def test_relative_paths_are_kept_so_that_they_hold_from_anywhere(folder_of_models):
    here = folder_of_models
    (here / "c.toml").write_text(
        '[llm]\nprompts = "prompts"\n[read]\nreader = "transformers:models/chat"\n', encoding="utf-8"
    )
    config = _session.configure(here / "c.toml", llm="scripted:script.json", embedder="models/chat")
    assert config.llm.prompts == str(here / "prompts")
    assert config.llm.model == f"scripted:{here / 'script.json'}"
    assert config.read.reader == f"transformers:{here / 'models' / 'chat'}"
    assert config.embed.model == str(here / "models" / "chat")
    assert _session.configure(None, extractor="openie:script.json").extract.extractor == (
        f"openie:{here / 'script.json'}"
    )


@pytest.mark.parametrize(
    "options",
    [
        {"llm": "transformers:owner/chat"},
        {"llm": "transformers:~/chat"},
        {"llm": "openai:models/chat"},
        {"extractor": "rules"},  # there is a folder of this name
        {"reader": "llm"},
        {"embedder": "minilm"},
        {"embedder": "owner/embedder"},
    ],
)
def test_names_stay_as_they_are(folder_of_models, options):
    config = _session.configure(None, **options)
    (value,) = options.values()
    assert value in (config.llm.model, config.extract.extractor, config.read.reader, config.embed.model)


def test_paths_of_the_index_itself_are_left_alone(folder_of_models, monkeypatch):
    own = Config.from_dict({"llm": {"model": "transformers:hub/name"}})
    monkeypatch.setattr(_session, "_own_config", lambda index: own)
    assert _session.configure(None, reader="llm").llm.model == "transformers:hub/name"


def test_index_hands_over_documents_and_what_could_not_be_read(cli, fake, tmp_path, monkeypatch):
    document, failure = Document(text="t", namespace="n"), Failure("b.bin", "not text")
    monkeypatch.setattr(_session, "load_sources", lambda *arguments: ([document], [failure]))
    assert cli("index", "a.txt", "b.bin", "--index", tmp_path, "--extractor", "rules").exit_code == 0
    assert only_call(fake, "index") == {"documents": [document], "failures": [failure]}
    opened = only_call(fake, "open")
    assert opened["read_only"] is False and opened["config"].extract.extractor == "rules"


def test_index_reads_files_and_stdin_into_the_namespace(cli, fake, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"_id": "a", "title": "A", "text": "one", "year": 1990}\nnot json\n', encoding="utf-8")
    assert (
        cli("index", rows, "-", "--index", tmp_path / "i", "--namespace", "n", stdin="words").exit_code == 0
    )
    call = only_call(fake, "index")
    read = {(document.text, document.namespace) for document in call["documents"]}
    assert read == {("one", "n"), ("words", "n")}
    assert call["documents"][0].metadata["year"] == 1990
    assert len(call["failures"]) == 1 and "rows.jsonl" in call["failures"][0].source
    missing = cli("index", tmp_path / "nothing.txt", "--index", tmp_path / "i")
    assert missing.exit_code == 2 and "nothing.txt" in missing.stderr


def test_delete_and_export_pass_their_arguments_on(cli, fake, index_dir, tmp_path):
    cli("delete", "a", "b", "--index", index_dir, "--namespace", "n")
    assert only_call(fake, "delete") == {"ids": ["a", "b"], "namespace": "n"}
    result = cli("export", "--index", index_dir, "--format", "csv", "--out", tmp_path / "out")
    assert only_call(fake, "export") == {"format": "csv", "out": tmp_path / "out", "namespace": None}
    assert result.stdout == "" and "12 nodes, 3,400 edges" in result.stderr
    assert cli("export", "--index", index_dir, "--format", "csv", "--out", "x", "--quiet").output == ""


NUMBERS = {
    "dataset": "tiny",
    "n_questions": 2,
    "systems": {
        "graph": {
            "recall@1": 50.0,
            "recall@5": 100.0,
            "em": 50.0,
            "seconds_per_query": 0.0123,
            "per_type": {},
        },
        "dense": {
            "recall@1": 25.0,
            "recall@5": 100.0,
            "em": None,
            "seconds_per_query": 0.004,
            "per_type": {},
        },
    },
    "index": {},
}


@pytest.fixture
def evaluated(monkeypatch):
    import hipporag_like.eval.experiment as experiment

    seen = []

    def build_and_evaluate(*arguments, **options):
        seen.append(arguments)
        return NUMBERS

    monkeypatch.setattr(experiment, "build_and_evaluate", build_and_evaluate)
    return seen


def test_eval_passes_its_options_on_and_prints_methods_by_measures(cli, evaluated, tmp_path):
    options = [
        "--method",
        "graph",
        "--method",
        "dense",
        "--limit",
        7,
        "--extractor",
        "rules",
        "--index",
        tmp_path,
    ]
    result = cli("eval", "some/set", *options)
    assert evaluated == [(Path("some/set"), tmp_path, ("graph", "dense"), "rules", 7, None)]
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["tiny:", "2", "questions"]
    assert lines[2] == ["method", "R@1", "R@5", "em", "time"]
    assert lines[3:] == [
        ["graph", "50.0", "100.0", "50.0", "12", "ms"],
        ["dense", "25.0", "100.0", "-", "4", "ms"],
    ]


def test_eval_json_goes_to_the_file_or_to_stdout(cli, evaluated, tmp_path):
    file = tmp_path / "numbers.json"
    assert "tiny" in cli("eval", "set", "--json", file).stdout
    assert json.loads(file.read_text(encoding="utf-8")) == NUMBERS
    assert json.loads(cli("eval", "set", "--json", "-").stdout) == NUMBERS


def test_eval_sample_is_the_shipped_data_set_unless_there_is_one_of_that_name(
    cli, evaluated, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    cli("eval", "sample")
    shipped = evaluated[0][0]
    assert (shipped / "questions.jsonl").is_file() and evaluated[0][2] == ("graph",)
    (tmp_path / "sample").mkdir()
    cli("eval", "sample")
    assert evaluated[1][0] == Path("sample")


def test_demo_asks_three_questions_that_need_several_documents(cli, fake, tmp_path):
    from hipporag_like.eval.datasets import load_dataset

    result = cli("demo", "--index", tmp_path / "demo")
    assert result.exit_code == 0, result.output
    sample = load_dataset(_session.sample_folder())
    needed = {question.question: len(question.supporting) for question in sample.questions}
    asked = [arguments["question"] for name, arguments in fake.calls if name == "ask"]
    assert len(set(asked)) == 3 and all(needed[question] > 1 for question in asked)
    assert len(only_call(fake, "index")["documents"]) == len(sample.documents)
    assert all(question in " ".join(result.stdout.split()) for question in asked)
    assert "question → jaws → " in result.stdout and "confidence 0.83" in result.stdout
