"""``hipporag-like experiment``: from words on a command line to a folder, a table, and one sentence where it fails."""

from __future__ import annotations

import io
import json

import pytest

TEXTS = {
    "ada": "Ada Byron was born in Marlow. She wrote about engines.",
    "marlow": "Marlow is a town on the river Thames, known for its bridge.",
    "tilbury": "Tilbury is a town on the river Arno, known for its docks.",
}
QUESTIONS = [
    {"id": "q1", "question": "On which river was Ada Byron born?", "answers": ["Thames"]},
    {"id": "q2", "question": "What is Tilbury known for?", "answers": ["docks"]},
]
GOLD = (["ada", "marlow"], ["tilbury"])
RUN = "q1 Q0 ada 1 2 theirs\nq2 Q0 ada 1 2 theirs\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with the data sets ``towns`` and ``more``, a run and a configuration."""
    for name in ("towns", "more"):
        folder = tmp_path / name
        folder.mkdir()
        corpus = [{"_id": key, "title": key.title(), "text": text} for key, text in TEXTS.items()]
        asked = [{**row, "supporting": gold} for row, gold in zip(QUESTIONS, GOLD, strict=True)]
        for file, rows in (("corpus", corpus), ("questions", asked)):
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (folder / f"{file}.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "theirs.run").write_text(RUN, encoding="utf-8")
    (tmp_path / "options.toml").write_text('[embed]\nmodel = "hashing"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def reported(monkeypatch):
    """The report is tested where it is written; here it is enough that it is asked for."""
    import hipporag_like.eval.report as report

    folders = []

    def write_report(folder):
        folders.append(folder)
        return [folder / "report.html", folder / "report.md", folder / "plots" / "recall.svg"]

    monkeypatch.setattr(report, "write_report", write_report)
    monkeypatch.setattr("hipporag_like.eval.report_plots.missing_plots", lambda: None)
    return folders


NONE_FAILED = {"count": 0, "first": {}}
OPTIONS = ("--out", "out", "--config", "options.toml", "--method", "bm25")


def test_one_command_runs_prints_a_table_and_goes_on_without_doing_it_again(cli, here, reported):
    asked = [*OPTIONS, "--method", "dense", "--run", "theirs=theirs.run", "--baseline", "theirs"]
    result = cli("experiment", "towns", *asked)
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["towns:", "2", "questions,", "3", "documents"]
    assert lines[1] == ["system", "R@2", "R@5", "R@10", "all@5", "em", "f1", "time"]
    assert [line[0] for line in lines[2:5]] == ["bm25", "dense", "theirs"]
    assert lines[4] == ["theirs", "25.0", "25.0", "25.0", "0.0", "-", "-", "-"]
    assert result.stdout.splitlines()[-3:] == ["out/results.json", "out/report.html", "out/report.md"]
    assert [line.split(" in ")[0] for line in result.stderr.splitlines()] == [
        "towns: indexed 3 documents",
        "towns, bm25: 2 questions",
        "towns, dense: 2 questions",
        "towns, theirs: 2 questions",
    ]
    assert [str(folder) for folder in reported] == ["out"]
    again = cli("experiment", "towns", *asked)
    assert again.stdout == result.stdout
    assert all(line.endswith((": index is there", ": finished before")) for line in again.stderr.splitlines())


def test_json_is_the_results_and_quiet_says_nothing(cli, here, reported):
    result = cli("experiment", "towns", *OPTIONS, "--json", "--quiet", "--no-read", "--limit", 1)
    assert result.exit_code == 0 and result.stderr == ""
    values = json.loads(result.stdout)
    assert values == json.loads((here / "out" / "results.json").read_text(encoding="utf-8"))
    assert values["datasets"]["towns"]["path"] == "towns"
    assert values["results"]["towns"]["bm25"]["scores"]["em"] is None
    assert values["datasets"]["towns"]["n_questions"] == 1
    silent = cli("experiment", "towns", *OPTIONS, "--quiet", "--no-read", "--limit", 1)
    assert (silent.stdout, silent.stderr, silent.exit_code) == ("", "", 0)


def test_the_shipped_sample_is_named_as_it_was_asked_for(cli, here, reported):
    result = cli("experiment", "sample", *OPTIONS, "--no-read", "--limit", 2, "--json", "--quiet")
    assert json.loads(result.stdout)["datasets"]["sample"]["path"] == "sample"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["towns", "--method", "magic"], "cannot evaluate 'magic'"),
        (["towns", "--baseline", "graph"], "the baseline 'graph' is not among the systems bm25"),
        (["towns", "./towns"], "two data sets are called towns"),
        (["towns", "nowhere"], "there is no data set at nowhere"),
        (["towns", "--limit", "0"], "limit must be at least 1"),
        (["towns", "--run", "theirs.run"], "--run takes NAME=FILE"),
        (["towns", "--run", "a=theirs.run", "--run", "a=x"], "two runs are called a"),
        (["towns", "--run", "a=nowhere.run"], "there is no run at nowhere.run"),
        (["towns", "more", "--run", "a=theirs.run"], "towns, more have in common"),
        (["towns", "--condition", "magic"], "there is no condition 'magic'"),
        (["towns", "--extractor", "magic"], "extractor must be"),
        (
            ["towns", "--extractor", "llm"],
            "extract.extractor asks for a language model and none is configured",
        ),
        (["towns", "--llm", "magic"], "llm.model must be"),
    ],
)
def test_mistakes_are_one_sentence_before_anything_is_made(cli, here, reported, arguments, message):
    result = cli("experiment", *arguments, *OPTIONS)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ") and message in result.stderr
    assert result.stderr.count("\n") == 1 and not (here / "out").exists()


def test_a_folder_of_other_things_is_refused(cli, here, reported):
    result = cli("experiment", "towns", "--out", "towns", "--method", "bm25")
    assert result.exit_code == 2 and "towns holds files but no experiment" in result.stderr


def test_the_help_names_every_condition(cli):
    from hipporag_like.eval.conditions import CONDITIONS

    text = " ".join(cli("experiment", "--help", COLUMNS="100").stdout.split())
    assert all(name in text for name in CONDITIONS)


def test_a_mark_says_which_side_is_better_and_only_where_it_is_no_chance():
    from rich.console import Console

    from hipporag_like.cli._render_experiment import render_experiment

    def row(value, difference=None, p=1.0):
        scores = dict.fromkeys(("recall@2", "recall@5", "recall@10", "all_recall@5", "em", "f1"), value)
        test = {"difference": difference, "p": p / 10, "p_corrected": p}
        against = None if difference is None else dict.fromkeys(scores, test)
        seconds = {"mean": 0.012}
        return {
            "scores": scores,
            "against_baseline": against,
            "seconds": seconds,
            "money": 0.0,
            "failures": NONE_FAILED,
        }

    systems = {"graph": row(90.0, 10.0, 0.05), "bm25": row(70.0, -10.0, 0.01), "dense": row(81.0, 1.0, 0.06)}
    results = {
        "baseline": "hybrid",
        "config": {"llm": {"currency": "USD"}},
        "datasets": {"towns": {"n_questions": 1, "n_documents": 1234}},
        "results": {"towns": {**systems, "hybrid": row(80.0)}},
    }
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(render_experiment(results, ["out/report.html"]))
    lines = [line.split() for line in console.export_text().splitlines()]
    assert lines[0] == ["towns:", "1", "question,", "1,234", "documents"]
    assert lines[2][:3] == ["graph", "90.0+", "90.0+"] and lines[3][1] == "70.0-"
    assert lines[4][1] == "81.0" and lines[5][1] == "80.0"
    assert lines[7][:7] == ["+", "better,", "-", "worse", "than", "hybrid:", "p"]
    results["results"]["towns"] = {"dense": systems["dense"], "hybrid": row(80.0)}
    console.print(render_experiment(results, ["out/report.html"]))
    assert "better" not in console.export_text()
    systems["dense"]["failures"] = {"count": 2, "first": {"q1": "no answer in 3 attempts"}}
    console.print(render_experiment(results, ["out/report.html"]))
    said = " ".join(console.export_text().split())
    assert "towns, dense: 2 questions failed and counted as zero (no answer in 3 attempts);" in said
