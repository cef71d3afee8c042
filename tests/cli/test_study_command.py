"""``hipporag-like study``: what it writes and prints, and what it refuses before any work."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def toy_folder(tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    corpus, questions = [], []
    for n, (person, town) in enumerate(
        (("Ada Pyke", "Orsk"), ("Bruno Falk", "Velden"), ("Cleo Marsh", "Mirrow"))
    ):
        corpus.append({"_id": f"p{n}", "title": person, "text": f"{person} lives in {town}."})
        corpus.append({"_id": f"t{n}", "title": town, "text": f"{town} lies by river {n}."})
        question = f"By which river does {person} live?"
        questions.append(
            {"id": f"q{n}", "question": question, "answers": [f"river {n}"], "supporting": [f"p{n}", f"t{n}"]}
        )
    for name, rows in (("corpus", corpus), ("questions", questions)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    """Pictures are tested with the files; here they would only take time."""
    monkeypatch.setattr("hipporag_like.eval.studies.write.can_draw", lambda: False)


def steps_of(values):
    """What each step added, extracted and embedded."""
    names = ("added", "unchanged", "extracted", "embedded")
    steps = values["datasets"]["toy"]["steps"]
    return [[step["index"][name] for name in names] for step in steps]


FAST = ("--embedder", "hashing", "--method", "bm25")


def test_growth_is_written_and_printed(cli, toy_folder, tmp_path):
    out = tmp_path / "out"
    result = cli("study", "growth", toy_folder, "--out", out, "--segments", "3", *FAST)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("# Study: continual growth\n")
    assert "Nothing was extracted or embedded twice." in result.stdout
    assert result.stderr.startswith("wrote growth.json, growth.md")
    assert result.stdout == (out / "growth.md").read_text(encoding="utf-8")
    values = json.loads((out / "growth.json").read_text(encoding="utf-8"))
    assert {"at", "commit", "version", "python"} <= set(values["made"])
    assert values["datasets"]["toy"]["segments"] == 3
    assert list(values["datasets"]["toy"]["change"]) == ["bm25"]
    again = cli("study", "growth", toy_folder, "--out", out, "--segments", "3", *FAST)
    assert again.exit_code == 0  # from nothing once more
    first, second = (
        steps_of(text) for text in (values, json.loads((out / "growth.json").read_text("utf-8")))
    )
    assert first == second and first
    assert not (out / "indexes").exists()


def test_the_others_share_one_index_and_print_json(cli, toy_folder, tmp_path):
    out, root = tmp_path / "out", tmp_path / "indexes"
    common = (toy_folder, "--out", out, "--index-root", root, "--limit", "2", "--json", *FAST)
    paths = cli("study", "paths", *common, "--many", "1")
    assert json.loads(paths.stdout)["datasets"]["toy"]["many"] == 1
    knobs = cli("study", "knobs", *common, "--knob", "search.damping=0.5,0.85")
    assert json.loads(knobs.stdout)["datasets"]["toy"]["knobs"] == []  # bm25 heeds none
    hard = cli("study", "robustness", *common, "--condition", "with_misspelt_names")
    assert list(json.loads(hard.stdout)["datasets"]["toy"]["conditions"]) == ["with_misspelt_names"]
    assert [path.name for path in root.iterdir()] == ["toy"]
    assert {path.name for path in out.glob("*.json")} == {"paths.json", "knobs.json", "robustness.json"}


def test_path_questions_come_with_the_package(cli, tmp_path):
    given = ("--out", tmp_path / "out", "--limit", "1", "--json", *FAST)
    found = json.loads(cli("study", "paths", "sample-paths", *given).stdout)["datasets"]["sample-paths"]
    assert (found["n_documents"], found["kinds"]["finding"]["n"]) == (100, 1)


def test_the_next_data_set_lends_its_documents(cli, toy_folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    row = {"_id": "z", "title": "Z", "text": "A stone."}
    (other / "corpus.jsonl").write_text(json.dumps(row), encoding="utf-8")
    asked = {"id": "q", "question": "Which stone?", "answers": ["z"], "supporting": ["z"]}
    (other / "questions.jsonl").write_text(json.dumps(asked), encoding="utf-8")
    common = ("--out", tmp_path / "out", "--condition", "with_distractors", "--json", *FAST)
    result = cli("study", "robustness", toy_folder, other, *common)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)["datasets"]
    assert (found["toy"]["distractors"], found["other"]["distractors"]) == ("other", "toy")
    assert found["toy"]["conditions"]["with_distractors"]["n_documents"] == 7


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["growht", "DATA", "--out", "OUT"], ["growht", "growth, paths, knobs, robustness"]),
        (["paths", "DATA"], ["--out"]),
        (["paths", "DATA", "--out", "OUT", "--segments", "3"], ["--segments belongs to the study growth"]),
        (["growth", "DATA", "--out", "OUT", "--segments", "0"], ["at least 2 segments"]),
        (["paths", "DATA", "--out", "OUT", "--many", "0"], ["at least 1"]),
        (["growth", "DATA", "--out", "OUT", "--method", "magic"], ["magic", "hybrid"]),
        (["knobs", "DATA", "--out", "OUT", "--method", "magic"], ["magic", "hybrid"]),
        (["paths", "DATA", "--out", "OUT", "--method", "magic"], ["magic", "hybrid"]),
        (["robustness", "DATA", "--out", "OUT", "--method", "magic"], ["magic", "hybrid"]),
        (["knobs", "DATA", "--out", "OUT", "--knob", "search.dampin=1"], ["search.damping"]),
        (["robustness", "DATA", "--out", "OUT", "--condition", "upside_down"], ["without_titles"]),
        (["robustness", "DATA", "--out", "OUT", "--distractors", "nowhere"], ["nowhere"]),
        (["paths", "DATA", "DATA", "--out", "OUT"], ["two data sets are called toy"]),
        (["paths", "missing", "--out", "OUT"], ["missing"]),
        (["paths", "DATA", "--out", "DATA/corpus.jsonl"], ["is a file"]),
    ],
)
def test_mistakes_are_said_in_a_sentence_before_anything_is_made(cli, toy_folder, tmp_path, arguments, words):
    out = tmp_path / "out"
    given = [str(a).replace("DATA", str(toy_folder)).replace("OUT", str(out)) for a in arguments]
    result = cli("study", *given)
    assert result.exit_code == 2 and result.stdout == ""
    assert len(result.stderr.splitlines()) == 1 and result.stderr.startswith("error: ")
    assert all(word in result.stderr for word in words), result.stderr
    assert not out.exists()
