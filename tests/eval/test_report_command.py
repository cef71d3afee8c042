"""``hipporag-like report``: prints what it wrote, and says in one line what is wrong."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hipporag_like.cli.app import app

SPEC = importlib.util.spec_from_file_location(
    "report_example_command", Path(__file__).with_name("report_example.py")
)
EXAMPLE = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(EXAMPLE)


@pytest.fixture
def results_folder(tmp_path):
    results = EXAMPLE.example(datasets={"toy": (40, {})})
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    return tmp_path


def test_paths_go_to_stdout(results_folder):
    result = CliRunner().invoke(app, ["report", str(results_folder)])
    assert (result.exit_code, result.stderr) == (0, "")
    paths = [Path(line) for line in result.stdout.splitlines()]
    assert [path.name for path in paths[:2]] == ["report.html", "report.md"]
    assert len(paths) == 5 and all(path.is_file() for path in paths)


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_missing_plots_are_said_on_stderr(results_folder, monkeypatch, quiet):
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # as if it were not installed
    result = CliRunner().invoke(app, ["report", str(results_folder), *quiet])
    assert result.exit_code == 0 and len(result.stdout.splitlines()) == 2
    assert ("pip install 'hipporag-like[report]'" in result.stderr) is not bool(quiet)


def test_a_folder_without_results_is_one_sentence(tmp_path):
    result = CliRunner().invoke(app, ["report", str(tmp_path)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: there are no results at") and result.stderr.count("\n") == 1


def test_reading_the_modules_needs_no_matplotlib():
    code = "import sys, hipporag_like.eval.report; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
