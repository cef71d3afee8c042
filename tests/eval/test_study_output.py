"""Studies on paper: tables that say what was found, pictures that can be opened, files that are the same each time."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import pytest

from hipporag_like.errors import UsageError
from hipporag_like.eval.studies.tables import difference, markdown, p_value, shown, table
from hipporag_like.eval.studies.write import write_study

BASE = {"dataset": "toy", "checksum": "abc", "n_documents": 1200, "n_questions": 3}


def test_of(value, p=0.5):
    return {
        "metric": "recall@5",
        "n": 3,
        "difference": value,
        "low": value - 1,
        "high": value + 1,
        "p": p,
        "p_corrected": p,
    }


test_of.__test__ = False


def entry(recall, **more):
    scores = {"recall@5": recall, "recall@2": None, "all_recall@5": recall, "mrr": 0.5}
    return {"n": 3, "scores": scores, "seconds_per_query": 0.01, **more}


def step(number, first, again=0):
    index = {"added": 2, "updated": 0, "unchanged": 2 * number - 2, "passages": 2 * number, "extracted": 2}
    both = {"graph": entry(first), "bm25": entry(40.0)}
    return {
        "segment": number,
        "documents": 2 * number,
        "index": {**index, "embedded": 9, "failures": 0, "seconds": 1.25},
        "again": {"extracted": again, "embedded": 0},
        "first": both,
        "so_far": both,
    }


GROWTH = {
    **BASE,
    "segments": 2,
    "first_questions": 3,
    "steps": [step(1, 90.0), step(2, 80.0)],
    "nothing_again": True,
    "change": {"graph": test_of(-10.0, 0.01), "bm25": test_of(0.0, 1.0)},
}
ASKED = {
    "id": "q",
    "question": "Which professor | works on it?",
    "kind": "finding",
    "starts": [{"entity": "Stanford", "passages": 30}],
    "ends": [{"document_id": "d", "title": "Sudhof"}],
    "ranks": {"graph": 1, "hybrid": None},
    "path": [
        {"kind": "question", "text": "?"},
        {"kind": "entity", "text": "Stanford"},
        {"kind": "passage", "text": "Sudhof"},
    ],
}
PATHS = {
    **BASE,
    "many": 5,
    "kinds": {
        "finding": {
            "n": 1,
            "methods": {
                "graph": entry(100.0, against_baseline=test_of(50.0, 0.0001)),
                "hybrid": entry(50.0, against_baseline=None),
            },
        },
        "following": {"n": 0, "methods": {}},
    },
    "questions": [ASKED],
}
KNOBS = {
    **BASE,
    "knobs": [
        {
            "knob": "search.damping",
            "method": "graph",
            "values": [
                {"value": 0.5, "default": False, **entry(70.0), "against_default": test_of(-5.0)},
                {"value": 0.85, "default": True, **entry(75.0), "against_default": None},
            ],
        }
    ],
    "recall_by_k": {"graph": {"1": 30.0, "5": 75.0}},
}
ROBUSTNESS = {
    **BASE,
    "distractors": None,
    "plain": {"graph": entry(75.0)},
    "conditions": {
        "without_titles": {
            "n_documents": 1200,
            "reused": False,
            "methods": {"graph": entry(70.0, against_plain=test_of(-5.0, 0.05))},
        }
    },
    "left_out": {"with_distractors": "no other data set was given"},
}
RESULTS = {"growth": GROWTH, "paths": PATHS, "knobs": KNOBS, "robustness": ROBUSTNESS}
MADE = {"at": "2026-01-01T00:00:00+00:00", "version": "0"}


def test_cells():
    assert [shown("recall@5", 66.6667), shown("mrr", 0.5), shown("f1", None)] == ["66.7", "0.500", "-"]
    assert difference(None) == "-" and p_value(None) == "-"
    assert difference(test_of(-5.0, 0.051)) == "-5.0 [-6.0, -4.0]"
    assert difference(test_of(-5.0, 0.05)) == "**-5.0 [-6.0, -4.0]**"
    assert p_value(test_of(1.0, 0.0004)) == "< 0.001" and p_value(test_of(1.0, 0.0412)) == "0.041"
    assert table(["a", "b"], [["x|y", "1"]]) == ["| a | b |", "| --- | ---: |", "| x\\|y | 1 |", ""]


@pytest.mark.parametrize(
    ("study", "lines"),
    [
        (
            "growth",
            [
                "3 questions, 1,200 documents; checksum `abc`.",
                "Nothing was extracted or embedded twice.",
                "| 2 | 4 | 2 | 2 | 2 | 9 | 0 | 0 | 1.2 |",
                "| method | after 1 (3 q) | after 2 (3 q) |",
                "| graph | 90.0 | 80.0 |",
                "| graph | **-10.0 [-11.0, -9.0]** | 0.010 |",
            ],
        ),
        (
            "paths",
            [
                "Path finding: even the rarest starting point leads to more than 5 passages (1 question).",
                "| graph | 100.0 | - | 100.0 | 0.500 | **+50.0 [+49.0, +51.0]** | < 0.001 |",
                "* Which professor | works on it?",
                "  * starts (passages that name them): Stanford (30)",
                "  * ends: Sudhof; rank: graph 1, hybrid not found",
                "  * path: Stanford → Sudhof",
            ],
        ),
        (
            "knobs",
            [
                "### `search.damping`, graph",
                "| 0.5 | 70.0 | - | 70.0 | 0.500 | -5.0 [-6.0, -4.0] | 0.500 |",
                "| 0.85 (default) | 75.0 | - | 75.0 | 0.500 | - | - |",
                "| graph | 30.0 | 75.0 |",
            ],
        ),
        (
            "robustness",
            [
                "| as it is | graph | 75.0 | - | 75.0 | 0.500 | - | - |",
                "| without_titles | graph | 70.0 | - | 70.0 | 0.500 | **-5.0 [-6.0, -4.0]** | 0.050 |",
                "Left out: with_distractors, because no other data set was given.",
            ],
        ),
    ],
)
def test_the_page_says_what_was_found(study, lines):
    page = markdown(study, {"toy": RESULTS[study]}).splitlines()
    assert page[0].startswith("# Study: ") and "## toy" in page
    assert [line for line in lines if line not in page] == []


def test_work_done_twice_is_said_aloud():
    twice = {**GROWTH, "nothing_again": False, "steps": [step(1, 90.0), step(2, 80.0, again=2)]}
    page = markdown("growth", {"toy": twice})
    assert "**Work was done twice.**" in page and "Nothing was" not in page


@pytest.mark.parametrize("study", RESULTS)
def test_files_are_written_and_the_same_result_gives_the_same_files(tmp_path, study):
    pytest.importorskip("matplotlib")
    results = {"o:ther": {**RESULTS[study], "dataset": "o:ther"}}
    written = write_study(tmp_path / "deep" / "out", study, results, MADE)
    names = [f"{study}.json", f"{study}.md", f"{study}-o-ther.svg"]
    assert [path.name for path in written] == names
    values = json.loads(written[0].read_text(encoding="utf-8"))
    assert (values["format"], values["study"], values["made"]) == (1, study, MADE)
    assert values["datasets"] == json.loads(json.dumps(results))
    page = written[1].read_text(encoding="utf-8")
    assert f"## o:ther\n\n![{study}: o:ther]({study}-o-ther.svg)\n" in page
    before = [path.read_bytes() for path in written]
    for path in written[2:]:
        assert ElementTree.fromstring(path.read_bytes()).tag.endswith("svg")
    assert [
        path.read_bytes() for path in write_study(tmp_path / "deep" / "out", study, results, MADE)
    ] == before


def test_without_matplotlib_there_are_no_pictures_and_no_dead_links(tmp_path, monkeypatch):
    monkeypatch.setattr("hipporag_like.eval.studies.write.can_draw", lambda: False)
    written = write_study(tmp_path, "knobs", {"toy": KNOBS}, MADE)
    assert [path.name for path in written] == ["knobs.json", "knobs.md"]
    assert "![" not in written[1].read_text(encoding="utf-8")


def test_a_file_in_the_way_is_said(tmp_path):
    (tmp_path / "out").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="is a file; name a folder to write to"):
        write_study(tmp_path / "out", "knobs", {"toy": KNOBS}, MADE)
