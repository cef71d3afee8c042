"""``eval --run-out`` and ``eval --download``: files beside the table of numbers."""

from __future__ import annotations

import json

import pytest

from hipporag_like.eval.catalogue import CATALOGUE, PublicSet, RemoteFile

NUMBERS = {"recall@5": 50.0, "em": None, "f1": None, "seconds_per_query": 0.01}


def write_set(folder, ids=("a", "b")):
    folder.mkdir()
    corpus = [{"_id": id_, "title": "", "text": f"Text {id_}."} for id_ in ids]
    questions = [{"id": "q1", "question": "Who?", "answers": ["x"], "supporting": [ids[0]]}]
    for name, rows in (("corpus", corpus), ("questions", questions)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def evaluated(monkeypatch):
    """An evaluation that takes no time: b before a for every method; yields what it was asked."""
    import hipporag_like.eval.experiment as experiment

    asked = []

    def build_and_evaluate(path, index, methods, *_, details=False, **__):
        asked.append((methods, details))
        row = {"id": "q1", "ranking": ["b", "a"], "scores_of_ranking": [2.0, 0.5], **NUMBERS}
        kept = {"details": [row]} if details else {}
        systems = {method: {**NUMBERS, "per_type": {}, **kept} for method in methods}
        return {"dataset": "toy", "n_questions": 1, "systems": systems, "index": {}}

    monkeypatch.setattr(experiment, "build_and_evaluate", build_and_evaluate)
    return asked


def test_the_run_of_one_method_is_the_file_that_was_named(cli, evaluated, tmp_path):
    run, numbers = tmp_path / "mine.run", tmp_path / "n.json"
    result = cli("eval", write_set(tmp_path / "toy"), "--run-out", run, "--json", numbers)
    assert result.exit_code == 0 and "toy: 1 question" in result.stdout
    assert run.read_text(encoding="utf-8") == "q1 Q0 b 1 2.0 graph\nq1 Q0 a 2 0.5 graph\n"
    assert "details" not in json.loads(numbers.read_text(encoding="utf-8"))["systems"]["graph"]
    assert evaluated == [(("graph",), True)]


def test_several_methods_have_a_run_each(cli, evaluated, tmp_path):
    place = write_set(tmp_path / "toy")
    methods = ("--method", "bm25", "--method", "dense", "--method", "bm25")
    assert cli("eval", place, *methods, "--run-out", tmp_path / "mine.run").exit_code == 0
    assert sorted(p.name for p in tmp_path.glob("*.run")) == ["mine.bm25.run", "mine.dense.run"]
    assert (tmp_path / "mine.dense.run").read_text(encoding="utf-8").startswith("q1 Q0 b 1 2.0 dense\n")


def test_what_cannot_be_written_is_refused_before_the_work(cli, evaluated, tmp_path):
    place = write_set(tmp_path / "toy")
    result = cli("eval", place, "--run-out", tmp_path / "no" / "mine.run")
    assert result.exit_code == 2 and "the folder" in result.stderr and "does not exist" in result.stderr
    result = cli("eval", place, "--run-out", tmp_path)
    assert result.exit_code == 2 and f"--run-out {tmp_path} is a folder" in result.stderr
    spaced = write_set(tmp_path / "spaced", ("my notes", "b"))
    result = cli("eval", spaced, "--run-out", tmp_path / "mine.run")
    assert result.exit_code == 2 and "must be one word without white space, got 'my notes'" in result.stderr
    assert evaluated == []


def test_without_a_data_set_there_is_one_sentence(cli, evaluated, tmp_path):
    for arguments, words in (
        ((), "name a DATASET, such as sample"),
        (("sample", "--out", tmp_path), "--out goes with --download"),
        (("--download", "--out", tmp_path), "name the data set to download"),
        (("--download", "--limit", "3"), "--download evaluates nothing, so --limit has no meaning"),
        (("musique", "--download", "--run-out", tmp_path / "x.run"), "so --run-out has no meaning"),
        (("trivia", "--download"), "no public data set is called 'trivia'"),
    ):
        result = cli("eval", *arguments)
        assert (result.exit_code, result.stdout) == (2, "") and words in result.stderr, arguments
    assert evaluated == []


def test_download_shows_where_each_data_set_comes_from(cli):
    lines = cli("eval", "--download").stdout.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == list(CATALOGUE)
    one = cli("eval", "musique", "--download").stdout
    assert one.splitlines()[0] == "musique" and "hotpotqa" not in one
    file = CATALOGUE["musique"].files[0]
    for words in ("CC BY 4.0", file.url, f"sha256 {file.sha256}", "30.4 MB", "musique --download --out DIR"):
        assert words in one
    assert "checksum: recorded at first download" in cli("eval", "hipporag-nq", "--download").stdout
    plain = json.loads(cli("eval", "--download", "--json", "-").stdout)
    assert [entry["name"] for entry in plain] == list(CATALOGUE)
    assert plain[0]["files"][0]["sha256"] == file.sha256 and plain[0]["licence"] == "CC BY 4.0"


def test_download_with_a_folder_fetches_and_says_how_to_go_on(cli, monkeypatch, tmp_path):
    import hipporag_like.cli._download as command

    toy = PublicSet(
        "toy", "A toy", "CC0", "https://page", (RemoteFile("https://x/dev", "dev.json"),), "dev.json"
    )
    monkeypatch.setattr(command, "find_set", lambda name: toy)
    monkeypatch.setattr(command, "download", lambda entry, folder, progress: folder / entry.evaluate)
    said = cli("eval", "toy", "--download", "--out", tmp_path / "d").stdout
    assert said.splitlines()[-1] == f"hipporag-like eval {tmp_path / 'd' / 'dev.json'}"
    numbers = tmp_path / "n.json"
    assert cli("eval", "toy", "--download", "--out", tmp_path, "--json", numbers, "--quiet").stdout == ""
    assert json.loads(numbers.read_text(encoding="utf-8"))[0]["path"] == str(tmp_path / "dev.json")
